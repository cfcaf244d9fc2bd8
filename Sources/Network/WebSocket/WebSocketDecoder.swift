/// RFC 6455 frames to whole messages, one chunk of socket bytes at a time.
///
/// A message that lies whole in the chunk is handed out where it lies: the reader's copy is the only one. Only a message
/// that straddles chunks, is fragmented or is masked goes through `MessageBuffer`. Lengths are checked when they are
/// announced: of a message over the limit no byte is kept, and the stream goes on after it.
///
/// `next` names the event standing at the front and does not move past it; `accept` does. So a reader without room
/// simply asks again later, with the same chunk.
struct WebSocketDecoder {
  /// Whose frames these are: a server's come unmasked, a client's masked.
  enum Peer { case server, client }

  enum Event {
    case binary(UnsafeRawBufferPointer)
    case text(UnsafeRawBufferPointer)
    /// A message over the limit was skipped; its announced bytes.
    case oversized(Int)
    case ping(UnsafeRawBufferPointer)
    case pong(UnsafeRawBufferPointer)
    case close(UnsafeRawBufferPointer)
  }

  private enum Phase { case header, message, skip, control, ready }

  /// A message this many times over the limit is refused with its connection: skipping 300 MiB takes seconds, 2^62 bytes for ever.
  static let skipFactorMax = 64

  private let masked: Bool
  private let messageBytesMax: Int
  private let message = MessageBuffer()
  private let control = MessageBuffer()

  /// Bytes of the chunk that are done with.
  private(set) var position = 0
  private var phase = Phase.header
  /// A header cut by the end of a chunk; 14 bytes at most (section 5.2).
  private var header: [UInt8] = []

  // The frame being read.
  private var opcode: UInt8 = 0
  private var isFinal = false
  private var remaining = 0
  private var mask: UInt32 = 0
  private var maskOffset = 0
  // The message it belongs to: 0 where none is open.
  private var messageOpcode: UInt8 = 0
  private var announced = 0
  /// Set in `ready`: the payload lies in the chunk at `position`, `remaining` long, not in a buffer.
  private var isInChunk = false

  init(from peer: Peer, messageBytesMax: Int) {
    masked = peer == .client
    self.messageBytesMax = messageBytesMax
    header.reserveCapacity(14)
  }

  /// Bytes of an unfinished message held here.
  var bufferedBytes: Int { message.count }

  /// A new chunk follows; the one before was used up.
  mutating func beginChunk() { position = 0 }

  /// The event at the front, or nil when the chunk is used up.
  mutating func next(in chunk: UnsafeRawBufferPointer) throws(WebSocketError) -> Event? {
    while true {
      switch phase {
      case .header:
        guard try readHeader(chunk) else { return nil }
      case .message, .control:
        let available = chunk.count - position
        let buffer = phase == .control ? control : message
        if !masked, available >= remaining, buffer.count == 0, isFinal {
          isInChunk = true
          phase = .ready
          continue
        }
        let count = min(available, remaining)
        take(count, of: chunk, into: buffer)
        guard remaining == 0 else { return nil }
        isInChunk = false
        phase = isFinal ? .ready : .header
      case .skip:
        let count = min(chunk.count - position, remaining)
        position += count
        remaining -= count
        guard remaining == 0 else { return nil }
        phase = isFinal ? .ready : .header
      case .ready:
        return try event(chunk)
      }
    }
  }

  /// Moves past the event `next` has named.
  mutating func accept() {
    precondition(phase == .ready)
    if isInChunk { position += remaining }
    isInChunk = false
    remaining = 0
    phase = .header
    if opcode >= WebSocketOpcode.close {
      control.clear()
    } else {
      message.clear()
      messageOpcode = 0
      announced = 0
    }
  }

  private func event(_ chunk: UnsafeRawBufferPointer) throws(WebSocketError) -> Event {
    let isControl = opcode >= WebSocketOpcode.close
    if !isControl, announced > messageBytesMax { return .oversized(announced) }
    let payload =
      isInChunk
      ? UnsafeRawBufferPointer(rebasing: chunk[position..<position + remaining])
      : (isControl ? control.bytes : message.bytes)
    switch opcode {
    case WebSocketOpcode.ping: return .ping(payload)
    case WebSocketOpcode.pong: return .pong(payload)
    case WebSocketOpcode.close:
      guard payload.count != 1 else { throw .badClose }
      return .close(payload)
    default: return messageOpcode == WebSocketOpcode.text ? .text(payload) : .binary(payload)
    }
  }

  private mutating func take(_ count: Int, of chunk: UnsafeRawBufferPointer, into buffer: MessageBuffer) {
    let piece = UnsafeRawBufferPointer(rebasing: chunk[position..<position + count])
    if masked {
      buffer.append(piece, mask: mask, offset: maskOffset)
      maskOffset += count
    } else {
      // The announced length was checked in `begin`: one allocation for the whole message.
      if phase == .message { buffer.reserve(announced) }
      buffer.append(piece)
    }
    position += count
    remaining -= count
  }

  /// Reads one frame header; false when the chunk ends inside it.
  private mutating func readHeader(_ chunk: UnsafeRawBufferPointer) throws(WebSocketError) -> Bool {
    let available = chunk.count - position
    if header.isEmpty, available >= 2 {
      let needed = Self.headerBytes(chunk[position + 1])
      if available >= needed {
        try begin(UnsafeRawBufferPointer(rebasing: chunk[position..<position + needed]))
        position += needed
        return true
      }
    }
    while position < chunk.count {
      header.append(chunk[position])
      position += 1
      guard header.count >= 2, header.count == Self.headerBytes(header[1]) else { continue }
      // Copied out, 14 bytes at most: `begin` changes what the header is part of.
      let whole = header
      header.removeAll(keepingCapacity: true)
      let fault = whole.withUnsafeBytes { bytes -> WebSocketError? in
        do throws(WebSocketError) { try begin(bytes) } catch { return error }
        return nil
      }
      if let fault { throw fault }
      return true
    }
    return false
  }

  private static func headerBytes(_ second: UInt8) -> Int {
    let length = second & 0x7F
    return 2 + (length == 126 ? 2 : length == 127 ? 8 : 0) + (second & 0x80 != 0 ? 4 : 0)
  }

  /// A whole header: checks it and sets the phase its payload is read in.
  private mutating func begin(_ bytes: UnsafeRawBufferPointer) throws(WebSocketError) {
    guard bytes[0] & 0x70 == 0 else { throw .reservedBits }
    guard (bytes[1] & 0x80 != 0) == masked else { throw .wrongMasking }
    isFinal = bytes[0] & 0x80 != 0
    opcode = bytes[0] & 0x0F
    let length = try Self.payloadBytes(bytes)
    if masked {
      mask = bytes.loadUnaligned(fromByteOffset: bytes.count - 4, as: UInt32.self).bigEndian
      maskOffset = 0
    }
    remaining = length
    switch opcode {
    case WebSocketOpcode.close, WebSocketOpcode.ping, WebSocketOpcode.pong:
      guard isFinal, length <= WebSocketControl.payloadBytesMax else { throw .badControlFrame }
      phase = .control
    case WebSocketOpcode.continuation:
      guard messageOpcode != 0 else { throw .badFragment }
      try announce(length)
    case WebSocketOpcode.text, WebSocketOpcode.binary:
      guard messageOpcode == 0 else { throw .badFragment }
      messageOpcode = opcode
      try announce(length)
    default: throw .unknownOpcode(opcode)
    }
  }

  private mutating func announce(_ length: Int) throws(WebSocketError) {
    let (total, overflow) = announced.addingReportingOverflow(length)
    guard !overflow, total / Self.skipFactorMax <= messageBytesMax else {
      throw .messageTooLong(overflow ? .max : total)
    }
    announced = total
    if total > messageBytesMax {
      message.clear()
      phase = .skip
    } else {
      phase = .message
    }
  }

  private static func payloadBytes(_ bytes: UnsafeRawBufferPointer) throws(WebSocketError) -> Int {
    switch bytes[1] & 0x7F {
    case 126:
      let length = Int(bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self).bigEndian)
      guard length >= 126 else { throw .badLength }
      return length
    case 127:
      let length = bytes.loadUnaligned(fromByteOffset: 2, as: UInt64.self).bigEndian
      guard length > UInt64(UInt16.max), length <= UInt64(Int64.max) else { throw .badLength }
      return Int(length)
    case let length: return Int(length)
    }
  }
}
