import Glibc

/// A growing output buffer that is filled, handed out as a view, emptied and filled again without giving its memory back.
///
/// One thread at a time. Positions returned by `count` stay valid as offsets when the buffer moves; views do not.
@usableFromInline
package final class ByteWriter {
  @usableFromInline var base: UnsafeMutablePointer<UInt8>
  /// Bytes written since the last `removeAll`.
  @usableFromInline package internal(set) var count = 0
  @usableFromInline package internal(set) var capacity: Int

  package init(capacity: Int = 4096) {
    precondition(capacity > 0)
    self.capacity = capacity
    base = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
  }

  deinit { base.deallocate() }

  /// Everything written so far. Valid until the next append.
  @inlinable package var bytes: Bytes { Bytes(base: UnsafePointer(base), count: count) }

  /// The part written at `slice`. Valid until the next append.
  @inlinable package subscript(slice: Slice) -> Bytes { bytes[slice] }

  /// Forgets the content and keeps the memory.
  @inlinable @inline(__always)
  package func removeAll() { count = 0 }

  /// Forgets what was written after `length`.
  package func truncate(to length: Int) {
    precondition(length <= count)
    count = length
  }

  /// Gives memory above `limit` back; the content is forgotten. For buffers that met one huge message.
  package func shrink(to limit: Int) {
    count = 0
    guard capacity > limit else { return }
    base.deallocate()
    capacity = limit
    base = UnsafeMutablePointer<UInt8>.allocate(capacity: limit)
  }

  /// Room for `extra` more bytes; the pointer is where they go. Follow with `advance`.
  @inlinable @inline(__always)
  func reserve(_ extra: Int) -> UnsafeMutablePointer<UInt8> {
    if count + extra > capacity { grow(extra) }
    return base + count
  }

  @inlinable @inline(__always)
  func advance(_ written: Int) {
    count += written
    assert(count <= capacity)
  }

  @inline(never) @usableFromInline
  func grow(_ extra: Int) {
    var size = capacity
    while size < count + extra { size *= 2 }
    let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: size)
    memcpy(moved, base, count)
    base.deallocate()
    base = moved
    capacity = size
  }

  @inlinable @inline(__always)
  package func append(_ byte: UInt8) {
    reserve(1)[0] = byte
    count += 1
  }

  @inlinable @inline(__always)
  package func append(_ text: StaticString) {
    let length = text.utf8CodeUnitCount
    reserve(length).update(from: text.utf8Start, count: length)
    count += length
  }

  @inlinable @inline(__always)
  package func append(_ bytes: Bytes) {
    reserve(bytes.count).update(from: bytes.base, count: bytes.count)
    count += bytes.count
  }

  /// Copies text. Cold paths only.
  package func append(_ text: String) {
    var text = text
    text.withUTF8 { append(Bytes(UnsafeRawBufferPointer($0))) }
  }

  /// A signed integer in decimal.
  package func append(decimal value: Int64) {
    let to = reserve(20)
    var magnitude = value.magnitude
    var digits = 1
    var bound: UInt64 = 10
    while magnitude >= bound {
      digits += 1
      let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
      if overflow { break }
      bound = next
    }
    let sign = value < 0 ? 1 : 0
    if sign == 1 { to[0] = 0x2d }
    var position = sign + digits
    repeat {
      position -= 1
      to[position] = 0x30 + UInt8(truncatingIfNeeded: magnitude % 10)
      magnitude /= 10
    } while magnitude > 0
    assert(position == sign)
    count += sign + digits
  }

  /// A non-negative number with leading zeros up to `width` digits.
  @inline(__always)
  package func append(decimal value: Int, width: Int) {
    let to = reserve(width)
    var rest = value
    var position = width
    while position > 0 {
      position -= 1
      to[position] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    count += width
  }
}
