import ATProto

/// One line of a directory: its JSON taken apart without making a tree of it. Reused from line to line.
final class AccountLine {
  let did = ByteWriter(capacity: 64)
  let handle = ByteWriter(capacity: 256)
  /// The server as the line writes it, an address or a host.
  let server = ByteWriter(capacity: 256)
  private(set) var createdAtMs: Int64?
  private(set) var followers: Int64?
  private(set) var follows: Int64?
  private(set) var posts: Int64?
  /// DAG-CBOR of the profile; empty where there is none.
  private(set) var profile: [UInt8] = []
  private let key = ByteWriter(capacity: 64)
  private let scratch = ByteWriter(capacity: 256)

  /// Takes a line apart; nil, or what is wrong with it.
  func parse(_ line: Bytes) -> String? {
    did.removeAll()
    handle.removeAll()
    server.removeAll()
    createdAtMs = nil
    followers = nil
    follows = nil
    posts = nil
    profile = []
    var json = JSONScanner(line)
    do throws(JSONProblem) {
      try json.object(key: key) { name, json throws(JSONProblem) in try member(name.bytes, &json) }
      try json.end()
    } catch {
      return error.what
    }
    guard did.count > 4, did.bytes[Slice(offset: 0, count: 4)] == "did:" else {
      return "there is no \"did\" that is a DID"
    }
    return nil
  }

  private func member(_ name: Bytes, _ json: inout JSONScanner) throws(JSONProblem) {
    if json.skipsNull() { return }
    if name == "did" {
      try json.string(into: did)
      if did.count > 2048 { throw JSONProblem("\"did\" is longer than 2048 bytes") }
    } else if name == "handle" {
      try json.string(into: handle)
      if handle.count > 253 { throw JSONProblem("\"handle\" is longer than 253 bytes") }
    } else if name == "created_at" {
      try json.string(into: scratch)
      guard let time = Timestamp.milliseconds(scratch.bytes) else { throw JSONProblem("\"created_at\" is not a time") }
      createdAtMs = time
    } else if name == "pds" {
      try json.string(into: server)
      if server.count > 512 { throw JSONProblem("\"pds\" is longer than 512 bytes") }
    } else if name == "followers" {
      followers = try json.count("followers")
    } else if name == "follows" {
      follows = try json.count("follows")
    } else if name == "posts" {
      posts = try json.count("posts")
    } else if name == "profile" {
      guard json.isObject else { throw JSONProblem("\"profile\" is not an object") }
      profile = try json.cbor(depth: 0)
      if profile.count > RuleLimits.directoryProfileBytesMax {
        throw JSONProblem("\"profile\" is longer than \(RuleLimits.directoryProfileBytesMax) bytes")
      }
    } else {
      try json.skip(depth: 0)
    }
  }
}

/// Why a text is not the JSON that is wanted.
struct JSONProblem: Error {
  var what: String
  init(_ what: String) { self.what = what }
}

/// Reads JSON (RFC 8259) from front to end.
struct JSONScanner {
  private static let depthMax = 8
  private let text: Bytes
  private var at = 0

  init(_ text: Bytes) { self.text = text }

  private mutating func blanks() {
    while at < text.count, text[at] == 0x20 || text[at] == 0x09 || text[at] == 0x0d || text[at] == 0x0a { at += 1 }
  }

  /// The next byte that is no blank, 0 at the end.
  private mutating func peek() -> UInt8 {
    blanks()
    return at < text.count ? text[at] : 0
  }

  private func problem(_ what: String) -> JSONProblem { JSONProblem("\(what) at byte \(at + 1)") }

  private mutating func expect(_ byte: UInt8) throws(JSONProblem) {
    guard peek() == byte else { throw problem("'\(Character(Unicode.Scalar(byte)))' is missing") }
    at += 1
  }

  var isObject: Bool {
    mutating get { peek() == UInt8(ascii: "{") }
  }

  mutating func end() throws(JSONProblem) {
    blanks()
    if at < text.count { throw problem("something follows the object") }
  }

  /// Passes `null`; false where something else stands there.
  mutating func skipsNull() -> Bool { word("null") }

  private mutating func word(_ word: StaticString) -> Bool {
    guard peek() == word.utf8Start[0], text.count - at >= word.utf8CodeUnitCount,
      text[Slice(offset: at, count: word.utf8CodeUnitCount)] == word
    else { return false }
    at += word.utf8CodeUnitCount
    return true
  }

  /// Reads an object; `member` reads each value. The name is in `key` until the next one.
  mutating func object(
    key: ByteWriter, _ member: (ByteWriter, inout JSONScanner) throws(JSONProblem) -> Void
  ) throws(JSONProblem) {
    try expect(UInt8(ascii: "{"))
    if peek() == UInt8(ascii: "}") {
      at += 1
      return
    }
    while true {
      try string(into: key)
      try expect(UInt8(ascii: ":"))
      try member(key, &self)
      if peek() == UInt8(ascii: ",") {
        at += 1
      } else {
        return try expect(UInt8(ascii: "}"))
      }
    }
  }

  /// Reads an array; `element` reads each value.
  private mutating func array(
    _ element: (inout JSONScanner) throws(JSONProblem) -> Void
  ) throws(JSONProblem) {
    try expect(UInt8(ascii: "["))
    if peek() == UInt8(ascii: "]") {
      at += 1
      return
    }
    while true {
      try element(&self)
      if peek() == UInt8(ascii: ",") {
        at += 1
      } else {
        return try expect(UInt8(ascii: "]"))
      }
    }
  }

  /// Reads a string; its content replaces that of `out`.
  mutating func string(into out: ByteWriter) throws(JSONProblem) {
    out.removeAll()
    try expect(UInt8(ascii: "\""))
    var all: UInt8 = 0
    while true {
      let start = at
      while at < text.count, text[at] != UInt8(ascii: "\""), text[at] != UInt8(ascii: "\\"), text[at] >= 0x20 {
        all |= text[at]
        at += 1
      }
      out.append(text[Slice(offset: start, count: at - start)])
      guard at < text.count else { throw problem("a text does not end") }
      guard text[at] >= 0x20 else { throw problem("a text has a control character") }
      at += 1
      if text[at - 1] == UInt8(ascii: "\"") { break }
      try escape(into: out)
    }
    guard all >= 0x80 else { return }
    let buffer = UnsafeBufferPointer(start: out.bytes.base, count: out.count)
    if String(validating: buffer, as: UTF8.self) == nil { throw problem("a text is not UTF-8") }
  }

  private mutating func escape(into out: ByteWriter) throws(JSONProblem) {
    guard at < text.count else { throw problem("a text does not end") }
    at += 1
    switch text[at - 1] {
    case UInt8(ascii: "n"): out.append(0x0a)
    case UInt8(ascii: "t"): out.append(0x09)
    case UInt8(ascii: "r"): out.append(0x0d)
    case UInt8(ascii: "b"): out.append(0x08)
    case UInt8(ascii: "f"): out.append(0x0c)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(text[at - 1])
    case UInt8(ascii: "u"):
      var unit = try unit()
      if unit & 0xfc00 == 0xd800, at + 1 < text.count, text[at] == UInt8(ascii: "\\"), text[at + 1] == UInt8(ascii: "u")
      {
        at += 2
        unit = (unit & 0x3ff) << 10 + 0x10000 + (try self.unit() & 0x3ff)
      }
      // Half a pair stands for nothing.
      out.append(String(Character(Unicode.Scalar(unit) ?? "\u{fffd}")))
    default: throw problem("a text has an escape that does not exist")
    }
  }

  private mutating func unit() throws(JSONProblem) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard at < text.count, let digit = Character(Unicode.Scalar(text[at])).hexDigitValue else {
        throw problem("\\u needs four digits")
      }
      value = value << 4 | UInt32(digit)
      at += 1
    }
    return value
  }

  /// A number as it is written.
  private mutating func number() throws(JSONProblem) -> Substring {
    blanks()
    let start = at
    while at < text.count, "+-.eE0123456789".utf8.contains(text[at]) { at += 1 }
    let digits = text[Slice(offset: start, count: at - start)].string
    guard Double(digits)?.isFinite == true, digits.first != "+", digits.first != ".", digits.last != "." else {
      throw problem("a value is missing or is none")
    }
    return digits[...]
  }

  /// A whole number from 0 on.
  mutating func count(_ name: StaticString) throws(JSONProblem) -> Int64 {
    blanks()
    var value: Int64 = 0
    let start = at
    while at < text.count, text[at] &- 0x30 < 10, value < 1 << 56 {
      value = value * 10 + Int64(text[at] - 0x30)
      at += 1
    }
    let isWhole = peek() == UInt8(ascii: ",") || peek() == UInt8(ascii: "}")
    guard at > start, isWhole else { throw JSONProblem("\"\(name)\" is not a whole number from 0 on") }
    return value
  }

  /// Passes any value.
  mutating func skip(depth: Int) throws(JSONProblem) {
    guard depth < Self.depthMax else { throw problem("it is nested deeper than \(Self.depthMax)") }
    switch peek() {
    case UInt8(ascii: "{"):
      try object(key: ByteWriter(capacity: 16)) { _, json throws(JSONProblem) in try json.skip(depth: depth + 1) }
    case UInt8(ascii: "["): try array { json throws(JSONProblem) in try json.skip(depth: depth + 1) }
    case UInt8(ascii: "\""): try string(into: ByteWriter(capacity: 16))
    default: if !word("null"), !word("true"), !word("false") { _ = try number() }
    }
  }

  /// Any value as DAG-CBOR.
  mutating func cbor(depth: Int) throws(JSONProblem) -> [UInt8] {
    guard depth < Self.depthMax else { throw problem("it is nested deeper than \(Self.depthMax)") }
    var out = CBORWriter()
    switch peek() {
    case UInt8(ascii: "{"):
      var entries: [(String, [UInt8])] = []
      try object(key: ByteWriter(capacity: 16)) { key, json throws(JSONProblem) in
        entries.append((key.bytes.string, try json.cbor(depth: depth + 1)))
      }
      out.sortedMap { map in
        for (key, value) in entries { map.entry(key) { $0.raw(value) } }
      }
    case UInt8(ascii: "["):
      var elements: [[UInt8]] = []
      try array { json throws(JSONProblem) in elements.append(try json.cbor(depth: depth + 1)) }
      out.array(elements.count)
      for element in elements { out.raw(element) }
    case UInt8(ascii: "\""):
      let text = ByteWriter(capacity: 32)
      try string(into: text)
      out.text(text.bytes.string)
    default:
      if word("null") {
        out.null()
      } else if word("true") {
        out.bool(true)
      } else if word("false") {
        out.bool(false)
      } else {
        let digits = try number()
        if let whole = Int64(digits) { out.int(whole) } else { out.double(Double(digits) ?? 0) }
      }
    }
    return out.bytes
  }
}
