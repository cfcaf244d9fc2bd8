/// Appends DAG-CBOR to a buffer that its owner keeps and reuses: minimal heads, definite lengths, tag 42 for links.
///
/// Keys are written in the order of the calls. Whoever knows the keys beforehand writes them sorted (by length, then
/// by bytes); whoever does not uses `sortedMap`. Nothing here fails; what is written is what was asked for.
/// https://dasl.ing/drisl.html
package struct CBORWriter: Sendable {
  /// Everything written so far.
  package var bytes: [UInt8]

  /// An empty writer with room for `capacity` bytes.
  package init(capacity: Int = 1_024) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  /// Forgets what was written and keeps the memory.
  package mutating func reset() {
    bytes.removeAll(keepingCapacity: true)
  }

  /// The head of a map of `count` pairs; the keys and values follow as separate calls.
  package mutating func map(_ count: Int) { head(5, UInt64(count)) }

  /// The head of an array of `count` elements.
  package mutating func array(_ count: Int) { head(4, UInt64(count)) }

  /// A text string.
  package mutating func text(_ value: String) {
    var value = value
    value.withUTF8 { text(utf8: UnsafeRawBufferPointer($0)) }
  }

  /// A text string known at compile time.
  package mutating func text(_ value: StaticString) {
    text(utf8: UnsafeRawBufferPointer(start: value.utf8Start, count: value.utf8CodeUnitCount))
  }

  /// A text string given as bytes. That they are valid UTF-8 is the caller's duty.
  package mutating func text(utf8: UnsafeRawBufferPointer) {
    head(3, UInt64(utf8.count))
    bytes.append(contentsOf: utf8)
  }

  /// A text string given as bytes. That they are valid UTF-8 is the caller's duty.
  package mutating func text(utf8: [UInt8]) {
    head(3, UInt64(utf8.count))
    bytes.append(contentsOf: utf8)
  }

  /// A text string given as bytes. That they are valid UTF-8 is the caller's duty.
  package mutating func text(utf8: ArraySlice<UInt8>) {
    utf8.withUnsafeBytes { text(utf8: $0) }
  }

  /// A byte string.
  package mutating func byteString(_ value: [UInt8]) {
    head(2, UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  /// A byte string.
  package mutating func byteString(_ value: UnsafeRawBufferPointer) {
    head(2, UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  /// The head of a byte string whose `count` bytes the caller appends to `bytes` itself.
  package mutating func byteStringHead(_ count: Int) { head(2, UInt64(count)) }

  /// An integer.
  package mutating func int(_ value: Int64) {
    if value >= 0 { head(0, UInt64(value)) } else { head(1, ~UInt64(bitPattern: value)) }
  }

  /// A 64-bit float, the only width that DAG-CBOR has. That it is finite is the caller's duty.
  package mutating func double(_ value: Double) {
    bytes.append(0xfb)
    bigEndian(value.bitPattern, bytes: 8)
  }

  /// `true` or `false`.
  package mutating func bool(_ value: Bool) { bytes.append(value ? 0xf5 : 0xf4) }

  /// `null`.
  package mutating func null() { bytes.append(0xf6) }

  /// A link: tag 42 around a byte string of one zero and the binary CID (`cid` is without the zero).
  package mutating func link(_ cid: UnsafeRawBufferPointer) {
    bytes.append(0xd8)
    bytes.append(0x2a)
    head(2, UInt64(cid.count + 1))
    bytes.append(0)
    bytes.append(contentsOf: cid)
  }

  /// A link to the binary CID `cid`.
  package mutating func link(_ cid: [UInt8]) {
    cid.withUnsafeBytes { link($0) }
  }

  /// Bytes that already are DAG-CBOR.
  package mutating func raw(_ value: [UInt8]) { bytes.append(contentsOf: value) }

  /// A map whose keys come in any order: `build` adds them, the writer sorts them and writes the head.
  /// A repeated key stays repeated; that is for the caller to prevent.
  package mutating func sortedMap<Failure: Error>(
    _ build: (inout CBORMapWriter) throws(Failure) -> Void
  ) throws(Failure) {
    var entries = CBORMapWriter()
    try build(&entries)
    map(entries.ranges.count)
    let source = entries.writer.bytes
    entries.ranges.sort { CBORMapWriter.precedes($0, $1, in: source) }
    for entry in entries.ranges { bytes.append(contentsOf: source[entry.start..<entry.end]) }
  }

  /// Major type `major` with argument `value` in the shortest form. RFC 8949 §3.
  private mutating func head(_ major: UInt8, _ value: UInt64) {
    let kind = major << 5
    switch value {
    case 0..<24: bytes.append(kind | UInt8(value))
    case 24..<0x100:
      bytes.append(kind | 24)
      bytes.append(UInt8(value))
    case 0x100..<0x1_0000:
      bytes.append(kind | 25)
      bigEndian(value, bytes: 2)
    case 0x1_0000..<0x1_0000_0000:
      bytes.append(kind | 26)
      bigEndian(value, bytes: 4)
    default:
      bytes.append(kind | 27)
      bigEndian(value, bytes: 8)
    }
  }

  private mutating func bigEndian(_ value: UInt64, bytes count: Int) {
    var shift = (count - 1) * 8
    while shift >= 0 {
      bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
      shift -= 8
    }
  }
}

/// The entries of one map in the order of arrival; `CBORWriter.sortedMap` puts them in DAG-CBOR's order.
package struct CBORMapWriter: Sendable {
  /// An entry's bytes (key and value), and where its key text stands in them.
  struct Entry: Sendable {
    var start: Int
    var keyStart: Int
    var keyEnd: Int
    var end: Int
  }

  var writer = CBORWriter()
  var ranges: [Entry] = []

  /// Adds one entry; `value` writes exactly one item.
  package mutating func entry<Failure: Error>(
    _ key: String, _ value: (inout CBORWriter) throws(Failure) -> Void
  ) throws(Failure) {
    let start = writer.bytes.count
    writer.text(key)
    let keyEnd = writer.bytes.count
    try value(&writer)
    ranges.append(Entry(start: start, keyStart: keyEnd - key.utf8.count, keyEnd: keyEnd, end: writer.bytes.count))
  }

  /// DAG-CBOR's order of keys: the shorter first, equal lengths by their bytes.
  static func precedes(_ one: Entry, _ other: Entry, in source: [UInt8]) -> Bool {
    let left = source[one.keyStart..<one.keyEnd]
    let right = source[other.keyStart..<other.keyEnd]
    return left.count == right.count ? left.lexicographicallyPrecedes(right) : left.count < right.count
  }
}
