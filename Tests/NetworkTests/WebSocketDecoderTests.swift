import Testing

@testable import Network

/// A decoder's event with its bytes copied out.
private enum Decoded: Equatable {
  case binary([UInt8]), text([UInt8]), oversized(Int), ping([UInt8]), pong([UInt8]), close([UInt8])

  init(_ event: WebSocketDecoder.Event) {
    switch event {
    case .binary(let bytes): self = .binary(Array(bytes))
    case .text(let bytes): self = .text(Array(bytes))
    case .oversized(let count): self = .oversized(count)
    case .ping(let bytes): self = .ping(Array(bytes))
    case .pong(let bytes): self = .pong(Array(bytes))
    case .close(let bytes): self = .close(Array(bytes))
    }
  }
}

/// Decodes a stream cut into chunks; `refuse` makes the reader turn an event down and ask again.
private func decode(
  _ chunks: [[UInt8]], from peer: WebSocketDecoder.Peer = .server, limit: Int = 1 << 20, refuse: () -> Bool = { false }
) -> (events: [Decoded], error: WebSocketError?) {
  var decoder = WebSocketDecoder(from: peer, messageBytesMax: limit)
  var events: [Decoded] = []
  for chunk in chunks {
    decoder.beginChunk()
    let error = chunk.withUnsafeBytes { bytes -> WebSocketError? in
      do throws(WebSocketError) {
        while let event = try decoder.next(in: bytes) {
          if refuse() { continue }
          events.append(Decoded(event))
          decoder.accept()
        }
      } catch {
        return error
      }
      return nil
    }
    if let error { return (events, error) }
  }
  return (events, nil)
}

private func split(_ bytes: [UInt8], using generator: inout SeededGenerator) -> [[UInt8]] {
  var chunks: [[UInt8]] = []
  var rest = bytes[...]
  while !rest.isEmpty {
    let longest = [1, 3, 20, 5000, 200_000].randomElement(using: &generator)!
    let count = min(rest.count, Int.random(in: 1...longest, using: &generator))
    chunks.append(Array(rest.prefix(count)))
    rest = rest.dropFirst(count)
  }
  return chunks
}

/// Messages of every length form, some fragmented, with control frames between and inside them.
private func randomStream(masked: Bool, using generator: inout SeededGenerator) -> (bytes: [UInt8], expected: [Decoded])
{
  var bytes: [UInt8] = []
  var expected: [Decoded] = []
  func mask() -> [UInt8]? { masked ? (0..<4).map { _ in UInt8.random(in: 0...255, using: &generator) } : nil }
  func control() {
    let payload = (0..<Int.random(in: 0...125, using: &generator)).map { UInt8(truncatingIfNeeded: $0) }
    let isPing = Bool.random(using: &generator)
    bytes += Wire.frame(isPing ? 9 : 10, payload, mask: mask())
    expected.append(isPing ? .ping(payload) : .pong(payload))
  }
  for _ in 0..<12 {
    if Int.random(in: 0..<4, using: &generator) == 0 { control() }
    let size = [0, 1, 125, 126, 127, 700, 5400, 65_535, 65_536].randomElement(using: &generator)!
    let salt = UInt8.random(in: 0...255, using: &generator)
    let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) ^ salt }
    let opcode: UInt8 = Int.random(in: 0..<5, using: &generator) == 0 ? 1 : 2
    var pieces: [ArraySlice<UInt8>] = []
    var rest = payload[...]
    while Int.random(in: 0..<3, using: &generator) == 0 {
      let piece = rest.prefix(Int.random(in: 0...rest.count, using: &generator))
      pieces.append(piece)
      rest = rest.dropFirst(piece.count)
    }
    pieces.append(rest)
    for (index, piece) in pieces.enumerated() {
      if index > 0, Bool.random(using: &generator) { control() }
      let isLast = index == pieces.count - 1
      bytes += Wire.frame(index == 0 ? opcode : 0, Array(piece), final: isLast, mask: mask())
    }
    expected.append(opcode == 1 ? .text(payload) : .binary(payload))
  }
  return (bytes, expected)
}

@Suite struct WebSocketDecoderTests {
  @Test(arguments: 0..<12)
  func `messages come out whole however the stream is cut, fragmented, interleaved or refused`(seed: Int) {
    var generator = SeededGenerator(seed: UInt64(seed))
    let masked = seed % 3 == 0
    let (bytes, expected) = randomStream(masked: masked, using: &generator)
    let chunks = split(bytes, using: &generator)
    var refusals = SeededGenerator(seed: UInt64(seed) + 1000)
    let result = decode(chunks, from: masked ? .client : .server) { Int.random(in: 0..<4, using: &refusals) == 0 }
    #expect(result.error == nil)
    #expect(result.events == expected, "seed \(seed)")
  }

  @Test func `a message over the limit is named by its announced size, kept nowhere, and the next one arrives`() throws
  {
    let big = [UInt8](repeating: 7, count: 60_000)
    var decoder = WebSocketDecoder(from: .server, messageBytesMax: 1000)
    let stream = Wire.binary([1]) + Wire.binary(big) + Wire.binary([2])
    var events: [Decoded] = []
    for start in stride(from: 0, to: stream.count, by: 999) {
      decoder.beginChunk()
      try stream[start..<min(start + 999, stream.count)].withUnsafeBytes { bytes in
        while let event = try decoder.next(in: bytes) {
          events.append(Decoded(event))
          decoder.accept()
        }
      }
      #expect(decoder.bufferedBytes <= 1)
    }
    #expect(events == [.binary([1]), .oversized(60_000), .binary([2])])
  }

  @Test func `the limit counts the sum of fragments and drops what was kept`() {
    let part = [UInt8](repeating: 1, count: 600)
    let stream =
      Wire.frame(2, part, final: false) + Wire.frame(9, [5]) + Wire.frame(0, part, final: false)
      + Wire.frame(0, part) + Wire.binary([9])
    #expect(decode([stream], limit: 1000).events == [.ping([5]), .oversized(1800), .binary([9])])
  }

  @Test func `a message of exactly the limit passes, one byte more does not`() {
    let stream = Wire.binary(.init(repeating: 1, count: 500)) + Wire.binary(.init(repeating: 1, count: 501))
    #expect(decode([stream], limit: 500).events == [.binary(.init(repeating: 1, count: 500)), .oversized(501)])
  }

  @Test func `a message too long ever to skip ends the connection`() {
    #expect(decode([Wire.announcement(of: 1 << 60)], limit: 1000).error == .messageTooLong(1 << 60))
  }

  @Test(
    arguments: [
      ([0xC2, 0x00], .reservedBits), ([0x92, 0x00], .reservedBits), ([0x83, 0x00], .unknownOpcode(3)),
      ([0x8B, 0x00], .unknownOpcode(11)), ([0x82, 0x80, 0, 0, 0, 0], .wrongMasking), ([0x09, 0x00], .badControlFrame),
      ([0x89, 126, 0, 126], .badControlFrame), ([0x80, 0x00], .badFragment),
      ([0x02, 0x01, 7, 0x82, 0x00], .badFragment), ([0x82, 126, 0, 125], .badLength),
      ([0x82, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], .badLength), ([0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0], .badLength),
      ([0x88, 0x01, 3], .badClose),
    ] as [([UInt8], WebSocketError)])
  func `what RFC 6455 forbids is a protocol error, also byte by byte`(bytes: [UInt8], error: WebSocketError) {
    #expect(decode([bytes]).error == error)
    #expect(decode(bytes.map { [$0] }).error == error)
  }

  @Test func `an unmasked frame of a client is a protocol error`() {
    #expect(decode([Wire.binary([1])], from: .client).error == .wrongMasking)
  }

  @Test(arguments: 0..<40)
  func `garbage ends in events or in a protocol error and never keeps more than the limit`(seed: Int) {
    var generator = SeededGenerator(seed: UInt64(seed))
    var bytes = (0..<Int.random(in: 1...4000, using: &generator)).map { _ in
      UInt8.random(in: 0...255, using: &generator)
    }
    if seed % 2 == 0 {
      // A sound stream with a few bytes turned.
      bytes = randomStream(masked: seed % 4 == 0, using: &generator).bytes
      for _ in 0..<5 {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        bytes[place] ^= UInt8.random(in: 1...255, using: &generator)
      }
    }
    var decoder = WebSocketDecoder(from: seed % 4 == 0 ? .client : .server, messageBytesMax: 3000)
    for chunk in split(bytes, using: &generator) {
      decoder.beginChunk()
      let goesOn = chunk.withUnsafeBytes { bytes -> Bool in
        do {
          while case .some = try decoder.next(in: bytes) { decoder.accept() }
          return true
        } catch {
          return false
        }
      }
      #expect(decoder.bufferedBytes <= 3000, "seed \(seed)")
      guard goesOn else { break }
    }
  }

  @Test func `a batch holds each message under the shortest header`() {
    var batch = FrameBuffer(capacity: 100)
    let sizes = [0, 1, 125, 126, 65_535, 65_536, 70_000]
    for size in sizes {
      batch.appendMessage { frame in
        frame.append([UInt8](repeating: UInt8(truncatingIfNeeded: size), count: size))
        if size >= 9 { frame.patch(bigEndian: 0x0102_0304_0506_0708, at: 1) }
      }
    }
    let expected = sizes.map { size -> [UInt8] in
      var payload = [UInt8](repeating: UInt8(truncatingIfNeeded: size), count: size)
      if size >= 9 { payload.replaceSubrange(1..<9, with: [1, 2, 3, 4, 5, 6, 7, 8]) }
      return payload
    }
    #expect(batch.bytes == expected.flatMap { Wire.binary($0) })
    #expect(batch.messageCount == sizes.count)
    batch.removeAll()
    #expect(batch.byteCount == 0 && batch.messageCount == 0)
  }
}
