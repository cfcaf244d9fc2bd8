/// A read-only view of bytes that somebody else owns.
///
/// The owner (a frame's buffer, a `ByteWriter`) must outlive the view; nothing in this room stores one beyond the call it
/// was passed to. Subscripts and slices are bounds-checked.
///
/// `@usableFromInline` and `@inlinable`: every room reads bytes one by one, and what is merely `package` is never inlined into
/// another module (Swift 6.3; measured).
@usableFromInline
package struct Bytes {
  /// First byte. Never dereferenced where `count` is 0.
  @usableFromInline package let base: UnsafePointer<UInt8>
  /// Length in bytes.
  @usableFromInline package let count: Int

  @inlinable @inline(__always)
  package init(base: UnsafePointer<UInt8>, count: Int) {
    self.base = base
    self.count = count
  }

  /// A view of a raw buffer; an empty buffer gives an empty view.
  package init(_ buffer: UnsafeRawBufferPointer) {
    if let start = buffer.baseAddress, buffer.count > 0 {
      self.init(base: start.assumingMemoryBound(to: UInt8.self), count: buffer.count)
    } else {
      self = .empty
    }
  }

  /// A view of text known at compile time, which lives as long as the program.
  @inlinable
  package init(_ text: StaticString) {
    self.init(base: text.utf8Start, count: text.utf8CodeUnitCount)
  }

  /// No bytes.
  @inlinable package static var empty: Bytes { Bytes(StaticString("")) }

  /// The same memory for C calls.
  @inlinable package var raw: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  @inlinable package var isEmpty: Bool { count == 0 }

  @inlinable @inline(__always)
  package subscript(index: Int) -> UInt8 {
    precondition(index >= 0 && index < count, "index outside the bytes")
    return base[index]
  }

  /// The bytes of `slice`, which must lie inside this view.
  @inlinable @inline(__always)
  package subscript(slice: Slice) -> Bytes {
    precondition(slice.end <= count, "slice outside the bytes")
    return Bytes(base: base + slice.offset, count: slice.count)
  }

  /// Equality by content.
  @inlinable
  package static func == (left: Bytes, right: Bytes) -> Bool {
    left.count == right.count && memcmp(left.base, right.base, left.count) == 0
  }

  /// Equality with text known at compile time.
  @inlinable @inline(__always)
  package static func == (left: Bytes, right: StaticString) -> Bool {
    left.count == right.utf8CodeUnitCount && memcmp(left.base, right.utf8Start, left.count) == 0
  }

  /// Bytewise order, a shorter prefix first.
  package static func < (left: Bytes, right: Bytes) -> Bool {
    let order = memcmp(left.base, right.base, min(left.count, right.count))
    return order != 0 ? order < 0 : left.count < right.count
  }

  /// A copy as text, U+FFFD for what is not UTF-8. Cold paths only.
  package var string: String { String(decoding: raw, as: UTF8.self) }

  /// A copy as an array. Cold paths only.
  package var array: [UInt8] { Array(raw) }
}

/// Offset and length of a part of a frame (or of any bytes under 4 GiB): what an event is made of.
/// Survives a move of the bytes and crosses threads, as a pointer would not.
@usableFromInline
package struct Slice: Equatable, Sendable {
  @usableFromInline var start: UInt32
  @usableFromInline var length: UInt32

  @inlinable @inline(__always)
  package init(offset: Int, count: Int) {
    precondition((offset | count) >> 32 == 0, "outside 4 GiB")
    start = UInt32(truncatingIfNeeded: offset)
    length = UInt32(truncatingIfNeeded: count)
  }

  @inlinable package static var none: Slice { Slice(offset: 0, count: 0) }

  @inlinable @inline(__always) package var offset: Int { Int(start) }
  @inlinable @inline(__always) package var count: Int { Int(length) }
  @inlinable @inline(__always) package var end: Int { Int(start) + Int(length) }
  @inlinable package var isEmpty: Bool { length == 0 }
}

#if canImport(Glibc)
  import Glibc
#endif

/// Runs `body` on a view of an array's bytes.
package func withBytes<Result>(_ array: [UInt8], _ body: (Bytes) throws -> Result) rethrows -> Result {
  try array.withUnsafeBytes { try body(Bytes($0)) }
}
