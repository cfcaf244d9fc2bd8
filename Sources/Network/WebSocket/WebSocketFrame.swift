import NIOCore

/// What a peer may not send (RFC 6455 section 5). The connection ends with it; nothing after it can be trusted.
package enum WebSocketError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A reserved bit is set although no extension was negotiated.
  case reservedBits
  /// An opcode the RFC does not define.
  case unknownOpcode(UInt8)
  /// A server masked its frame, or a client did not.
  case wrongMasking
  /// A control frame over 125 bytes or without its final bit.
  case badControlFrame
  /// A continuation without a message, or a new message inside an unfinished one.
  case badFragment
  /// A length that was not written in its shortest form, or with its top bit set.
  case badLength
  /// A close frame with one byte of payload.
  case badClose
  /// A message so long that skipping it would hold the connection for ever; the announced bytes.
  case messageTooLong(Int)

  package var description: String {
    switch self {
    case .reservedBits: "reserved bits set"
    case .unknownOpcode(let opcode): "unknown opcode \(opcode)"
    case .wrongMasking: "wrong masking"
    case .badControlFrame: "bad control frame"
    case .badFragment: "bad fragmentation"
    case .badLength: "length not in its shortest form"
    case .badClose: "bad close frame"
    case .messageTooLong(let bytes): "message of \(bytes) bytes cannot be skipped"
    }
  }
}

/// The opcodes of RFC 6455 section 5.2.
enum WebSocketOpcode {
  static let continuation: UInt8 = 0x0
  static let text: UInt8 = 0x1
  static let binary: UInt8 = 0x2
  static let close: UInt8 = 0x8
  static let ping: UInt8 = 0x9
  static let pong: UInt8 = 0xA
}

/// The close codes we send (RFC 6455 section 7.4.1).
package enum WebSocketCloseCode {
  /// The work is done.
  package static let normal: UInt16 = 1000
  /// The endpoint goes away.
  package static let goingAway: UInt16 = 1001
  /// The peer broke the protocol.
  package static let protocolError: UInt16 = 1002
  /// The peer broke a rule of ours, such as reading too slowly.
  package static let policyViolation: UInt16 = 1008
}

/// Writing control frames, for either side.
enum WebSocketControl {
  /// The longest payload of a control frame (RFC 6455 section 5.5).
  static let payloadBytesMax = 125

  /// One control frame. A client passes a mask (RFC 6455 section 5.3), a server none.
  static func frame(
    _ opcode: UInt8, payload: UnsafeRawBufferPointer, mask: UInt32?, allocator: ByteBufferAllocator
  ) -> ByteBuffer {
    precondition(payload.count <= payloadBytesMax)
    var buffer = allocator.buffer(capacity: 6 + payload.count)
    buffer.writeInteger(0x80 | opcode)
    guard let mask else {
      buffer.writeInteger(UInt8(payload.count))
      buffer.writeBytes(payload)
      return buffer
    }
    buffer.writeInteger(0x80 | UInt8(payload.count))
    buffer.writeInteger(mask)
    for (index, byte) in payload.enumerated() {
      buffer.writeInteger(byte ^ UInt8(truncatingIfNeeded: mask >> (24 - 8 * UInt32(index & 3))))
    }
    return buffer
  }

  /// The payload of a close frame: the code and as much of the reason as fits.
  static func closePayload(code: UInt16, reason: String) -> [UInt8] {
    [UInt8(code >> 8), UInt8(code & 0xFF)] + reason.utf8.prefix(payloadBytesMax - 2)
  }

  /// What a close frame's payload says; code 1005 where it says nothing (RFC 6455 section 7.1.5).
  static func parseClose(_ payload: UnsafeRawBufferPointer) -> (code: UInt16, reason: String) {
    guard payload.count >= 2 else { return (1005, "") }
    let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
    return (code, String(decoding: payload.dropFirst(2), as: UTF8.self))
  }
}
