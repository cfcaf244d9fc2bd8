/// The bytes of a message that did not arrive in one piece. One owner; freed with it.
/// Grows only to what was announced, which the decoder has checked against its limit before.
final class MessageBuffer {
  /// Memory above this is given back once its message is done.
  static let keptBytesMax = 1 << 20

  private var storage = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 << 10, alignment: 16)
  private(set) var count = 0

  deinit { storage.deallocate() }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: storage[0..<count]) }

  /// Makes room for a message of `total` bytes, keeping what is there.
  func reserve(_ total: Int) {
    guard total > storage.count else { return }
    let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: total, alignment: 16)
    larger.copyMemory(from: bytes)
    storage.deallocate()
    storage = larger
  }

  func append(_ piece: UnsafeRawBufferPointer) {
    reserve(count + piece.count)
    UnsafeMutableRawBufferPointer(rebasing: storage[count..<count + piece.count]).copyMemory(from: piece)
    count += piece.count
  }

  /// Appends what a client masked; `offset` is the place of the piece in its frame.
  func append(_ piece: UnsafeRawBufferPointer, mask: UInt32, offset: Int) {
    let start = count
    append(piece)
    for index in 0..<piece.count {
      storage[start + index] ^= UInt8(truncatingIfNeeded: mask >> (24 - 8 * UInt32((offset + index) & 3)))
    }
  }

  func clear() {
    count = 0
    guard storage.count > Self.keptBytesMax else { return }
    storage.deallocate()
    storage = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 << 10, alignment: 16)
  }
}
