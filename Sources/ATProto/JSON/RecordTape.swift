/// One item of a checked record: what it is, where it is, and where the next sibling's token stands.
struct RecordToken {
  enum Kind: UInt8 {
    case unsigned, negative, bytes, text, array, map, link, null, yes, no, double
  }
  var kind: Kind
  /// Index of the token behind this item and all its children.
  var next: UInt32
  /// Integers: the CBOR argument. Doubles: the bits. Strings and links: offset << 32 | count. Containers: the count.
  var value: UInt64

  @inline(__always)
  var slice: Slice { Slice(offset: Int(value >> 32), count: Int(value & 0xffff_ffff)) }
}

/// A record turned into a flat list of tokens in one checked pass without recursion; JSON is then written from the tokens
/// without looking back (the idea of a tape is simdjson's).
///
/// Owned by one decoder and reused, so that a record costs no allocation once the arrays have grown.
struct RecordTape {
  private struct Open {
    var token: Int
    var remaining: Int
    var isMap: Bool
    var isUnsorted = false
    var previousKey = Slice.none
  }

  var tokens: [RecordToken] = []
  private var open: [Open] = []
  /// Scratch for the entries of maps being written, as key token indexes.
  var entries: [UInt32] = []

  init() {
    tokens.reserveCapacity(256)
    open.reserveCapacity(Limits.depthMax)
    entries.reserveCapacity(256)
  }

  /// Gives memory back that only a huge record needed.
  mutating func shrink() {
    if tokens.capacity > 16_384 { self = RecordTape() }
  }

  /// Reads the record at `slice`; errors are the reasons of a bad record. Text is not checked here but when it is written.
  ///
  /// `onlyMap`: a record must be one map; other DAG-CBOR may be any item.
  mutating func parse(_ bytes: Bytes, _ slice: Slice, onlyMap: Bool, defects: inout Defects) throws(DecodeError) {
    tokens.removeAll(keepingCapacity: true)
    open.removeAll(keepingCapacity: true)
    var reader = CBORReader(bytes, in: slice)
    defer { defects.formUnion(reader.defects) }
    if onlyMap && !slice.isEmpty && bytes[slice.offset] >> 5 != 5 {
      try reader.skip(checkingText: false)
      throw DecodeError(.notAMap, at: slice.offset)
    }
    repeat {
      try item(&reader)
      while let last = open.indices.last, open[last].remaining == 0 { try close(last, reader) }
    } while !open.isEmpty
    guard reader.isAtEnd else { throw DecodeError(.trailingBytes, at: reader.position) }
  }

  /// One item, with its key where it stands in a map. Containers are left open.
  @inline(__always)
  private mutating func item(_ reader: inout CBORReader) throws(DecodeError) {
    if let last = open.indices.last {
      open[last].remaining -= 1
      if open[last].isMap { try key(&reader, last) }
    }
    let start = reader.position
    let head = try reader.head()
    switch head.major {
    case 0, 1:
      guard head.value <= UInt64(Int64.max) else { throw DecodeError(.integerRange, at: start) }
      append(head.major == 0 ? .unsigned : .negative, head.value)
    case 2, 3:
      let slice = try reader.body(head)
      append(head.major == 2 ? .bytes : .text, slice)
    case 4, 5:
      guard open.count < Limits.depthMax else { throw DecodeError(.tooDeep, at: start) }
      let isMap = head.major == 5
      guard head.value <= UInt64((reader.end - reader.position) / (isMap ? 2 : 1)) else {
        throw DecodeError(.truncated, at: start)
      }
      open.append(Open(token: tokens.count, remaining: Int(head.value), isMap: isMap))
      append(isMap ? .map : .array, head.value)
    case 6:
      append(.link, try reader.linkBody(head, at: start))
    default:
      try reader.checkSimple(head, at: start)
      simple(head)
    }
  }

  @inline(__always)
  private mutating func key(_ reader: inout CBORReader, _ last: Int) throws(DecodeError) {
    let start = reader.position
    let head = try reader.head()
    guard head.major == 3 else { throw DecodeError(.keyNotText, at: start) }
    let key = try reader.body(head)
    let isFirst = tokens.count == open[last].token + 1
    if !isFirst {
      let order = reader.compareKeys(open[last].previousKey, key)
      if order == 0 { throw DecodeError(.duplicateKey, at: start) }
      if order > 0 {
        open[last].isUnsorted = true
        reader.defects.insert(.unsortedKeys)
      }
    }
    open[last].previousKey = key
    append(.text, key)
  }

  private mutating func close(_ last: Int, _ reader: CBORReader) throws(DecodeError) {
    let container = open.removeLast()
    tokens[container.token].next = UInt32(tokens.count)
    if container.isUnsorted { try checkDuplicates(container.token, reader) }
  }

  private func checkDuplicates(_ map: Int, _ reader: CBORReader) throws(DecodeError) {
    var keys: [Slice] = []
    var at = map + 1
    while at < Int(tokens[map].next) {
      keys.append(tokens[at].slice)
      at = Int(tokens[at + 1].next)
    }
    keys.sort { reader.compareKeys($0, $1) < 0 }
    for index in keys.indices.dropFirst() where reader.compareKeys(keys[index - 1], keys[index]) == 0 {
      throw DecodeError(.duplicateKey, at: keys[index].offset)
    }
  }

  private mutating func simple(_ head: CBORHead) {
    switch head.info {
    case 20: append(.no, 0)
    case 21: append(.yes, 0)
    case 22: append(.null, 0)
    case 25: append(.double, Double(halfBits: UInt16(head.value)).bitPattern)
    case 26: append(.double, Double(Float(bitPattern: UInt32(head.value))).bitPattern)
    default: append(.double, head.value)
    }
  }

  @inline(__always)
  private mutating func append(_ kind: RecordToken.Kind, _ slice: Slice) {
    append(kind, UInt64(slice.offset) << 32 | UInt64(slice.count))
  }

  @inline(__always)
  private mutating func append(_ kind: RecordToken.Kind, _ value: UInt64) {
    tokens.append(RecordToken(kind: kind, next: UInt32(tokens.count + 1), value: value))
  }
}

extension Double {
  /// The value of an IEEE 754 half (RFC 8949 appendix D). `Float16` is not available on every platform we build for.
  package init(halfBits bits: UInt16) {
    let exponent = Int(bits >> 10 & 0x1f)
    let fraction = Double(bits & 0x3ff)
    let magnitude: Double =
      exponent == 0
      ? fraction * 0x1p-24 : Double(sign: .plus, exponent: exponent - 25, significand: fraction + 1024)
    self = bits & 0x8000 == 0 ? magnitude : -magnitude
  }
}
