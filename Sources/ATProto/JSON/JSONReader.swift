import Glibc

/// Text that is not the JSON it should be: what is wrong, and at which byte.
package struct JSONError: Error, Equatable, CustomStringConvertible {
  package var what: String
  package var offset: Int

  package init(what: String, offset: Int) {
    self.what = what
    self.offset = offset
  }

  package var description: String { "\(what) (at byte \(offset))" }
}

/// Reads JSON (RFC 8259) from front to back without building anything. The caller says what it expects next; bounded in depth,
/// linear in time. Texts come as slices between their quotes, escapes still in them.
package struct JSONReader {
  /// What begins at the current place.
  package enum Kind: Sendable { case object, array, string, number, yes, no, null }

  /// A text as it stands between its quotes.
  package struct Text: Equatable, Sendable {
    package var slice: Slice
    /// Whether there is a backslash in it, so that `unescape` is needed.
    package var hasEscapes: Bool
  }

  package let bytes: Bytes
  package private(set) var position: Int
  private var depth = 0

  package init(_ bytes: Bytes, at position: Int = 0) {
    self.bytes = bytes
    self.position = position
  }

  func error(_ what: String) -> JSONError { JSONError(what: what, offset: position) }

  @inline(__always)
  private mutating func skipBlanks() {
    while position < bytes.count {
      let byte = bytes.base[position]
      guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { return }
      position += 1
    }
  }

  /// The kind of the value at hand.
  package mutating func peek() throws(JSONError) -> Kind {
    skipBlanks()
    guard position < bytes.count else { throw error("the text ends where a value is expected") }
    switch bytes.base[position] {
    case 0x7b: return .object
    case 0x5b: return .array
    case 0x22: return .string
    case 0x74: return .yes
    case 0x66: return .no
    case 0x6e: return .null
    case 0x2d, 0x30...0x39: return .number
    default: throw error("no JSON value")
    }
  }

  @inline(__always)
  private mutating func take(_ byte: UInt8) -> Bool {
    skipBlanks()
    guard position < bytes.count, bytes.base[position] == byte else { return false }
    position += 1
    return true
  }

  // MARK: Containers

  /// Enters an object. Follow with `nextKey` until it is nil.
  package mutating func beginObject() throws(JSONError) {
    guard take(0x7b) else { throw error("an object is expected") }
    try enter()
  }

  /// Enters an array. Follow with `nextElement` until it is false.
  package mutating func beginArray() throws(JSONError) {
    guard take(0x5b) else { throw error("a list is expected") }
    try enter()
  }

  private mutating func enter() throws(JSONError) {
    depth += 1
    // Two more than a record may have: the envelope around it.
    guard depth <= Limits.depthMax + 8 else { throw error("nested too deep") }
  }

  /// The next key of the object, whose value is then at hand; nil at its end. `isFirst` is true before the first call.
  package mutating func nextKey(_ isFirst: inout Bool) throws(JSONError) -> Text? {
    if take(0x7d) {
      depth -= 1
      return nil
    }
    if !isFirst, !take(0x2c) { throw error("a comma or a closing brace is expected") }
    isFirst = false
    let key = try string()
    guard take(0x3a) else { throw error("a colon is expected") }
    return key
  }

  /// Whether one more element of the array is at hand.
  package mutating func nextElement(_ isFirst: inout Bool) throws(JSONError) -> Bool {
    if take(0x5d) {
      depth -= 1
      return false
    }
    if !isFirst, !take(0x2c) { throw error("a comma or a closing bracket is expected") }
    isFirst = false
    return true
  }

  /// Whether the object at hand has no further member; reads nothing.
  mutating func isAtEndOfObject() throws(JSONError) -> Bool {
    skipBlanks()
    return position < bytes.count && bytes.base[position] == 0x7d
  }

  // MARK: Values

  /// The text at hand.
  package mutating func string() throws(JSONError) -> Text {
    guard take(0x22) else { throw error("a text in quotes is expected") }
    let start = position
    var hasEscapes = false
    while position < bytes.count {
      let byte = bytes.base[position]
      if byte == 0x22 {
        position += 1
        return Text(slice: Slice(offset: start, count: position - 1 - start), hasEscapes: hasEscapes)
      }
      guard byte >= 0x20 else { throw error("a control character in a text") }
      if byte == 0x5c {
        hasEscapes = true
        position += 1
      }
      position += 1
    }
    position = bytes.count
    throw error("a text without end")
  }

  /// The number at hand, as it is written.
  package mutating func number() throws(JSONError) -> (slice: Slice, isInteger: Bool) {
    skipBlanks()
    let start = position
    var isInteger = true
    if position < bytes.count, bytes.base[position] == 0x2d { position += 1 }
    let whole = digits()
    guard whole > 0, whole == 1 || bytes.base[position - whole] != 0x30 else { throw error("no JSON number") }
    if position < bytes.count, bytes.base[position] == 0x2e {
      isInteger = false
      position += 1
      guard digits() > 0 else { throw error("no JSON number") }
    }
    if position < bytes.count, bytes.base[position] | 0x20 == 0x65 {
      isInteger = false
      position += 1
      if position < bytes.count, bytes.base[position] == 0x2b || bytes.base[position] == 0x2d { position += 1 }
      guard digits() > 0 else { throw error("no JSON number") }
    }
    return (Slice(offset: start, count: position - start), isInteger)
  }

  private mutating func digits() -> Int {
    let start = position
    while position < bytes.count, bytes.base[position] &- 0x30 < 10 { position += 1 }
    return position - start
  }

  /// The whole number at hand.
  package mutating func integer() throws(JSONError) -> Int64 {
    let (slice, isInteger) = try number()
    guard isInteger, let value = Self.integer(bytes[slice]) else {
      throw error("a whole number of 64 bits is expected")
    }
    return value
  }

  /// The value of a run of digits with an optional sign; nil where it has no room in 64 bits.
  package static func integer(_ text: Bytes) -> Int64? {
    var value: Int64 = 0
    let isNegative = text.count > 0 && text[0] == 0x2d
    for at in (isNegative ? 1 : 0)..<text.count {
      let (product, first) = value.multipliedReportingOverflow(by: 10)
      let digit = Int64(text[at] &- 0x30)
      let (sum, second) =
        isNegative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
      guard !first, !second else { return nil }
      value = sum
    }
    return value
  }

  /// `true` or `false` at hand.
  package mutating func bool() throws(JSONError) -> Bool {
    let isTrue = try peek() == .yes
    try word(isTrue ? "true" : "false")
    return isTrue
  }

  /// Passes over `null` if it is at hand.
  package mutating func isNull() throws(JSONError) -> Bool {
    guard try peek() == .null else { return false }
    try word("null")
    return true
  }

  private mutating func word(_ text: StaticString) throws(JSONError) {
    guard position + text.utf8CodeUnitCount <= bytes.count,
      memcmp(bytes.base + position, text.utf8Start, text.utf8CodeUnitCount) == 0
    else { throw error("no JSON value") }
    position += text.utf8CodeUnitCount
  }

  /// Passes over the value at hand and returns where it stood. Recursion ends at the depth limit.
  @discardableResult
  package mutating func skip() throws(JSONError) -> Slice {
    let kind = try peek()
    let start = position
    var isFirst = true
    switch kind {
    case .object:
      try beginObject()
      while try nextKey(&isFirst) != nil { try skip() }
    case .array:
      try beginArray()
      while try nextElement(&isFirst) { try skip() }
    case .string: _ = try string()
    case .number: _ = try number()
    case .yes, .no: _ = try bool()
    case .null: _ = try isNull()
    }
    return Slice(offset: start, count: position - start)
  }

  /// Nothing but blanks is left.
  package mutating func end() throws(JSONError) {
    skipBlanks()
    guard position == bytes.count else { throw error("something behind the end") }
  }

  // MARK: Text

  /// Appends a text without its escapes. A lone surrogate becomes U+FFFD, as Go reads it.
  package func unescape(_ text: Text, to out: ByteWriter) throws(JSONError) {
    guard text.hasEscapes else { return out.append(bytes[text.slice]) }
    var at = text.slice.offset
    while at < text.slice.end {
      let byte = bytes.base[at]
      guard byte == 0x5c else {
        out.append(byte)
        at += 1
        continue
      }
      guard at + 1 < text.slice.end else { throw JSONError(what: "an unknown escape", offset: at) }
      let kind = bytes.base[at + 1]
      at += 2
      switch kind {
      case 0x22, 0x5c, 0x2f: out.append(kind)
      case 0x62: out.append(0x08)
      case 0x66: out.append(0x0c)
      case 0x6e: out.append(0x0a)
      case 0x72: out.append(0x0d)
      case 0x74: out.append(0x09)
      case 0x75: try unescapeUnit(&at, text.slice.end, out)
      default: throw JSONError(what: "an unknown escape", offset: at - 2)
      }
    }
  }

  /// `\uXXXX` behind its `u`, with the second half of a pair where there is one.
  private func unescapeUnit(_ at: inout Int, _ end: Int, _ out: ByteWriter) throws(JSONError) {
    guard let first = hexUnit(at, end) else { throw JSONError(what: "an unknown escape", offset: at - 2) }
    at += 4
    var scalar = UInt32(first)
    if first & 0xfc00 == 0xd800, at + 6 <= end, bytes.base[at] == 0x5c, bytes.base[at + 1] == 0x75,
      let second = hexUnit(at + 2, end), second & 0xfc00 == 0xdc00
    {
      scalar = 0x10000 + (UInt32(first & 0x3ff) << 10 | UInt32(second & 0x3ff))
      at += 6
    }
    let valid = Unicode.Scalar(scalar) ?? "\u{fffd}"
    for unit in UTF8.encode(valid) ?? UTF8.encodedReplacementCharacter { out.append(unit) }
  }

  private func hexUnit(_ at: Int, _ end: Int) -> UInt16? {
    guard at + 4 <= end else { return nil }
    var value: UInt16 = 0
    for index in at..<at + 4 {
      let byte = bytes.base[index]
      let digit: UInt8
      if byte &- 0x30 < 10 {
        digit = byte - 0x30
      } else if (byte | 0x20) &- 0x61 < 6 {
        digit = (byte | 0x20) - 0x61 + 10
      } else {
        return nil
      }
      value = value << 4 | UInt16(digit)
    }
    return value
  }
}
