import NIOCore

/// The server's side of one WebSocket: sends batches of frames, answers pings, notices silence. What the client sends
/// besides control frames is read and thrown away.
///
/// @unchecked Sendable: used on its server's loop only, which every call asserts.
package final class WebSocketConnection: ChannelInboundHandler, @unchecked Sendable {
  package typealias InboundIn = ByteBuffer
  package typealias OutboundOut = ByteBuffer

  /// A client has nothing to say: its messages are bounded tightly.
  private static let clientBytesMax = 64 << 10
  /// How long a close may take before the socket is simply shut.
  private static let closeTimeout: TimeAmount = .seconds(5)

  private let configuration: HTTPServer.Configuration
  private var decoder = WebSocketDecoder(from: .client, messageBytesMax: WebSocketConnection.clientBytesMax)
  private var context: ChannelHandlerContext?
  private var heardAt = NIODeadline.now()
  private var timer: Scheduled<Void>?
  private var isClosing = false
  /// Nothing is read any more; the decoder may stand anywhere.
  private var isShut = false

  /// Called when the socket takes bytes again after `isWritable` was false.
  package var onWritable: (() -> Void)?
  /// Called once, when the connection is gone.
  package var onClose: (() -> Void)?

  init(configuration: HTTPServer.Configuration) { self.configuration = configuration }

  /// Neither closed nor closing.
  package var isOpen: Bool { !isClosing && context?.channel.isActive == true }

  /// Less than half a megabyte waits to be sent. Sending regardless is allowed and grows memory.
  package var isWritable: Bool { isOpen && context?.channel.isWritable == true }

  /// Sends every message of the batch in one write. The batch may be reused at once.
  package func send(_ batch: FrameBuffer) {
    guard let context, !isClosing else { return }
    context.eventLoop.assertInEventLoop()
    context.writeAndFlush(wrapOutboundOut(batch.buffer), promise: nil)
  }

  /// Sends one binary message.
  package func send(_ message: [UInt8]) {
    var batch = FrameBuffer(capacity: message.count + 10)
    batch.appendMessage { $0.append(message) }
    send(batch)
  }

  /// Sends what is still waiting, then a close frame, and gives the client five seconds to take it.
  package func close(code: UInt16, reason: String) {
    guard let context, !isClosing else { return }
    context.eventLoop.assertInEventLoop()
    WebSocketControl.closePayload(code: code, reason: reason).withUnsafeBytes { write(WebSocketOpcode.close, $0) }
    context.flush()
    isClosing = true
    timer?.cancel()
    timer = context.eventLoop.assumeIsolated().scheduleTask(in: Self.closeTimeout) { self.shut() }
  }

  package func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    heardAt = .now()
    watch(at: heardAt + configuration.pingAfter.timeAmount)
  }

  package func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  package func channelInactive(context: ChannelHandlerContext) {
    timer?.cancel()
    isClosing = true
    let onClose = self.onClose
    // Both may hold us.
    self.onClose = nil
    onWritable = nil
    onClose?()
    context.fireChannelInactive()
  }

  package func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable, !isClosing { onWritable?() }
    context.fireChannelWritabilityChanged()
  }

  package func errorCaught(context: ChannelHandlerContext, error: any Error) { shut() }

  package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isShut else { return }
    heardAt = .now()
    let bytes = unwrapInboundIn(data)
    decoder.beginChunk()
    bytes.withUnsafeReadableBytes { chunk in
      do throws(WebSocketError) {
        while let event = try decoder.next(in: chunk) {
          switch event {
          case .ping(let payload): write(WebSocketOpcode.pong, payload)
          case .close(let payload):
            let (code, _) = WebSocketControl.parseClose(payload)
            if isClosing { return shut() }
            close(code: code == 1005 ? WebSocketCloseCode.normal : code, reason: "")
            return shut()
          case .binary, .text, .pong, .oversized: break
          }
          decoder.accept()
        }
      } catch {
        close(code: WebSocketCloseCode.protocolError, reason: error.description)
        shut()
      }
    }
  }

  package func channelReadComplete(context: ChannelHandlerContext) {
    context.flush()
    context.fireChannelReadComplete()
  }

  private func watch(at deadline: NIODeadline) {
    timer = context?.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.checkSilence() }
  }

  private func checkSilence() {
    guard isOpen else { return }
    let now = NIODeadline.now()
    let deadAt = heardAt + configuration.deadAfter.timeAmount
    if now >= deadAt { return shut() }
    if now >= heardAt + configuration.pingAfter.timeAmount {
      write(WebSocketOpcode.ping, UnsafeRawBufferPointer(start: nil, count: 0))
      context?.flush()
      watch(at: min(deadAt, now + configuration.pingAfter.timeAmount))
    } else {
      watch(at: heardAt + configuration.pingAfter.timeAmount)
    }
  }

  /// A pong to a client that takes none is left out, so that pings cannot fill our memory; a close is always queued, once.
  private func write(_ opcode: UInt8, _ payload: UnsafeRawBufferPointer) {
    guard let context, !isClosing, opcode == WebSocketOpcode.close || context.channel.isWritable else { return }
    let frame = WebSocketControl.frame(opcode, payload: payload, mask: nil, allocator: context.channel.allocator)
    context.write(wrapOutboundOut(frame), promise: nil)
  }

  private func shut() {
    isClosing = true
    isShut = true
    context?.close(promise: nil)
  }
}
