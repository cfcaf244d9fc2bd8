import Glibc

/// Writes a parsed record as JSON: maps sorted bytewise, blobs in the order at-kafka prints them, links as `$link`,
/// byte strings as `$bytes` (reference: Go `encoding/json` over indigo's `atdata`, protocol facts §3.1).
struct RecordJSON {
  /// A container being written: the rest of an array's tokens, or the rest of a map's sorted entries.
  private struct Open {
    var isMap: Bool
    /// Array: the next token. Map: the next place in `entries`.
    var next: Int
    /// Array: the token behind the last. Map: the place in `entries` behind the last.
    var end: Int
    /// Map: where its entries begin; they are dropped when it closes.
    var start: Int
  }

  private var open: [Open] = []

  init() { open.reserveCapacity(Limits.depthMax + 1) }

  /// Appends the record of `tape`, whose tokens point into `bytes`. Returns false where text was not UTF-8 (each bad byte
  /// is written as U+FFFD).
  mutating func write(_ tape: inout RecordTape, _ bytes: Bytes, to out: ByteWriter, escaping: JSONEscaping) -> Bool {
    open.removeAll(keepingCapacity: true)
    tape.entries.removeAll(keepingCapacity: true)
    var isValid = value(0, &tape, bytes, out, escaping)
    while let last = open.indices.last {
      let container = open[last]
      if container.next == container.end {
        out.append(container.isMap ? 0x7d : 0x5d)
        if container.isMap { tape.entries.removeLast(container.end - container.start) }
        open.removeLast()
        continue
      }
      if container.next > container.start { out.append(0x2c) }
      if container.isMap {
        let key = Int(tape.entries[container.next])
        open[last].next += 1
        if !out.append(jsonString: bytes[tape.tokens[key].slice], escaping: escaping) { isValid = false }
        out.append(0x3a)
        if !value(key + 1, &tape, bytes, out, escaping) { isValid = false }
      } else {
        open[last].next = Int(tape.tokens[container.next].next)
        if !value(container.next, &tape, bytes, out, escaping) { isValid = false }
      }
    }
    return isValid
  }

  /// A scalar in full, or the opening of a container.
  @inline(__always)
  private mutating func value(
    _ index: Int, _ tape: inout RecordTape, _ bytes: Bytes, _ out: ByteWriter, _ escaping: JSONEscaping
  ) -> Bool {
    let token = tape.tokens[index]
    switch token.kind {
    case .text: return out.append(jsonString: bytes[token.slice], escaping: escaping)
    case .unsigned: out.append(decimal: Int64(token.value))
    case .negative: out.append(decimal: -1 - Int64(token.value))
    case .null: out.append("null")
    case .yes: out.append("true")
    case .no: out.append("false")
    case .double: appendGoFloat(Double(bitPattern: token.value), to: out)
    case .link: appendLink(bytes[token.slice], to: out)
    case .bytes: appendBytesJSON(bytes[token.slice], to: out)
    case .array:
      out.append(0x5b)
      open.append(Open(isMap: false, next: index + 1, end: Int(token.next), start: index + 1))
    case .map:
      return openMap(index, &tape, bytes, out, escaping)
    }
    return true
  }

  private mutating func openMap(
    _ index: Int, _ tape: inout RecordTape, _ bytes: Bytes, _ out: ByteWriter, _ escaping: JSONEscaping
  ) -> Bool {
    let start = tape.entries.count
    var at = index + 1
    let behind = Int(tape.tokens[index].next)
    while at < behind {
      tape.entries.append(UInt32(at))
      at = Int(tape.tokens[at + 1].next)
    }
    let end = tape.entries.count
    if end - start == 4, let blob = Blob(tape, bytes, start) {
      tape.entries.removeLast(4)
      return blob.write(tape, bytes, out, escaping)
    }
    sortEntries(&tape, bytes, start)
    out.append(0x7b)
    open.append(Open(isMap: true, next: start, end: end, start: start))
    return true
  }

  /// Sorts the entries from `start` by key, bytewise. Records have few keys and they come nearly sorted.
  private func sortEntries(_ tape: inout RecordTape, _ bytes: Bytes, _ start: Int) {
    let end = tape.entries.count
    if end - start > 32 {
      let tokens = tape.tokens
      tape.entries[start...].sort { bytes[tokens[Int($0)].slice] < bytes[tokens[Int($1)].slice] }
      return
    }
    var index = start + 1
    while index < end {
      let entry = tape.entries[index]
      let key = bytes[tape.tokens[Int(entry)].slice]
      var place = index
      while place > start, key < bytes[tape.tokens[Int(tape.entries[place - 1])].slice] {
        tape.entries[place] = tape.entries[place - 1]
        place -= 1
      }
      tape.entries[place] = entry
      index += 1
    }
  }
}

/// A map with exactly the four fields of a blob, which Go prints as a struct and not as a sorted map.
private struct Blob {
  var ref = 0
  var mimeType = 0
  var size = 0

  /// nil where the four entries from `start` are not a blob's.
  init?(_ tape: RecordTape, _ bytes: Bytes, _ start: Int) {
    var isBlob = false
    for entry in tape.entries[start..<start + 4] {
      let value = Int(entry) + 1
      let token = tape.tokens[value]
      let key = bytes[tape.tokens[Int(entry)].slice]
      if key == "$type" {
        isBlob = token.kind == .text && bytes[token.slice] == "blob"
      } else if key == "ref" {
        ref = value
      } else if key == "mimeType" {
        mimeType = token.kind == .text ? value : 0
      } else if key == "size" {
        size = token.kind == .unsigned || token.kind == .negative ? value : 0
      }
    }
    guard isBlob, ref != 0, mimeType != 0, size != 0, Blob.link(ref, tape, bytes) != nil else { return nil }
  }

  /// The token that names the linked CID: a link, or the text of `{"$link": text}`.
  private static func link(_ ref: Int, _ tape: RecordTape, _ bytes: Bytes) -> RecordToken? {
    let token = tape.tokens[ref]
    if token.kind == .link { return token }
    guard token.kind == .map, token.value == 1, bytes[tape.tokens[ref + 1].slice] == "$link" else { return nil }
    return tape.tokens[ref + 2].kind == .text ? tape.tokens[ref + 2] : nil
  }

  func write(_ tape: RecordTape, _ bytes: Bytes, _ out: ByteWriter, _ escaping: JSONEscaping) -> Bool {
    guard let link = Blob.link(ref, tape, bytes) else { return true }
    let isLegacy = tape.tokens[size].kind == .negative
    var isValid = true
    if isLegacy {
      out.append("{\"cid\":")
    } else {
      out.append("{\"$type\":\"blob\",\"ref\":{\"$link\":")
    }
    if link.kind == .text {
      isValid = out.append(jsonString: bytes[link.slice], escaping: escaping)
    } else {
      out.append(0x22)
      CID.appendText(bytes[link.slice], to: out)
      out.append(0x22)
    }
    if isLegacy {
      out.append(",\"mimeType\":")
    } else {
      out.append("},\"mimeType\":")
    }
    if !out.append(jsonString: bytes[tape.tokens[mimeType].slice], escaping: escaping) { isValid = false }
    if !isLegacy {
      out.append(",\"size\":")
      out.append(decimal: Int64(tape.tokens[size].value))
    }
    out.append(0x7d)
    return isValid
  }
}

/// `{"$link":"…"}`.
private func appendLink(_ cid: Bytes, to out: ByteWriter) {
  out.append("{\"$link\":\"")
  CID.appendText(cid, to: out)
  out.append("\"}")
}

private let base64Alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

/// `{"$bytes":"…"}`, standard base64 without padding.
func appendBytesJSON(_ bytes: Bytes, to out: ByteWriter) {
  out.append("{\"$bytes\":\"")
  appendBase64(bytes, padded: false, to: out)
  out.append("\"}")
}

/// RFC 4648 base64 with the standard alphabet.
package func appendBase64(_ bytes: Bytes, padded: Bool, to out: ByteWriter) {
  let alphabet = base64Alphabet.utf8Start
  let to = out.reserve(bytes.count / 3 * 4 + 4)
  var written = 0
  var at = 0
  while at < bytes.count {
    let left = bytes.count - at
    let group =
      UInt32(bytes.base[at]) << 16 | (left > 1 ? UInt32(bytes.base[at + 1]) << 8 : 0)
      | (left > 2 ? UInt32(bytes.base[at + 2]) : 0)
    let digits = min(left, 3) + 1
    for index in 0..<4 {
      if index < digits {
        to[written] = alphabet[Int(group >> UInt32(18 - 6 * index) & 63)]
        written += 1
      } else if padded {
        to[written] = 0x3d
        written += 1
      }
    }
    at += 3
  }
  out.advance(written)
}

/// A finite number as Go's `encoding/json` prints it: shortest digits, exponent form below 1e-6 and from 1e21 on, integral
/// values without fraction, −0 as 0. Floats are rare in records, so this may allocate.
package func appendGoFloat(_ value: Double, to out: ByteWriter) {
  if value == 0 { return out.append(0x30) }
  if value == value.rounded(), value.magnitude < 0x1p53 { return out.append(decimal: Int64(value)) }
  // Swift's description has the shortest digits that read back as the same value; only their layout differs from Go's.
  var digits: [UInt8] = []
  var exponent = 0
  var pointAt: Int?
  var text = value.magnitude.description
  text.withUTF8 { buffer in
    var index = 0
    while index < buffer.count, buffer[index] != 0x65 {
      if buffer[index] == 0x2e { pointAt = digits.count } else { digits.append(buffer[index]) }
      index += 1
    }
    if index < buffer.count { exponent = Int(String(decoding: buffer[(index + 1)...], as: UTF8.self)) ?? 0 }
  }
  // value = 0.d1d2d3… × 10^scale
  var scale = (pointAt ?? digits.count) + exponent
  while digits.count > 1, digits.first == 0x30 {
    digits.removeFirst()
    scale -= 1
  }
  while digits.count > 1, digits.last == 0x30 { digits.removeLast() }
  if value < 0 { out.append(0x2d) }
  if value.magnitude < 1e-6 || value.magnitude >= 1e21 {
    out.append(digits[0])
    if digits.count > 1 { out.append(0x2e) }
    for digit in digits.dropFirst() { out.append(digit) }
    let power = scale - 1
    out.append(power < 0 ? "e-" : "e+")
    out.append(decimal: Int(power.magnitude), width: width(power))
  } else if scale <= 0 {
    out.append("0.")
    for _ in 0..<(-scale) { out.append(0x30) }
    for digit in digits { out.append(digit) }
  } else {
    for index in 0..<max(scale, digits.count) {
      if index == scale { out.append(0x2e) }
      out.append(index < digits.count ? digits[index] : 0x30)
    }
  }
}

/// Digits of an exponent: Go prints at least two, and cuts `e-09` to `e-9` (encoding/json, floatEncoder).
private func width(_ power: Int) -> Int {
  let magnitude = power.magnitude
  if magnitude >= 100 { return 3 }
  return magnitude < 10 && power < 0 ? 1 : 2
}
