import Signatures

/// A repository path of at most 39 bytes, held inline and compared eight bytes at a time. The last byte is its length.
/// Padding with zeros keeps the order: a path that another one starts with comes first, by its zeros or its length.
struct TreeKey: Equatable, Comparable, Sendable {
  static let bytesMax = 39

  private var w0: UInt64 = 0
  private var w1: UInt64 = 0
  private var w2: UInt64 = 0
  private var w3: UInt64 = 0
  private var w4: UInt64 = 0

  /// Bytes in use.
  var count: Int { Int(w4 & 0xff) }

  init(_ path: [UInt8]) {
    precondition(path.count <= TreeKey.bytesMax, "simulated paths are short by construction")
    func word(_ start: Int) -> UInt64 {
      var value: UInt64 = 0
      for index in start..<start + 8 { value = value << 8 | (index < path.count ? UInt64(path[index]) : 0) }
      return value
    }
    w0 = word(0)
    w1 = word(8)
    w2 = word(16)
    w3 = word(24)
    w4 = word(32) | UInt64(path.count)
  }

  init(_ path: String) { self.init(Array(path.utf8)) }

  /// `collection/rkey` with a TID as record key.
  init(_ collection: RecordCollection, tid: UInt64) {
    var path: [UInt8] = []
    path.reserveCapacity(TreeKey.bytesMax)
    path.append(contentsOf: collection.rawValue.utf8)
    path.append(UInt8(ascii: "/"))
    TextFormat.appendTID(tid, to: &path)
    self.init(path)
  }

  static func < (left: TreeKey, right: TreeKey) -> Bool {
    if left.w0 != right.w0 { return left.w0 < right.w0 }
    if left.w1 != right.w1 { return left.w1 < right.w1 }
    if left.w2 != right.w2 { return left.w2 < right.w2 }
    if left.w3 != right.w3 { return left.w3 < right.w3 }
    return left.w4 < right.w4
  }

  private func word(_ index: Int) -> UInt64 {
    switch index {
    case 0: w0
    case 1: w1
    case 2: w2
    case 3: w3
    default: w4
    }
  }

  /// How many leading bytes two keys share.
  func commonPrefix(_ other: TreeKey) -> Int {
    for index in 0..<5 {
      let difference = word(index) ^ other.word(index)
      if difference != 0 { return min(index * 8 + difference.leadingZeroBitCount / 8, count, other.count) }
    }
    return min(count, other.count)
  }

  /// Appends the bytes from `start` on.
  func append(from start: Int, to bytes: inout [UInt8]) {
    withBytes { bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[start...])) }
  }

  /// Calls `body` with the path's bytes.
  @inline(__always)
  func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    let words = (w0.bigEndian, w1.bigEndian, w2.bigEndian, w3.bigEndian, w4.bigEndian)
    return withUnsafeBytes(of: words) { body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
  }

  /// The whole path.
  var path: [UInt8] {
    var bytes: [UInt8] = []
    append(from: 0, to: &bytes)
    return bytes
  }

  /// The layer this key belongs to: leading zero bits of its SHA-256, in pairs.
  /// https://atproto.com/specs/repository#mst-structure
  var layer: Int {
    let digest = withBytes { Digest(sha256: $0) }
    return digest.withBytes { bytes in
      var zeros = 0
      for byte in bytes {
        zeros += byte.leadingZeroBitCount
        if byte != 0 { break }
      }
      return zeros / 2
    }
  }
}
