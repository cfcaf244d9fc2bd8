import Glibc

/// Turns a record's JSON (atproto data model: `$link`, `$bytes`) back into DAG-CBOR, for sources that speak JSON: rules read
/// DAG-CBOR only. Whole numbers become integers, `$link` a link, `$bytes` a byte string; maps are sorted as DAG-CBOR wants them.
///
/// Owned by one thread and reused.
package final class RecordFromJSON {
  /// One entry of a map, as offsets into `out`.
  private struct Entry {
    var start: Int
    var keyStart: Int
    var keyEnd: Int
    var end: Int
  }

  private let text = ByteWriter(capacity: 4096)
  private let sorted = ByteWriter(capacity: 4096)
  private var entries: [Entry] = []

  package init() {}

  /// Appends the value at hand as DAG-CBOR. A record is one map; anything else is refused. Throws where the JSON is broken or
  /// says what DAG-CBOR cannot; what was appended then has to be cut off again.
  package func convert(_ reader: inout JSONReader, to out: ByteWriter) throws(JSONError) {
    guard try reader.peek() == .object else { throw reader.error("a record is an object") }
    entries.removeAll(keepingCapacity: true)
    try value(&reader, out, depth: 1)
  }

  private func value(_ reader: inout JSONReader, _ out: ByteWriter, depth: Int) throws(JSONError) {
    guard depth <= Limits.depthMax else { throw reader.error("nested too deep") }
    switch try reader.peek() {
    case .object: try object(&reader, out, depth: depth)
    case .array:
      let start = out.count
      var count = 0
      var isFirst = true
      try reader.beginArray()
      while try reader.nextElement(&isFirst) {
        try value(&reader, out, depth: depth + 1)
        count += 1
      }
      insertHead(4, count, at: start, out)
    case .string: try string(&reader, out)
    case .number: try number(&reader, out)
    case .yes, .no: out.append(try reader.bool() ? 0xf5 : 0xf4)
    case .null:
      _ = try reader.isNull()
      out.append(0xf6)
    }
  }

  private func string(_ reader: inout JSONReader, _ out: ByteWriter) throws(JSONError) {
    let found = try reader.string()
    text.removeAll()
    try reader.unescape(found, to: text)
    head(3, UInt64(text.count), out)
    out.append(text.bytes)
  }

  private func number(_ reader: inout JSONReader, _ out: ByteWriter) throws(JSONError) {
    let (slice, isInteger) = try reader.number()
    let digits = reader.bytes[slice]
    if isInteger {
      guard let value = JSONReader.integer(digits) else { throw reader.error("a whole number outside 64 bits") }
      if value >= 0 { head(0, UInt64(value), out) } else { head(1, ~UInt64(bitPattern: value), out) }
      return
    }
    guard let value = Double(digits.string), value.isFinite else { throw reader.error("a number without a value") }
    out.append(0xfb)
    bigEndian(value.bitPattern, 8, out)
  }

  // MARK: Maps

  private func object(_ reader: inout JSONReader, _ out: ByteWriter, depth: Int) throws(JSONError) {
    let start = out.count
    let first = entries.count
    var isFirst = true
    try reader.beginObject()
    while let key = try reader.nextKey(&isFirst) {
      if out.count == start, !key.hasEscapes, try special(key, &reader, out) { return }
      let entry = out.count
      text.removeAll()
      try reader.unescape(key, to: text)
      let length = text.count
      head(3, UInt64(length), out)
      out.append(text.bytes)
      let keyEnd = out.count
      try value(&reader, out, depth: depth + 1)
      entries.append(Entry(start: entry, keyStart: keyEnd - length, keyEnd: keyEnd, end: out.count))
    }
    try arrange(first, start, reader, out)
    entries.removeLast(entries.count - first)
  }

  /// Sorts the entries from `first`, which stand in `out` from `start`, and puts the head before them.
  private func arrange(_ first: Int, _ start: Int, _ reader: JSONReader, _ out: ByteWriter) throws(JSONError) {
    func key(_ entry: Entry) -> Bytes { out[Slice(offset: entry.keyStart, count: entry.keyEnd - entry.keyStart)] }
    func precedes(_ one: Entry, _ other: Entry) -> Bool {
      let (left, right) = (key(one), key(other))
      return left.count == right.count ? left < right : left.count < right.count
    }
    entries[first...].sort(by: precedes)
    for index in entries.indices.dropFirst(first + 1) where !precedes(entries[index - 1], entries[index]) {
      throw reader.error("the same key twice")
    }
    sorted.removeAll()
    for entry in entries[first...] { sorted.append(out[Slice(offset: entry.start, count: entry.end - entry.start)]) }
    out.truncate(to: start)
    head(5, UInt64(entries.count - first), out)
    out.append(sorted.bytes)
  }

  /// `{"$link":"…"}` and `{"$bytes":"…"}`: one member whose value is text. False where it is an ordinary map; nothing is read
  /// then.
  private func special(_ key: JSONReader.Text, _ reader: inout JSONReader, _ out: ByteWriter) throws(JSONError) -> Bool
  {
    let isLink = reader.bytes[key.slice] == "$link"
    guard isLink || reader.bytes[key.slice] == "$bytes", try reader.peek() == .string else { return false }
    var ahead = reader
    let found = try ahead.string()
    var isFirst = false
    guard !found.hasEscapes, try ahead.isAtEndOfObject(), try ahead.nextKey(&isFirst) == nil else { return false }
    let content = ahead.bytes[found.slice]
    text.removeAll()
    if isLink {
      guard content.count > 1, content[0] == 0x62,
        appendBase32Decoded(Bytes(base: content.base + 1, count: content.count - 1), to: text),
        CID.isWellFormed(text.bytes)
      else { return false }
      out.append(0xd8)
      out.append(0x2a)
      head(2, UInt64(text.count + 1), out)
      out.append(0)
    } else {
      guard appendBase64Decoded(content, to: text) else { return false }
      head(2, UInt64(text.count), out)
    }
    out.append(text.bytes)
    reader = ahead
    return true
  }

  // MARK: Heads

  private func insertHead(_ major: UInt8, _ count: Int, at start: Int, _ out: ByteWriter) {
    sorted.removeAll()
    sorted.append(out[Slice(offset: start, count: out.count - start)])
    out.truncate(to: start)
    head(major, UInt64(count), out)
    out.append(sorted.bytes)
  }

  private func head(_ major: UInt8, _ value: UInt64, _ out: ByteWriter) {
    let kind = major << 5
    switch value {
    case 0..<24: out.append(kind | UInt8(value))
    case 24..<0x100:
      out.append(kind | 24)
      bigEndian(value, 1, out)
    case 0x100..<0x1_0000:
      out.append(kind | 25)
      bigEndian(value, 2, out)
    case 0x1_0000..<0x1_0000_0000:
      out.append(kind | 26)
      bigEndian(value, 4, out)
    default:
      out.append(kind | 27)
      bigEndian(value, 8, out)
    }
  }

  private func bigEndian(_ value: UInt64, _ count: Int, _ out: ByteWriter) {
    for index in 0..<count { out.append(UInt8(truncatingIfNeeded: value >> UInt64((count - 1 - index) * 8))) }
  }
}

/// RFC 4648 base32, lower case, without padding; false where `text` is none.
func appendBase32Decoded(_ text: Bytes, to out: ByteWriter) -> Bool {
  var pending: UInt64 = 0
  var bits = 0
  for index in 0..<text.count {
    let byte = text[index]
    let digit: UInt8
    if byte &- 0x61 < 26 {
      digit = byte - 0x61
    } else if byte &- 0x32 < 6 {
      digit = byte - 0x32 + 26
    } else {
      return false
    }
    pending = pending << 5 | UInt64(digit)
    bits += 5
    if bits >= 8 {
      bits -= 8
      out.append(UInt8(truncatingIfNeeded: pending >> UInt64(bits)))
    }
  }
  return bits < 5 && pending & ((1 << UInt64(bits)) - 1) == 0
}

/// RFC 4648 base64 with the standard alphabet, padded or not; false where `text` is none.
func appendBase64Decoded(_ text: Bytes, to out: ByteWriter) -> Bool {
  var count = text.count
  while count > 0, text.count - count < 2, text[count - 1] == 0x3d { count -= 1 }
  var pending: UInt32 = 0
  var bits = 0
  for index in 0..<count {
    let byte = text[index]
    let digit: UInt8
    switch byte {
    case 0x41...0x5a: digit = byte - 0x41
    case 0x61...0x7a: digit = byte - 0x61 + 26
    case 0x30...0x39: digit = byte - 0x30 + 52
    case 0x2b: digit = 62
    case 0x2f: digit = 63
    default: return false
    }
    pending = pending << 6 | UInt32(digit)
    bits += 6
    if bits >= 8 {
      bits -= 8
      out.append(UInt8(truncatingIfNeeded: pending >> UInt32(bits)))
    }
  }
  return bits < 6 && pending & ((1 << UInt32(bits)) - 1) == 0
}
