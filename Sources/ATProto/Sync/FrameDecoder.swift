/// How far a commit is checked against its hashes (CONTRACT.md, `--verify`).
package enum Verification: String, CaseIterable, Sendable {
  /// Hashes nothing.
  case none
  /// The commit block and the records of operations.
  case cid
  /// Also every tree node on the path of each operation; proves records present and deleted ones absent.
  case mst
  /// Also the commit's signature (checked by who holds the keys, not here).
  case signature
}

/// What `FrameDecoder` is to do.
package struct DecodeOptions: Sendable {
  package var verification = Verification.mst
  /// Hash also the blocks that nothing refers to, as at-kafka's library does.
  package var verifyAllBlocks = false
  /// Reject frames that are not canonical DAG-CBOR.
  package var strictCBOR = false
  /// Deliver `#sync` as an event.
  package var emitSync = false
  package var escaping = JSONEscaping.plain

  package init() {}
}

/// Turns frames into events. One per thread; its scratch memory is reused, so a frame of usual size allocates nothing.
package final class FrameDecoder {
  package let options: DecodeOptions
  /// Whether the blocks of a frame are hashed together. Never changes what comes out; tests compare both.
  package var hashesTogether = true
  /// JSON of the records of the last frame; `Operation.json` are slices of it.
  package let json = ByteWriter(capacity: 16_384)
  var blocks = BlockIndex()
  let tree = TreeWalk()
  var tape = RecordTape()
  var writer = RecordJSON()

  package init(options: DecodeOptions) { self.options = options }

  /// Decodes one frame: header, payload, and for a commit its blocks, its tree and its records.
  ///
  /// Never throws and never traps: what is wrong with the frame stands in `decoded.outcome` and `decoded.reason`.
  package func decode(_ frame: Bytes, into decoded: inout DecodedFrame) {
    decoded.reset()
    json.removeAll()
    do throws(DecodeError) {
      try read(frame, &decoded)
      if options.strictCBOR { try refuseDefects(decoded) }
    } catch {
      decoded.outcome = .reject
      decoded.reason = error.reason
      decoded.offset = error.offset
      identify(frame, &decoded)
    }
  }

  /// Finds sequence number and account of a rejected frame that was given up before they were read: its dead letter is
  /// worth more with them.
  private func identify(_ frame: Bytes, _ decoded: inout DecodedFrame) {
    guard decoded.sequence == 0 || decoded.did.isEmpty, frame.count <= Limits.frameBytesMax else { return }
    switch decoded.type {
    case .commit, .sync, .identity, .account: break
    case .info, .error, .other: return
    }
    var reader = CBORReader(frame)
    do throws(DecodeError) {
      try reader.skip()
      var map = try reader.map()
      while let key = try reader.nextKey(&map) {
        let name = frame[key]
        if name == "seq" {
          decoded.sequence = try sequence(&reader)
        } else if name == (decoded.type == .commit ? "repo" : "did") {
          decoded.did = try did(frame, &reader)
        } else {
          try reader.skip(depth: 1)
        }
      }
    } catch {
      // What was read up to here is what can be known.
    }
  }

  /// Gives memory back that only a huge frame needed.
  package func shrink() {
    json.shrink(to: 1 << 18)
    blocks.shrink()
    tape.shrink()
  }

  private func refuseDefects(_ decoded: DecodedFrame) throws(DecodeError) {
    if decoded.defects.contains(.unsortedKeys) { throw DecodeError(.unsortedKeys, at: 0) }
    if decoded.defects.contains(.nonminimalHead) { throw DecodeError(.nonminimalHead, at: 0) }
    if decoded.defects.contains(.shortFloat) { throw DecodeError(.shortFloat, at: 0) }
  }

  /// Header, then payload, then nothing (atproto.com/specs/event-stream, "Framing").
  private func read(_ frame: Bytes, _ decoded: inout DecodedFrame) throws(DecodeError) {
    guard !frame.isEmpty else { throw DecodeError(.empty, at: 0) }
    guard frame.count <= Limits.frameBytesMax else { throw DecodeError(.tooLarge, at: Limits.frameBytesMax) }
    guard !looksLikeJSON(frame) else { throw DecodeError(.textMessage, at: 0) }
    var reader = CBORReader(frame)
    defer { decoded.defects.formUnion(reader.defects) }
    let op = try header(frame, &reader, &decoded)
    guard !reader.isAtEnd else { throw DecodeError(.notTwoItems, at: reader.position) }
    switch decoded.type {
    case .commit:
      try commit(frame, &reader, &decoded)
    case .sync:
      try sync(frame, &reader, &decoded)
    case .identity, .account:
      try identityOrAccount(frame, &reader, &decoded)
    case .info, .error:
      try infoOrError(frame, &reader, &decoded)
    case .other:
      try payloadOnly(frame, &reader)
      decoded.outcome = .skip
      decoded.skipped = op == 1 ? skipReason(frame[decoded.typeName]) : .unknownOp
    }
  }

  /// Whether this was a text message: an object in JSON. No DAG-CBOR header begins so; other text fails as CBOR.
  private func looksLikeJSON(_ frame: Bytes) -> Bool {
    guard frame[0] == 0x7b, frame.count > 1 else { return false }
    let second = frame[1]
    return second == 0x22 || second == 0x7d || second == 0x20 || second == 0x0a || second == 0x0d || second == 0x09
  }

  private func header(
    _ frame: Bytes, _ reader: inout CBORReader, _ decoded: inout DecodedFrame
  ) throws(DecodeError) -> Int64 {
    var op: Int64?
    var map = try reader.map()
    while let key = try reader.nextKey(&map) {
      if frame[key] == "op" {
        op = try reader.integer()
      } else if frame[key] == "t" {
        decoded.typeName = try reader.text()
      } else {
        try reader.skip(depth: 1)
      }
    }
    guard let op else { throw DecodeError(.missingField, at: 0) }
    if op == -1 {
      decoded.type = .error
    } else if op == 1 {
      guard !decoded.typeName.isEmpty else { throw DecodeError(.missingField, at: 0) }
      decoded.type = type(frame[decoded.typeName])
    }
    return op
  }

  private func type(_ name: Bytes) -> FrameType {
    if name == "#commit" { return .commit }
    if name == "#identity" { return .identity }
    if name == "#account" { return .account }
    if name == "#sync" { return .sync }
    if name == "#info" { return .info }
    return .other
  }

  /// `#handle`, `#migrate` and `#tombstone` left the lexicon on 2025-02-28.
  private func skipReason(_ name: Bytes) -> SkipReason {
    name == "#handle" || name == "#migrate" || name == "#tombstone" ? .deprecatedType : .unknownType
  }

  private func payloadOnly(_ frame: Bytes, _ reader: inout CBORReader) throws(DecodeError) {
    guard frame[reader.position] >> 5 == 5 else {
      let start = reader.position
      try reader.skip()
      throw DecodeError(.badField, at: start)
    }
    try reader.skip()
    try end(reader)
  }

  func end(_ reader: CBORReader) throws(DecodeError) {
    guard reader.isAtEnd else { throw DecodeError(.trailingBytes, at: reader.position) }
  }

  // MARK: Fields that several messages share

  func sequence(_ reader: inout CBORReader) throws(DecodeError) -> Int64 {
    let start = reader.position
    let value = try reader.integer()
    guard value >= 1, value <= Limits.sequenceMax else { throw DecodeError(.badField, at: start) }
    return value
  }

  func did(_ frame: Bytes, _ reader: inout CBORReader) throws(DecodeError) -> Slice {
    let start = reader.position
    let text = try reader.text()
    guard Syntax.isDID(frame[text]) else { throw DecodeError(.badField, at: start) }
    return text
  }

  func time(_ frame: Bytes, _ reader: inout CBORReader, _ decoded: inout DecodedFrame) throws(DecodeError) {
    decoded.time = try reader.text()
    decoded.timeMs = Timestamp.milliseconds(frame[decoded.time])
    if decoded.timeMs == nil { decoded.defects.insert(.badTime) }
  }

  func optionalText(_ reader: inout CBORReader) throws(DecodeError) -> Slice {
    reader.null() ? .none : try reader.text()
  }

  // MARK: The small messages

  private func identityOrAccount(
    _ frame: Bytes, _ reader: inout CBORReader, _ decoded: inout DecodedFrame
  ) throws(DecodeError) {
    let start = reader.position
    var isActive: Bool?
    var map = try reader.map()
    while let key = try reader.nextKey(&map) {
      let name = frame[key]
      if name == "seq" {
        decoded.sequence = try sequence(&reader)
      } else if name == "did" {
        decoded.did = try did(frame, &reader)
      } else if name == "time" {
        try time(frame, &reader, &decoded)
      } else if name == "handle", decoded.type == .identity {
        decoded.handle = try optionalText(&reader)
      } else if name == "active", decoded.type == .account {
        isActive = try reader.bool()
      } else if name == "status", decoded.type == .account {
        decoded.status = try optionalText(&reader)
      } else {
        try reader.skip(depth: 1)
      }
    }
    try end(reader)
    guard decoded.sequence > 0, !decoded.did.isEmpty, decoded.time.offset > 0,
      decoded.type == .identity || isActive != nil
    else { throw DecodeError(.missingField, at: start) }
    decoded.isActive = isActive ?? true
    decoded.outcome = .accept
  }

  private func infoOrError(
    _ frame: Bytes, _ reader: inout CBORReader, _ decoded: inout DecodedFrame
  ) throws(DecodeError) {
    let start = reader.position
    let isInfo = decoded.type == .info
    var hasName = false
    var map = try reader.map()
    while let key = try reader.nextKey(&map) {
      if isInfo ? frame[key] == "name" : frame[key] == "error" {
        decoded.name = try reader.text()
        hasName = true
      } else if frame[key] == "message" {
        decoded.hasMessage = !reader.null()
        if decoded.hasMessage { decoded.message = try reader.text() }
      } else {
        try reader.skip(depth: 1)
      }
    }
    try end(reader)
    if isInfo {
      guard hasName else { throw DecodeError(.missingField, at: start) }
      decoded.outcome = .accept
    } else {
      decoded.outcome = .skip
      decoded.skipped = .errorFrame
    }
  }
}
