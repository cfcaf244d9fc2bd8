import ATProto
import Signatures

extension World {
  /// Writes a damaged frame of a commit that is otherwise as good as any, and forgets the commit: the account goes on
  /// as if it had never happened.
  func malformed(into draft: inout FrameDraft) {
    // Everyday traffic must not notice how many damaged frames there are between its own.
    swap(&random, &malformedRandom)
    defer { swap(&random, &malformedRandom) }
    var kind = MalformedKind.allCases[random.below(MalformedKind.allCases.count)]
    if kind == .tooLargeBlocks, !random.chance(1, in: MalformedKind.largeOneIn / MalformedKind.allCases.count) {
      kind = .truncated
    }
    malformed(kind, into: &draft)
  }

  /// Writes a frame damaged in this way.
  func malformed(_ kind: MalformedKind, into draft: inout FrameDraft) {
    let account = random.below(accounts.everyday.count)
    var state = state(account)
    assembler.begin()
    if kind == .cidOnDelete { _ = planDelete(state) }
    while assembler.operations.count < kind.operationCount { planHealthy(account, &state) }
    if let record = MalformedRecord.bytes(kind) { planRaw(record, account, &state) }
    draft.info.account = account
    assembler.commit(&state, envelope(account, draft.info), into: &draft)
    if kind == .badSignature { draft.unsigned?.digest = Digest() }
    draft.finish()
    damage(kind, &draft)
    draft.info.kind = .malformed
    draft.info.seqOffset = -1
    draft.info.timeOffset = -1
    draft.info.truth = [
      TruthEntry(
        uri: nil, did: String(decoding: accounts.did(account), as: UTF8.self), campaign: "malformed",
        seq: draft.info.seq, expectation: kind.expectation)
    ]
  }

  /// A like or a repost: a create that never turns out to be something else.
  private func planHealthy(_ account: Int, _ state: inout RepositoryState) {
    planPointer(random.chance(80) ? .like : .repost, account, &state)
  }

  /// Replaces what was planned by one post with this record.
  private func planRaw(_ record: [UInt8], _ account: Int, _ state: inout RepositoryState) {
    assembler.begin()
    let made = recordKey(&state, account, &random)
    assembler.records.raw(record)
    assembler.add(.create, TreeKey(.post, tid: made.key), .post, recordFrom: 0)
  }

  private func damage(_ kind: MalformedKind, _ draft: inout FrameDraft) {
    var surgery = FrameSurgery(draft)
    switch kind {
    case .empty: draft.bytes.removeAll(keepingCapacity: true)
    case .headerOnly: draft.bytes.removeLast(draft.bytes.count - surgery.header.count)
    case .trailingBytes: draft.bytes.append(0)
    case .keyNotText:
      // After the header and the map's head comes the key `ops`, four bytes.
      let key = surgery.header.count + 1
      draft.bytes.replaceSubrange(key..<key + 4, with: [0x01])
    case .truncated:
      let payload = draft.bytes.count - surgery.header.count
      draft.bytes.removeLast(1 + random.below(payload - 1))
    case .badSignature, .recordNotMap, .recordFloat, .recordTrailing, .recordCutOff, .recordDeep, .recordInteger,
      .recordDuplicate, .recordUTF8:
      break  // Done before the commit was made.
    case .badPath, .cidMissing, .cidOnDelete, .notInTree, .notDeleted, .unknownAction, .tooManyOps:
      damageOperations(kind, &surgery)
      draft.bytes = surgery.bytes
    case .carCutOff, .carVersion, .carEmpty, .commitBlockMissing, .commitBlockDamaged, .recordBlockMissing,
      .recordBlockDamaged, .treeRootMissing, .tooLargeBlocks:
      damageBlocks(kind, &surgery)
      draft.bytes = surgery.bytes
    default:
      damageFields(kind, &surgery)
      draft.bytes = surgery.bytes
    }
  }

  private func damageFields(_ kind: MalformedKind, _ surgery: inout FrameSurgery) {
    switch kind {
    case .reservedHead: surgery["zzzzzz"] = [0x1c]
    case .indefiniteLength: surgery["blobs"] = [0x9f, 0xff]
    case .duplicateKey:
      guard let index = surgery.fields.firstIndex(where: { $0.key.elementsEqual("rebase".utf8) }) else { return }
      surgery.fields.insert(surgery.fields[index], at: index)
    case .badTag: surgery["zzzzzz"] = [0xc1, 0x00]
    case .badCID: surgery["commit"] = [0xd8, 0x2a, 0x45, 0x00, 0x01, 0x71, 0x12, 0x20]
    case .badFloat: surgery["zzzzzz"] = [0xfb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0]
    case .badSimple: surgery["zzzzzz"] = [0xf7]
    case .badUTF8: surgery["zzzzzz"] = [0x62, 0xc3, 0x28]
    case .tooDeep: surgery["zzzzzz"] = [UInt8](repeating: 0x81, count: 80) + [0x80]
    case .missingRepo: surgery.remove("repo")
    case .badRepo: surgery["repo"] = FrameSurgery.item { $0.text("not-a-did") }
    case .seqZero: surgery["seq"] = [0]
    case .revMismatch: surgery["rev"] = surgery["since"]
    case .commitCIDMismatch: surgery["commit"] = surgery["prevData"]
    case .unsortedKeys: surgery.fields.swapAt(surgery.fields.count - 1, surgery.fields.count - 2)
    case .nonminimalHead: surgery["blobs"] = [0x98, 0x00]
    case .shortFloat: surgery["zzzzzz"] = [0xf9, 0x3c, 0x00]
    case .badTime: surgery["time"] = FrameSurgery.item { $0.text("the day before yesterday") }
    case .clockSkew: surgery["time"] = FrameSurgery.item { $0.time(configuration.startTime + 5_184_000_000_000) }
    case .tooBigFlag: surgery["tooBig"] = [0xf5]
    case .rebaseFlag: surgery["rebase"] = [0xf5]
    case .blobsNull: surgery["blobs"] = [0xf6]
    case .unknownType: surgery.header = FrameHeader.header("#future")
    case .deprecatedType: surgery.header = FrameHeader.header("#handle")
    case .unknownOp: surgery.header[surgery.header.count - 1] = 2
    default: preconditionFailure("\(kind) damages something else")
    }
    // An added field belongs before the longer `prevData`.
    if surgery.fields.last?.key.elementsEqual("zzzzzz".utf8) == true {
      surgery.fields.swapAt(surgery.fields.count - 1, surgery.fields.count - 2)
    }
  }

  private func damageOperations(_ kind: MalformedKind, _ surgery: inout FrameSurgery) {
    let planned = assembler.operations
    func healthy(_ index: Int) -> [UInt8] {
      FrameSurgery.operation(
        cid: planned[index].action == .delete ? nil : planned[index].digest, path: planned[index].key.path,
        action: planned[index].action.rawValue)
    }
    let path = planned[0].key.path
    let damaged: [UInt8]
    switch kind {
    case .badPath:
      damaged = FrameSurgery.operation(cid: planned[0].digest, path: Array("no-slash".utf8), action: "create")
    case .cidMissing: damaged = FrameSurgery.operation(cid: nil, path: path, action: "create")
    case .cidOnDelete: damaged = FrameSurgery.operation(cid: planned[1].digest, path: path, action: "delete")
    case .notInTree: damaged = FrameSurgery.operation(cid: planned[1].digest, path: path, action: "create")
    case .notDeleted: damaged = FrameSurgery.operation(cid: nil, path: path, action: "delete")
    case .unknownAction: damaged = FrameSurgery.operation(cid: planned[0].digest, path: path, action: "archive")
    default:
      surgery["ops"] = FrameSurgery.item { $0.array(201) } + (0..<201).flatMap { _ in healthy(0) }
      return
    }
    surgery["ops"] = FrameSurgery.item { $0.array(2) } + damaged + healthy(1)
  }

  private func damageBlocks(_ kind: MalformedKind, _ surgery: inout FrameSurgery) {
    let commit = surgery.blocks.firstIndex { $0.cid.elementsEqual(surgery["commit"].dropFirst(5)) } ?? 0
    let record = surgery.block(assembler.operations[0].digest) ?? 0
    switch kind {
    case .carVersion: surgery.carHeader[58] = 2
    case .commitBlockMissing: surgery.blocks.remove(at: commit)
    case .commitBlockDamaged: surgery.blocks[commit].data[50] ^= 1
    case .recordBlockMissing: surgery.blocks.remove(at: record)
    case .recordBlockDamaged: surgery.blocks[record].data[30] ^= 1
    // The root of the tree comes first in every CAR.
    case .treeRootMissing: surgery.blocks.removeFirst()
    case .tooLargeBlocks:
      surgery.blocks.append(
        FrameSurgery.Block(cid: surgery.blocks[0].cid, data: [UInt8](repeating: 0x20, count: 2_000_000)))
    default: break
    }
    surgery.rebuildCAR()
    if kind == .carEmpty { surgery["blocks"] = [0x40] }
    if kind == .carCutOff {
      let car = surgery["blocks"]
      // The head of a byte string this long has three bytes; the new one may be as short as it likes.
      let cut = Array(car[3..<car.count - 7])
      surgery["blocks"] = FrameSurgery.item { $0.byteString(cut) }
    }
  }
}

/// Records that are wrong in themselves, while their CIDs and the tree are right.
enum MalformedRecord {
  static func bytes(_ kind: MalformedKind) -> [UInt8]? {
    switch kind {
    case .recordNotMap: FrameSurgery.item { $0.text("just a text") }
    case .recordFloat: post(extra: [0xfb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0])
    case .recordTrailing: post(extra: [0x00]) + [0x00]
    case .recordCutOff: Array(post(extra: [0x00]).dropLast(3))
    case .recordDeep: post(extra: [UInt8](repeating: 0x81, count: 70) + [0x80])
    case .recordInteger: post(extra: [0x1b] + [UInt8](repeating: 0xff, count: 8))
    case .recordDuplicate: duplicate()
    case .recordUTF8: post(extra: [0x62, 0xc3, 0x28])
    default: nil
    }
  }

  /// A post with one more field, whose value is `extra`.
  private static func post(extra: [UInt8]) -> [UInt8] {
    FrameSurgery.item { writer in
      writer.map(4)
      writer.text("text")
      writer.text("what a strange record")
      writer.text("$type")
      writer.text("app.bsky.feed.post")
      writer.text("extra")
      writer.raw(extra)
      writer.text("createdAt")
      writer.text("2026-07-04T14:38:08.000Z")
    }
  }

  private static func duplicate() -> [UInt8] {
    FrameSurgery.item { writer in
      writer.map(3)
      writer.text("text")
      writer.text("one")
      writer.text("text")
      writer.text("two")
      writer.text("$type")
      writer.text("app.bsky.feed.post")
    }
  }
}
