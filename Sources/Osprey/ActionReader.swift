import ATProto

/// Reads messages of the actions topic: the way back of `ActionWriter`, into the same `DecodedFrame` a frame gives, with one
/// operation. What the message does not hold stays empty: `rev` and `seq` of operations without `--with-position`, records that
/// were sent as null.
///
/// Owned by one thread and reused.
package final class ActionReader {
  /// What a message needs to be put in order, read without looking at the event itself.
  package struct Head: Equatable, Sendable {
    package var id: Int64
    /// Microseconds since 1970; 0 where `send_time` is no date.
    package var sentMicros: Int64

    package init(id: Int64, sentMicros: Int64) {
      self.id = id
      self.sentMicros = sentMicros
    }
  }

  /// What does not stand in `DecodedFrame`.
  package struct Imported: Sendable {
    package var id: Int64 = 0
    /// Slices of the bytes that `read` gave out.
    package var uri = Slice.none
    package var cid = Slice.none
  }

  private let records = RecordFromJSON()
  private let text = ByteWriter(capacity: 1024)
  private var name = Slice.none
  private var imported = Imported()

  package init() {}

  /// Action id and send time of a message in Osprey's envelope.
  package static func head(_ message: Bytes) throws(JSONError) -> Head {
    var head = Head(id: 0, sentMicros: 0)
    var reader = JSONReader(message)
    var isFirst = true
    try reader.beginObject()
    while let key = try reader.nextKey(&isFirst) {
      if message[key.slice] == "data" {
        var isFirstInner = true
        try reader.beginObject()
        while let key = try reader.nextKey(&isFirstInner) {
          if message[key.slice] == "action_id" { head.id = try reader.integer() } else { try reader.skip() }
        }
      } else if message[key.slice] == "send_time" {
        head.sentMicros = micros(message[try reader.string().slice]) ?? 0
      } else {
        try reader.skip()
      }
    }
    try reader.end()
    guard head.id > 0 else { throw JSONError(what: "no action in Osprey's envelope", offset: 0) }
    return head
  }

  /// Microseconds since 1970 of an RFC 3339 date with up to six digits of fraction.
  static func micros(_ text: Bytes) -> Int64? {
    guard let milliseconds = Timestamp.milliseconds(text) else { return nil }
    var rest: Int64 = 0
    var scale: Int64 = 100
    var at = 23
    while text.count > 23, text[19] == 0x2e, at < min(26, text.count), text[at] &- 0x30 < 10 {
      rest += Int64(text[at] - 0x30) * scale
      scale /= 10
      at += 1
    }
    return milliseconds * 1000 + rest
  }

  /// Reads `message` into `decoded`, whose slices are then offsets into the message followed by what is appended to `tail`.
  package func read(
    _ message: Bytes, into decoded: inout DecodedFrame, tail: ByteWriter
  ) throws(JSONError) -> Imported {
    decoded = DecodedFrame()
    imported = Imported()
    name = .none
    var reader = JSONReader(message)
    var isFirst = true
    var hasEvent = false
    try reader.beginObject()
    while let key = try reader.nextKey(&isFirst) {
      guard message[key.slice] == "data" else {
        try reader.skip()
        continue
      }
      var isFirstInner = true
      try reader.beginObject()
      while let key = try reader.nextKey(&isFirstInner) {
        let key = message[key.slice]
        if key == "action_id" {
          imported.id = try reader.integer()
        } else if key == "action_name" {
          name = try reader.string().slice
        } else if key == "data" {
          hasEvent = true
          try event(&reader, &decoded, tail)
        } else {
          try reader.skip()
        }
      }
    }
    try reader.end()
    guard hasEvent, imported.id > 0 else { throw JSONError(what: "no action in Osprey's envelope", offset: 0) }
    decoded.outcome = .accept
    decoded.timeMs = Timestamp.milliseconds(view(message, tail, decoded.time))
    if decoded.type == .other { decoded.type = .info }
    return imported
  }

  private func view(_ message: Bytes, _ tail: ByteWriter, _ slice: Slice) -> Bytes {
    if slice.isEmpty { return .empty }
    return slice.offset < message.count
      ? message[slice] : tail[Slice(offset: slice.offset - message.count, count: slice.count)]
  }

  /// The text at hand: where it stands in the message, or unescaped in the tail.
  private func text(_ reader: inout JSONReader, _ tail: ByteWriter) throws(JSONError) -> Slice {
    if try reader.isNull() { return .none }
    let found = try reader.string()
    guard found.hasEscapes else { return found.slice }
    let start = tail.count
    try reader.unescape(found, to: tail)
    return Slice(offset: reader.bytes.count + start, count: tail.count - start)
  }

  private func event(
    _ reader: inout JSONReader, _ decoded: inout DecodedFrame, _ tail: ByteWriter
  ) throws(JSONError) {
    var isFirst = true
    try reader.beginObject()
    while let key = try reader.nextKey(&isFirst) {
      let key = reader.bytes[key.slice]
      if key == "did" {
        decoded.did = try text(&reader, tail)
      } else if key == "timestamp" {
        decoded.time = try text(&reader, tail)
      } else if key == "operation" {
        decoded.type = .commit
        try operation(&reader, &decoded, tail)
      } else if key == "account" {
        decoded.type = .account
        try part(&reader, &decoded, tail)
      } else if key == "identity" {
        decoded.type = .identity
        try part(&reader, &decoded, tail)
      } else if key == "sync" {
        decoded.type = .sync
        try part(&reader, &decoded, tail)
      } else if key == "info" {
        decoded.type = .info
        try part(&reader, &decoded, tail)
      } else {
        try reader.skip()
      }
    }
  }

  private func operation(
    _ reader: inout JSONReader, _ decoded: inout DecodedFrame, _ tail: ByteWriter
  ) throws(JSONError) {
    var operation = Operation()
    var isFirst = true
    try reader.beginObject()
    while let key = try reader.nextKey(&isFirst) {
      let key = reader.bytes[key.slice]
      if key == "action" {
        let action = reader.bytes[try reader.string().slice]
        operation.kind = action == "update" ? .update : action == "delete" ? .delete : .create
      } else if key == "collection" {
        operation.collection = try text(&reader, tail)
      } else if key == "rkey" {
        operation.rkey = try text(&reader, tail)
      } else if key == "path" {
        operation.path = try text(&reader, tail)
      } else if key == "uri" {
        imported.uri = try text(&reader, tail)
      } else if key == "cid" {
        imported.cid = try text(&reader, tail)
      } else if key == "seq" {
        decoded.sequence = try reader.integer()
      } else if key == "rev" {
        decoded.rev = try text(&reader, tail)
      } else if key == "record_error" {
        operation.recordError = Reason(rawValue: reader.bytes[try reader.string().slice].string) ?? .notAMap
      } else if key == "record" {
        try record(&reader, &operation, tail)
      } else {
        try reader.skip()
      }
    }
    if !decoded.rev.isEmpty { decoded.revTID = Syntax.tid(view(reader.bytes, tail, decoded.rev)) ?? 0 }
    decoded.operations.append(operation)
  }

  private func record(
    _ reader: inout JSONReader, _ operation: inout Operation, _ tail: ByteWriter
  ) throws(JSONError) {
    if try reader.isNull() { return }
    let start = tail.count
    let from = reader.position
    try records.convert(&reader, to: tail)
    operation.json = Slice(offset: from, count: reader.position - from)
    operation.record = Slice(offset: reader.bytes.count + start, count: tail.count - start)
  }

  /// The members of account, identity, sync and info events.
  private func part(_ reader: inout JSONReader, _ decoded: inout DecodedFrame, _ tail: ByteWriter) throws(JSONError) {
    var isFirst = true
    try reader.beginObject()
    while let key = try reader.nextKey(&isFirst) {
      let key = reader.bytes[key.slice]
      if key == "seq" {
        decoded.sequence = try reader.integer()
      } else if key == "active" {
        decoded.isActive = try reader.bool()
      } else if key == "status" {
        decoded.status = try text(&reader, tail)
      } else if key == "handle" {
        decoded.handle = try text(&reader, tail)
      } else if key == "rev" {
        decoded.rev = try text(&reader, tail)
      } else if key == "name" {
        decoded.name = try text(&reader, tail)
      } else {
        try reader.skip()
      }
    }
  }
}
