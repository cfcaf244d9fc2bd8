/// The kinds of DAG-CBOR items (RFC 8949 major types; DRISL allows tag 42 and three simple values only).
package enum CBORKind: UInt8, Sendable {
  case unsigned = 0
  case negative = 1
  case bytes = 2
  case text = 3
  case array = 4
  case map = 5
  case link = 6
  case simple = 7
}

/// First bytes of an item: major type and argument.
struct CBORHead {
  /// Major type, 0…7.
  var major: UInt8
  /// Additional information, 0…27.
  var info: UInt8
  /// The argument: value, length, count, tag number or float bits.
  var value: UInt64
}

/// Walks DAG-CBOR forward, checking as it goes. Values are returned as positions in the input; nothing is copied.
///
/// Errors carry the offset relative to the start of the bytes given. Deviations that are tolerated (RFC 8949 §4.2 order,
/// preferred serialisation) are noted in `defects`.
package struct CBORReader {
  let base: UnsafePointer<UInt8>
  package var position: Int
  let end: Int
  package var defects: Defects = []

  package init(_ bytes: Bytes) {
    base = bytes.base
    position = 0
    end = bytes.count
  }

  /// Reads inside `slice` of `bytes`; offsets stay relative to `bytes`.
  package init(_ bytes: Bytes, in slice: Slice) {
    precondition(slice.end <= bytes.count)
    base = bytes.base
    position = slice.offset
    end = slice.end
  }

  package var isAtEnd: Bool { position == end }

  @inline(__always)
  mutating func head() throws(DecodeError) -> CBORHead {
    guard position < end else { throw DecodeError(.truncated, at: position) }
    let first = base[position]
    let info = first & 0x1f
    if info < 24 {
      position += 1
      return CBORHead(major: first >> 5, info: info, value: UInt64(info))
    }
    if info == 24, first >> 5 != 7, end - position > 1, base[position + 1] >= 24 {
      position += 2
      return CBORHead(major: first >> 5, info: info, value: UInt64(base[position - 1]))
    }
    return try longHead(first)
  }

  @inline(never)
  private mutating func longHead(_ first: UInt8) throws(DecodeError) -> CBORHead {
    let info = first & 0x1f
    guard info < 28 else { throw DecodeError(info == 31 ? .indefiniteLength : .reservedHead, at: position) }
    let size = 1 << Int(info - 24)
    guard end - position > size else { throw DecodeError(.truncated, at: position) }
    var value: UInt64 = 0
    for index in 1...size { value = value << 8 | UInt64(base[position + index]) }
    let major = first >> 5
    if major == 7 {
      // The argument of major type 7 is a float or a two-byte simple value; "minimal" has no meaning there.
    } else if size == 1 ? value < 24 : value >> UInt64(size * 4) == 0 {
      defects.insert(.nonminimalHead)
    }
    position += 1 + size
    return CBORHead(major: major, info: info, value: value)
  }

  /// Checks that a string of `head` fits and steps over it.
  @inline(__always)
  mutating func body(_ head: CBORHead) throws(DecodeError) -> Slice {
    guard head.value <= UInt64(end - position) else { throw DecodeError(.truncated, at: position) }
    let slice = Slice(offset: position, count: Int(head.value))
    position += slice.count
    return slice
  }

  @inline(__always)
  func bytes(_ slice: Slice) -> Bytes { Bytes(base: base + slice.offset, count: slice.count) }

  // MARK: Typed values; the wrong type is `bad_field`.

  /// The error for an item of the wrong type: `bad_field`, unless the item is no DAG-CBOR at all.
  @inline(never)
  private mutating func wrongType(at start: Int) -> DecodeError {
    position = start
    do throws(DecodeError) {
      try skip(depth: 1)
    } catch {
      return error
    }
    return DecodeError(.badField, at: start)
  }

  /// The number of entries of a map that starts here.
  package mutating func mapCount() throws(DecodeError) -> Int { try containerCount(5) }

  /// The number of elements of an array that starts here.
  package mutating func arrayCount() throws(DecodeError) -> Int { try containerCount(4) }

  @inline(__always)
  private mutating func containerCount(_ major: UInt8) throws(DecodeError) -> Int {
    let start = position
    let head = try head()
    guard head.major == major else { throw wrongType(at: start) }
    // Every element takes at least one byte, every entry two: a larger count cannot be honest.
    guard head.value <= UInt64((end - position) >> (major == 5 ? 1 : 0)) else {
      throw DecodeError(.truncated, at: start)
    }
    return Int(head.value)
  }

  /// Text that is UTF-8.
  package mutating func text() throws(DecodeError) -> Slice {
    let start = position
    let head = try head()
    guard head.major == 3 else { throw wrongType(at: start) }
    let slice = try body(head)
    guard bytes(slice).isUTF8 else { throw DecodeError(.badUTF8, at: start) }
    return slice
  }

  package mutating func byteString() throws(DecodeError) -> Slice {
    let start = position
    let head = try head()
    guard head.major == 2 else { throw wrongType(at: start) }
    return try body(head)
  }

  /// An integer in the range of Int64.
  package mutating func integer() throws(DecodeError) -> Int64 {
    let start = position
    let head = try head()
    guard head.major <= 1, head.value <= UInt64(Int64.max) else { throw wrongType(at: start) }
    return head.major == 0 ? Int64(head.value) : -1 - Int64(head.value)
  }

  package mutating func bool() throws(DecodeError) -> Bool {
    let start = position
    let head = try head()
    guard head.major == 7, head.info == 20 || head.info == 21 else { throw wrongType(at: start) }
    return head.info == 21
  }

  /// Steps over `null` if it is here.
  @inline(__always)
  package mutating func null() -> Bool {
    guard position < end, base[position] == 0xf6 else { return false }
    position += 1
    return true
  }

  /// The 36 bytes of a CID of the form atproto blesses (CIDv1, dag-cbor or raw, SHA-256); any other is `bad_cid`.
  package mutating func blessedLink() throws(DecodeError) -> Slice {
    let start = position
    let head = try head()
    guard head.major == 6 else { throw wrongType(at: start) }
    let slice = try linkBody(head, at: start)
    guard CID.isBlessed(bytes(slice)) else { throw DecodeError(.badCID, at: start) }
    return slice
  }

  /// The binary CID inside tag 42, without the 0x00 prefix; any well-formed CID.
  mutating func linkBody(_ head: CBORHead, at start: Int) throws(DecodeError) -> Slice {
    guard head.value == 42 else { throw DecodeError(.badTag, at: start) }
    let inner = try self.head()
    guard inner.major == 2 else { throw DecodeError(.badCID, at: start) }
    let slice = try body(inner)
    guard slice.count > 1, base[slice.offset] == 0 else { throw DecodeError(.badCID, at: start) }
    let cid = Slice(offset: slice.offset + 1, count: slice.count - 1)
    guard CID.isWellFormed(bytes(cid)) else { throw DecodeError(.badCID, at: start) }
    return cid
  }

  /// Checks the simple value or float of `head`.
  mutating func checkSimple(_ head: CBORHead, at start: Int) throws(DecodeError) {
    switch head.info {
    case 20, 21, 22: return
    case 25:
      defects.insert(.shortFloat)
      if head.value & 0x7c00 == 0x7c00 { throw DecodeError(.badFloat, at: start) }
    case 26:
      defects.insert(.shortFloat)
      if head.value & 0x7f80_0000 == 0x7f80_0000 { throw DecodeError(.badFloat, at: start) }
    case 27:
      if head.value & 0x7ff0_0000_0000_0000 == 0x7ff0_0000_0000_0000 { throw DecodeError(.badFloat, at: start) }
    default: throw DecodeError(.badSimple, at: start)
    }
  }

  // MARK: Maps

  /// Walks the entries of one map whose count was read, watching key order and duplicates.
  package struct MapCursor {
    var remaining: Int
    var start: Int
    var previous = Slice.none
    var isFirst = true
    var isUnsorted = false
  }

  /// Starts a map here.
  package mutating func map() throws(DecodeError) -> MapCursor {
    let count = try mapCount()
    return MapCursor(remaining: count, start: position)
  }

  /// The next key, or nil after the last entry. The caller reads or skips the value before it asks again.
  package mutating func nextKey(_ map: inout MapCursor) throws(DecodeError) -> Slice? {
    guard map.remaining > 0 else {
      if map.isUnsorted { try checkDuplicates(map) }
      return nil
    }
    return try key(&map)
  }

  /// The next key of a map that has one.
  @inline(__always)
  mutating func key(_ map: inout MapCursor, checkingText: Bool = true) throws(DecodeError) -> Slice {
    map.remaining -= 1
    let start = position
    let head = try head()
    guard head.major == 3 else {
      // Nothing is stepped into: a key that is a map whose key is a map … would nest calls as deep as the input is long.
      if head.major < 4 || head.major > 5 { try skipScalar(head, at: start, checkingText: checkingText) }
      throw DecodeError(.keyNotText, at: start)
    }
    let key = try body(head)
    guard !checkingText || isShortASCII(key) || bytes(key).isUTF8 else { throw DecodeError(.badUTF8, at: start) }
    if !map.isFirst {
      let order = compareKeys(map.previous, key)
      if order == 0 { throw DecodeError(.duplicateKey, at: start) }
      if order > 0 {
        map.isUnsorted = true
        defects.insert(.unsortedKeys)
      }
    }
    map.isFirst = false
    map.previous = key
    return key
  }

  /// Whether `text` has at most eight bytes, all of them ASCII, as most keys have; false also where it is too close to the
  /// end to look at eight bytes at once.
  @inline(__always)
  private func isShortASCII(_ text: Slice) -> Bool {
    guard text.count <= 8, end - text.offset >= 8 else { return false }
    let word = UInt64(littleEndian: UnsafeRawPointer(base + text.offset).loadUnaligned(as: UInt64.self))
    return text.count == 0 || (word & 0x8080_8080_8080_8080) << UInt64(64 - 8 * text.count) == 0
  }

  /// Canonical order of two keys: shorter first, then bytewise (RFC 7049 §3.9, as DAG-CBOR has it).
  @inline(__always)
  func compareKeys(_ left: Slice, _ right: Slice) -> Int {
    if left.count != right.count { return left.count - right.count }
    return Int(memcmp(base + left.offset, base + right.offset, left.count))
  }

  /// Looks for equal keys in a map whose keys are out of order, by a second walk over it.
  @inline(never)
  private func checkDuplicates(_ map: MapCursor) throws(DecodeError) {
    var keys: [Slice] = []
    var reader = self
    reader.position = map.start
    // `position` is behind the last entry, so everything up to here was already found well-formed.
    while reader.position < position {
      let head = try reader.head()
      keys.append(try reader.body(head))
      try reader.stepOver()
    }
    try checkDuplicates(&keys, from: 0)
  }

  /// Looks for equal keys among those from `start` on: sorts them first, so that a hostile map costs n log n.
  func checkDuplicates(_ keys: inout [Slice], from start: Int) throws(DecodeError) {
    keys[start...].sort { compareKeys($0, $1) < 0 }
    for index in keys.indices[start...].dropFirst() where compareKeys(keys[index - 1], keys[index]) == 0 {
      throw DecodeError(.duplicateKey, at: keys[index].offset)
    }
  }

  /// Steps over an item that was checked before.
  private mutating func stepOver() throws(DecodeError) {
    var left: UInt64 = 1
    while left > 0 {
      left -= 1
      let head = try head()
      switch head.major {
      case 2, 3: _ = try body(head)
      case 4: left += head.value
      case 5: left += 2 * head.value
      case 6: left += 1
      default: break
      }
    }
  }
}

#if canImport(Glibc)
  import Glibc
#endif
