extension FrameDecoder {
  /// Payload fields that only live while one commit or sync message is read.
  private struct Envelope {
    var commit = Slice.none
    var blocks = Slice.none
    var hasBlocks = false
    var hasOperations = false
    var hasSince = false
  }

  /// A `#commit`: payload, CAR, commit block, then each operation against blocks and tree.
  func commit(_ frame: Bytes, _ reader: inout CBORReader, _ decoded: inout DecodedFrame) throws(DecodeError) {
    let start = reader.position
    let envelope = try commitPayload(frame, &reader, &decoded)
    try end(reader)
    guard decoded.sequence > 0, !decoded.did.isEmpty, decoded.time.offset > 0, !decoded.rev.isEmpty,
      !envelope.commit.isEmpty, envelope.hasBlocks, envelope.hasOperations, envelope.hasSince
    else { throw DecodeError(.missingField, at: start) }
    guard envelope.blocks.count <= Limits.commitBlocksBytesMax else {
      throw DecodeError(.tooLarge, at: envelope.blocks.offset)
    }
    try blocks.read(frame, envelope.blocks, defects: &decoded.defects)
    guard frame[blocks.root] == frame[envelope.commit] else {
      throw DecodeError(.commitMismatch, at: envelope.blocks.offset)
    }
    try together(frame, &decoded) { (decoder, decoded) throws(DecodeError) in try decoder.prove(frame, &decoded) }
    guard !decoded.operations.isEmpty else {
      decoded.outcome = .skip
      decoded.skipped = .noOperations
      return
    }
    for index in decoded.operations.indices where decoded.operations[index].dropped == nil {
      if let twin = twin(of: index, decoded.operations) {
        decoded.operations[index].json = decoded.operations[twin].json
        decoded.operations[index].recordError = decoded.operations[twin].recordError
      } else {
        record(&decoded.operations[index], frame, &decoded.defects)
      }
    }
    try conclude(&decoded)
  }

  /// Runs `read` with every block it asks for passing for good, then hashes them all together. Where one of them is bad,
  /// `read` runs again and gets to know of each block when it asks: what comes out is what asking one by one gives.
  private func together(
    _ frame: Bytes, _ decoded: inout DecodedFrame,
    _ read: (FrameDecoder, inout DecodedFrame) throws(DecodeError) -> Void
  ) throws(DecodeError) {
    let defects = decoded.defects
    if hashesTogether { blocks.presume() }
    var failure: DecodeError?
    do throws(DecodeError) { try read(self, &decoded) } catch { failure = error }
    let all = options.verifyAllBlocks && options.verification != .none
    if !blocks.settle(frame, all: all && hashesTogether && failure == nil) {
      decoded.forgetProof(defects: defects)
      try read(self, &decoded)
    } else if let failure {
      throw failure
    }
    if all { try blocks.checkAll(frame) }
  }

  /// Checks the commit against its envelope, and each operation against blocks and tree.
  private func prove(_ frame: Bytes, _ decoded: inout DecodedFrame) throws(DecodeError) {
    let data = try signedCommit(frame, &decoded)
    tree.bytesLeft = Limits.treeBytesMax
    tree.defects = []
    for index in decoded.operations.indices {
      decoded.operations[index].dropped = try check(&decoded.operations[index], frame, root: frame[data])
    }
    decoded.defects.formUnion(tree.defects)
  }

  /// Accept, partial, skip or reject, from what became of the operations.
  private func conclude(_ decoded: inout DecodedFrame) throws(DecodeError) {
    var delivered = 0
    var faults = 0
    for operation in decoded.operations {
      if operation.dropped == nil { delivered += 1 }
      if operation.isFaulty { faults += 1 }
    }
    if delivered > 0 {
      decoded.outcome = faults > 0 ? .partial : .accept
    } else if faults > 0 {
      throw DecodeError(.noOperationLeft, at: 0)
    } else {
      decoded.outcome = .skip
      decoded.skipped = .unknownAction
    }
  }

  private func commitPayload(
    _ frame: Bytes, _ reader: inout CBORReader, _ decoded: inout DecodedFrame
  ) throws(DecodeError) -> Envelope {
    var envelope = Envelope()
    var map = try reader.map()
    while let key = try reader.nextKey(&map) {
      let name = frame[key]
      if name == "ops" {
        envelope.hasOperations = true
        try operations(frame, &reader, &decoded)
      } else if name == "rev" {
        try rev(frame, &reader, &decoded)
      } else if name == "seq" {
        decoded.sequence = try sequence(&reader)
      } else if name == "repo" {
        decoded.did = try did(frame, &reader)
      } else if name == "time" {
        try time(frame, &reader, &decoded)
      } else if name == "since" {
        envelope.hasSince = true
        if !reader.null() { try since(frame, &reader) }
      } else if name == "commit" {
        envelope.commit = try reader.blessedLink()
      } else if name == "blocks" {
        envelope.hasBlocks = true
        envelope.blocks = try reader.byteString()
      } else if name == "blobs" {
        try blobs(frame, &reader, &decoded)
      } else if name == "rebase" {
        if try reader.bool() { decoded.defects.insert(.rebaseFlag) }
      } else if name == "tooBig" {
        if try reader.bool() { decoded.defects.insert(.tooBigFlag) }
      } else if name == "prevData" {
        if !reader.null() { _ = try reader.blessedLink() }
      } else {
        try reader.skip(depth: 1)
      }
    }
    return envelope
  }

  private func rev(_ frame: Bytes, _ reader: inout CBORReader, _ decoded: inout DecodedFrame) throws(DecodeError) {
    let start = reader.position
    decoded.rev = try reader.text()
    guard let tid = Syntax.tid(frame[decoded.rev]) else { throw DecodeError(.badField, at: start) }
    decoded.revTID = tid
  }

  private func since(_ frame: Bytes, _ reader: inout CBORReader) throws(DecodeError) {
    let start = reader.position
    guard Syntax.tid(frame[try reader.text()]) != nil else { throw DecodeError(.badField, at: start) }
  }

  /// Deprecated and ignored, but still an array (or, from some, null).
  private func blobs(_ frame: Bytes, _ reader: inout CBORReader, _ decoded: inout DecodedFrame) throws(DecodeError) {
    let start = reader.position
    if reader.null() {
      decoded.defects.insert(.blobsNull)
      return
    }
    guard start < frame.count, frame[start] >> 5 == 4 else {
      try reader.skip(depth: 1)
      throw DecodeError(.badField, at: start)
    }
    try reader.skip(depth: 1)
  }

  private func operations(
    _ frame: Bytes, _ reader: inout CBORReader, _ decoded: inout DecodedFrame
  ) throws(DecodeError) {
    let start = reader.position
    let count = try reader.arrayCount()
    guard count <= Limits.operationsMax else { throw DecodeError(.tooManyOps, at: start) }
    for _ in 0..<count {
      let start = reader.position
      var operation = Operation()
      var hasAction = false
      var hasPath = false
      var map = try reader.map()
      while let key = try reader.nextKey(&map) {
        let name = frame[key]
        if name == "cid" {
          if !reader.null() { operation.cid = try reader.blessedLink() }
        } else if name == "path" {
          hasPath = true
          operation.path = try reader.text()
        } else if name == "action" {
          hasAction = true
          operation.kind = kind(frame[try reader.text()])
        } else if name == "prev" {
          if !reader.null() { _ = try reader.blessedLink() }
        } else {
          try reader.skip(depth: 3)
        }
      }
      guard hasAction, hasPath else { throw DecodeError(.missingField, at: start) }
      decoded.operations.append(operation)
    }
  }

  private func kind(_ action: Bytes) -> OperationKind {
    if action == "create" { return .create }
    if action == "update" { return .update }
    if action == "delete" { return .delete }
    return .unknown
  }

  /// Finds the root block, checks it against its CID and the envelope, and returns the CID of the tree
  /// (atproto.com/specs/repository, "Commit objects").
  private func signedCommit(_ frame: Bytes, _ decoded: inout DecodedFrame) throws(DecodeError) -> Slice {
    let verifying = options.verification != .none
    guard let block = blocks.find(frame[blocks.root], in: frame, verifying: verifying) else {
      throw DecodeError(.commitMissing, at: blocks.root.offset)
    }
    decoded.commitBlock = block
    var reader = CBORReader(frame, in: block)
    var did = Slice.none
    var rev = Slice.none
    var data = Slice.none
    var hasVersion = false
    var hasSignature = false
    var map = try reader.map()
    while let key = try reader.nextKey(&map) {
      let name = frame[key]
      if name == "did" {
        did = try reader.text()
      } else if name == "rev" {
        rev = try reader.text()
      } else if name == "data" {
        data = try reader.blessedLink()
      } else if name == "sig" {
        _ = try reader.byteString()
        hasSignature = true
      } else if name == "version" {
        let start = reader.position
        let version = try reader.integer()
        guard version == 3 || version == 2 else { throw DecodeError(.badField, at: start) }
        hasVersion = true
      } else {
        try reader.skip(depth: 1)
      }
    }
    decoded.defects.formUnion(reader.defects)
    try end(reader)
    guard !did.isEmpty, !rev.isEmpty, !data.isEmpty, hasVersion, hasSignature else {
      throw DecodeError(.missingField, at: block.offset)
    }
    guard frame[did] == frame[decoded.did], frame[rev] == frame[decoded.rev] else {
      throw DecodeError(.commitMismatch, at: block.offset)
    }
    return data
  }

  /// Nil where the operation can be delivered, else why not.
  private func check(_ operation: inout Operation, _ frame: Bytes, root: Bytes) throws(DecodeError) -> Reason? {
    guard operation.kind != .unknown else { return .unknownAction }
    guard let (collection, rkey) = Syntax.splitPath(frame, operation.path) else { return .badPath }
    operation.collection = collection
    operation.rkey = rkey
    if operation.kind == .delete {
      guard operation.cid.isEmpty else { return .cidOnDelete }
    } else {
      guard !operation.cid.isEmpty else { return .cidMissing }
      let verifying = options.verification != .none
      guard let record = blocks.find(frame[operation.cid], in: frame, verifying: verifying) else {
        return .recordMissing
      }
      operation.record = record
    }
    guard options.verification == .mst || options.verification == .signature else { return nil }
    switch try tree.find(frame[operation.path], root: root, blocks: &blocks, in: frame) {
    case .nodeMissing: return .mstMissing
    case .absent: return operation.kind == .delete ? nil : .notInTree
    case .found(let value):
      if operation.kind == .delete { return .notDeleted }
      return frame[value] == frame[operation.cid] ? nil : .notInTree
    }
  }

  /// An earlier operation with the same record: what was written for it serves again. Without this, 200 operations on one
  /// record of 1 MiB would cost 200 times its JSON.
  private func twin(of index: Int, _ operations: [Operation]) -> Int? {
    let record = operations[index].record
    guard index > 0, !record.isEmpty else { return nil }
    return operations[..<index].firstIndex { $0.record == record && $0.dropped == nil }
  }

  /// Writes the record's JSON, or says why it is bad.
  private func record(_ operation: inout Operation, _ frame: Bytes, _ defects: inout Defects) {
    guard !operation.record.isEmpty || operation.kind != .delete else { return }
    guard operation.record.count <= Limits.recordBytesMax else {
      operation.recordError = .tooLarge
      return
    }
    do throws(DecodeError) {
      try tape.parse(frame, operation.record, onlyMap: true, defects: &defects)
    } catch {
      operation.recordError = error.reason
      return
    }
    let start = json.count
    if !writer.write(&tape, frame, to: json, escaping: options.escaping) { defects.insert(.recordUTF8) }
    operation.json = Slice(offset: start, count: json.count - start)
  }

  /// A `#sync`: a CAR that holds only the commit block.
  func sync(_ frame: Bytes, _ reader: inout CBORReader, _ decoded: inout DecodedFrame) throws(DecodeError) {
    let start = reader.position
    var envelope = Envelope()
    var map = try reader.map()
    while let key = try reader.nextKey(&map) {
      let name = frame[key]
      if name == "seq" {
        decoded.sequence = try sequence(&reader)
      } else if name == "did" {
        decoded.did = try did(frame, &reader)
      } else if name == "rev" {
        try rev(frame, &reader, &decoded)
      } else if name == "time" {
        try time(frame, &reader, &decoded)
      } else if name == "blocks" {
        envelope.hasBlocks = true
        envelope.blocks = try reader.byteString()
      } else {
        try reader.skip(depth: 1)
      }
    }
    try end(reader)
    guard decoded.sequence > 0, !decoded.did.isEmpty, decoded.time.offset > 0, !decoded.rev.isEmpty, envelope.hasBlocks
    else { throw DecodeError(.missingField, at: start) }
    guard envelope.blocks.count <= Limits.syncBlocksBytesMax else {
      throw DecodeError(.tooLarge, at: envelope.blocks.offset)
    }
    try blocks.read(frame, envelope.blocks, defects: &decoded.defects)
    try together(frame, &decoded) { (decoder, decoded) throws(DecodeError) in
      _ = try decoder.signedCommit(frame, &decoded)
    }
    decoded.outcome = options.emitSync ? .accept : .skip
    if !options.emitSync { decoded.skipped = .sync }
  }
}
