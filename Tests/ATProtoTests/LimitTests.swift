import ATProto
import FrameKit
import Testing

/// A commit whose `blocks` are exactly this long, filled up with an unrelated block.
private func commit(blockBytes: Int) -> [UInt8] {
  var commit = CommitFrame()
  let bare = blockCount(commit)
  // Three bytes of length and 36 of CID come with the filling.
  let filling = [UInt8](repeating: 1, count: blockBytes - bare - 39)
  commit.changeCAR = { $0.blocks.append((cid(filling), filling)) }
  precondition(blockCount(commit) == blockBytes)
  return commit.encoded
}

private func blockCount(_ commit: CommitFrame) -> Int {
  guard case .bytes(let blocks)? = commit.payload.first(where: { $0.0 == "blocks" })?.1 else { return 0 }
  return blocks.count
}

@Test func `maps that are keys of maps, as deep as a frame is long, end in a reason and not in the stack`() {
  // Found by fuzzing: each such key was stepped over by a call inside the call for the one around it.
  let frame = [UInt8](repeating: 0xa1, count: 2_000_000)
  withBytes(frame) { bytes in
    var decoded = DecodedFrame()
    FrameDecoder(options: DecodeOptions()).decode(bytes, into: &decoded)
    #expect(decoded.outcome == .reject && decoded.reason == .keyNotText)
  }
}

@Test func `a commit may carry 2,000,000 bytes of blocks and not one more`() {
  #expect(report(commit(blockBytes: 2_000_000)) == "accept")
  #expect(report(commit(blockBytes: 2_000_001)) == "reject too_large")
}

@Test func `a sync may carry 10,000 bytes of blocks and not one more`() {
  guard case .bytes(let bare)? = syncFields().first(where: { $0.0 == "blocks" })?.1 else { return }
  for (size, expected) in [(10_000, "skip sync"), (10_001, "reject too_large")] {
    let filling = [UInt8](repeating: 1, count: size - bare.count - 38)
    let blocks = bare + varint(filling.count + 36) + cid(filling) + filling
    #expect(blocks.count == size)
    #expect(report(message("#sync", syncFields().with("blocks", .bytes(blocks)))) == expected)
  }
}

@Test func `a frame may have 5 MiB and not one byte more`() {
  let bare = message("#new", [("x", .bytes([UInt8](repeating: 0, count: 100_000)))]).count - 100_000
  let room = (5 << 20) - bare
  #expect(report(message("#new", [("x", .bytes([UInt8](repeating: 0, count: room)))])) == "skip unknown_type")
  #expect(report(message("#new", [("x", .bytes([UInt8](repeating: 0, count: room + 1)))])) == "reject too_large")
}

@Test func `a record may have 1 MiB and not one byte more`() {
  func record(_ count: Int) -> [UInt8] {
    let text = String(repeating: "a", count: count - 1 - 2 - 5)
    let record = Item.map([("a", .text(text))]).encoded
    precondition(record.count == count)
    return record
  }
  #expect(report(CommitFrame(record: record(1 << 20)).encoded) == "accept")
  #expect(report(CommitFrame(record: record(1 << 20 + 1)).encoded) == "partial record 0 too_large")
}

/// Checking such maps for duplicates walked each of them again, and its children again inside that walk: two to the
/// power of the depth.
@Test(.timeLimit(.minutes(1))) func `unsorted maps in unsorted maps cost no more than their bytes`() {
  var nest: [UInt8] = [0]
  for _ in 0..<62 { nest = [0xa2, 0x61, 0x62] + nest + [0x61, 0x61, 0] }
  #expect(report(message("#identity", identityFields().with("x", .raw(nest)))) == "accept +unsorted_keys")
  #expect(report(CommitFrame(record: nest).encoded) == "accept +unsorted_keys")
  #expect(report(CommitFrame(record: [0x81] + nest).encoded) == "partial +unsorted_keys record 0 not_a_map")
}

@Test(.timeLimit(.minutes(1))) func `twenty thousand unsorted keys are checked in one sort`() {
  let keys = (0..<20_000).reversed().map { (Item.text(String($0 + 100_000)), Item.int(0)) }
  #expect(report(message("#new", [("x", .rawMap(keys))])) == "skip unknown_type +unsorted_keys")
  #expect(report(message("#new", [("x", .rawMap(keys + [keys[500]]))])) == "reject duplicate_key +unsorted_keys")
  #expect(report(CommitFrame(record: Item.rawMap(keys).encoded).encoded) == "accept +unsorted_keys")
}

/// One operation more on the same record costs no second JSON: 200 of 1 MiB would be a gigabyte.
@Test func `operations on one record share its JSON`() {
  let record = Item.map([("a", .text(String(repeating: "\u{1}", count: 50_000)))]).encoded
  var commit = CommitFrame()
  commit.operations = (0..<200).map { Op("create", "app.bsky.feed.post/\($0)", record) }
  decode(commit.encoded) { _, decoded, decoder in
    #expect(report(decoded) == "accept")
    #expect(decoder.json.count < 310_000)
    #expect(decoded.operations.allSatisfy { $0.json == decoded.operations[0].json && $0.json.count > 300_000 })
  }
  commit.operations = (0..<2).map { Op("create", "app.bsky.feed.post/\($0)", [0x80]) }
  #expect(report(commit.encoded) == "partial record 0 not_a_map record 1 not_a_map")
}

/// A node is read once for each operation that passes it, so a huge one times 200 operations must end early.
@Test func `a tree that costs too much to read is refused`() {
  var commit = CommitFrame()
  commit.operations = (0..<200).map { Op("delete", "app.bsky.feed.post/\($0)", nil) }
  func withNode(filling: Int) -> String {
    let node = Item.map([("e", .array([])), ("l", .null), ("x", .bytes([UInt8](repeating: 0, count: filling)))]).encoded
    commit.tree = (cid(node), [(cid: cid(node), data: node)])
    return report(commit.encoded)
  }
  #expect(withNode(filling: 150_000) == "accept")
  #expect(withNode(filling: 180_000) == "reject too_large")
}

@Test func `a rejected frame still says whose it was and where in the stream`() {
  func expectKnown(_ frame: [UInt8], _ reason: Reason) {
    decode(frame) { bytes, decoded, _ in
      #expect(decoded.reason == reason)
      #expect(decoded.sequence == 1001)
      #expect(bytes[decoded.did].string == CommitFrame.did)
    }
  }
  var commit = CommitFrame()
  commit.changes = [("ops", .null)]
  expectKnown(commit.encoded, .badField)
  commit.changes = [("ops", .array((0..<201).map { _ in .null }))]
  expectKnown(commit.encoded, .tooManyOps)
  commit.changes = []
  expectKnown(commit.encoded.dropLast(), .truncated)
  expectKnown(commit.encoded + [0], .trailingBytes)
}

@Test func `strict CBOR refuses each of the three defects, wherever it stands, and no other`() {
  var strict = DecodeOptions()
  strict.strictCBOR = true
  let record: [(String, [UInt8], String)] = [
    ("unsorted", [0xa2, 0x61, 0x62, 1, 0x61, 0x61, 2], "unsorted_keys"),
    ("long head", [0xa1, 0x61, 0x62, 0x18, 1], "nonminimal_head"),
    ("half", [0xa1, 0x61, 0x62, 0xf9, 0x3e, 0], "short_float"),
  ]
  for (name, bytes, reason) in record {
    #expect(report(CommitFrame(record: bytes).encoded) == "accept +" + reason, "\(name)")
    #expect(report(CommitFrame(record: bytes).encoded, strict) == "reject \(reason) +\(reason)", "\(name)")
    let field = message("#identity", identityFields().with("x", .raw(bytes)))
    #expect(report(field, strict) == "reject \(reason) +\(reason)", "\(name)")
  }
  for change in [("tooBig", Item.bool(true)), ("blobs", .null), ("time", .text("x"))] {
    var commit = CommitFrame()
    commit.changes = [change]
    #expect(report(commit.encoded, strict).hasPrefix("accept +"), "\(change.0)")
  }
}

@Test func `what is not verified is not hashed`() {
  var commit = CommitFrame()
  commit.operations[0].hasBlock = false
  let post = CommitFrame.post
  let other = Item.map([("text", .text("forged"))]).encoded
  commit.changeCAR = {
    $0.blocks.append((cid(post), other))
    $0.blocks.append((cid([9]), [8]))
  }
  func outcome(_ verification: Verification, all: Bool) -> String {
    var options = DecodeOptions()
    options.verification = verification
    options.verifyAllBlocks = all
    return report(commit.encoded, options)
  }
  #expect(outcome(.none, all: false) == "accept")
  #expect(outcome(.none, all: true) == "accept")
  #expect(outcome(.cid, all: false) == "reject no_operation_left op 0 record_missing")
  #expect(outcome(.mst, all: false) == "reject no_operation_left op 0 record_missing")
  commit.operations[0].hasBlock = true
  commit.changeCAR = { $0.blocks.append((cid([9]), [8])) }
  #expect(outcome(.cid, all: false) == "accept")
  #expect(outcome(.mst, all: true) == "reject bad_car")
  commit.operations[0].isInTree = false
  commit.changeCAR = { _ in }
  #expect(outcome(.cid, all: true) == "accept")
  #expect(outcome(.signature, all: true) == "reject no_operation_left op 0 not_in_tree")
}

@Test func `a sync is an event where it was asked for`() {
  var options = DecodeOptions()
  options.emitSync = true
  #expect(report(message("#sync", syncFields()), options) == "accept")
}
