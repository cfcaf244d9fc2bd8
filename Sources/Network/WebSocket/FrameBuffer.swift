import NIOCore

/// A batch of WebSocket messages as a server sends them: binary, unmasked, unfragmented. Written in place, so that a
/// message costs one copy and many messages one write to the socket. Reuse it; its memory is kept.
package struct FrameBuffer {
  /// The header of a message of 126 … 65,535 bytes, which nearly every frame of a relay has.
  private static let usualHeaderBytes = 4

  var buffer: ByteBuffer
  private var messageStart = 0
  /// Messages in the batch.
  package private(set) var messageCount = 0

  /// An empty batch with room for so many bytes; it grows when more is written.
  package init(capacity: Int) {
    buffer = ByteBufferAllocator().buffer(capacity: capacity)
    messageStart = 0
  }

  /// Bytes in the batch, headers included.
  package var byteCount: Int { buffer.readableBytes }

  /// A copy of the whole batch as it goes on the wire.
  package var bytes: [UInt8] { Array(buffer.readableBytesView) }

  /// Empties the batch and keeps its memory, unless a socket still reads from it.
  package mutating func removeAll() {
    buffer.clear()
    messageCount = 0
    messageStart = 0
  }

  /// Appends one message: whatever `write` appends is its payload.
  package mutating func appendMessage(_ write: (inout FrameBuffer) -> Void) {
    let headerStart = buffer.writerIndex
    buffer.writeRepeatingByte(0, count: Self.usualHeaderBytes)
    messageStart = buffer.writerIndex
    write(&self)
    finishHeader(at: headerStart)
    messageCount += 1
  }

  /// Appends payload bytes to the message being written.
  package mutating func append(_ bytes: UnsafeRawBufferPointer) {
    buffer.writeBytes(bytes)
  }

  /// Appends payload bytes to the message being written.
  package mutating func append(_ bytes: [UInt8]) {
    buffer.writeBytes(bytes)
  }

  /// Appends `count` payload bytes that `write` puts in place.
  package mutating func append(count: Int, _ write: (UnsafeMutableRawBufferPointer) -> Void) {
    buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { room in
      write(UnsafeMutableRawBufferPointer(rebasing: room[..<count]))
      return count
    }
  }

  /// Bytes of the message being written, so far.
  package var messageByteCount: Int { buffer.writerIndex - messageStart }

  /// Overwrites bytes already appended to the message being written, from `offset` in it.
  package mutating func patch(_ bytes: [UInt8], at offset: Int) {
    precondition(offset >= 0 && offset + bytes.count <= messageByteCount, "a patch lies inside its message")
    buffer.setBytes(bytes, at: messageStart + offset)
  }

  /// Overwrites eight bytes of the message being written with a big-endian integer, as CBOR's long heads hold them.
  package mutating func patch(bigEndian value: UInt64, at offset: Int) {
    precondition(offset >= 0 && offset + 8 <= messageByteCount, "a patch lies inside its message")
    buffer.setInteger(value, at: messageStart + offset)
  }

  /// The payload of the message written last; valid inside `body`.
  package func withLastMessage<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try buffer.withVeryUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[messageStart..<buffer.writerIndex])) }
  }

  /// Puts the shortest header before the payload (RFC 6455 section 5.2); an unusual length moves the payload once.
  private mutating func finishHeader(at headerStart: Int) {
    let length = messageByteCount
    let headerBytes = length < 126 ? 2 : length <= Int(UInt16.max) ? 4 : 10
    if headerBytes != Self.usualHeaderBytes {
      movePayload(by: headerBytes - Self.usualHeaderBytes, count: length)
    }
    buffer.setInteger(UInt8(0x80 | WebSocketOpcode.binary), at: headerStart)
    switch headerBytes {
    case 2: buffer.setInteger(UInt8(length), at: headerStart + 1)
    case 4:
      buffer.setInteger(UInt8(126), at: headerStart + 1)
      buffer.setInteger(UInt16(length), at: headerStart + 2)
    default:
      buffer.setInteger(UInt8(127), at: headerStart + 1)
      buffer.setInteger(UInt64(length), at: headerStart + 2)
    }
  }

  private mutating func movePayload(by distance: Int, count: Int) {
    let from = messageStart
    if distance > 0 { buffer.writeRepeatingByte(0, count: distance) }
    buffer.withVeryUnsafeMutableBytes { bytes in
      let source = UnsafeRawBufferPointer(rebasing: bytes[from..<from + count])
      // memmove: the two ranges overlap.
      UnsafeMutableRawBufferPointer(rebasing: bytes[from + distance..<from + distance + count]).copyMemory(from: source)
    }
    if distance < 0 { buffer.moveWriterIndex(to: buffer.writerIndex + distance) }
    messageStart = from + distance
  }
}
