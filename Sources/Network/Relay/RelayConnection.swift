import Glibc
import NIOCore
import NIOSSL

/// The stream part of a connection: socket bytes to offered frames, keep-alive, and the pause while there is no room.
/// Until the relay has agreed to the stream it only hands on its HTTP answer. Lives on its channel's loop.
final class RelayConnection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// One read of the socket. Fixed: the allocator that adapts its size costs more than the memory.
  static let readBytesMax = ReadPacer.bytesWanted

  /// What an HTTP head ends with.
  private static let headEnd: [UInt8] = [13, 10, 13, 10]

  private static let lowWaterMark = NIOBSDSocket.Option(rawValue: SO_RCVLOWAT)

  private enum Progress: Equatable { case drained, stalled, failed(WebSocketError), closed(UInt16, String) }

  private let configuration: RelayClient.Configuration
  private let events: RelayEvents
  private let room: RoomSignal
  private let onEnd: (RelayDisconnect, Bool) -> Void
  private let onFirstFrame: () -> Void

  private var decoder: WebSocketDecoder
  /// Chunks read and not used up, with their time. More than one only while stalled: TLS may decrypt several at once,
  /// and a peer that closes makes NIO read what the kernel still holds, which its receive buffer bounds.
  private var chunks: [(bytes: ByteBuffer, readAt: Int64)] = []
  private var context: ChannelHandlerContext?
  private var pacer = ReadPacer(now: Clock.monotonicNanoseconds())
  private var bytesSinceRead = 0
  /// The HTTP answer is over and the stream has begun.
  private var isOpen = false
  /// How much of `headEnd` the last bytes of the answer match.
  private var headEndMatched = 0
  private var isStalled = false
  private var isEnded = false
  private var isInactive = false
  private var hadFrames = false
  private var lostCause: RelayDisconnect?

  private var heardAt = NIODeadline.now()
  private var pingedAt: NIODeadline?
  private var keepAlive: Scheduled<Void>?
  /// The end of the pause in which bytes gather in the socket.
  private var pauseEnd: Scheduled<Void>?
  /// Bytes that have to lie in the socket for it to be read, as the kernel knows it.
  private var bytesWanted = 1
  /// Messages were told since `onGathered` was last called.
  private var hasNews = false

  init(
    configuration: RelayClient.Configuration, events: RelayEvents, room: RoomSignal,
    onEnd: @escaping (RelayDisconnect, Bool) -> Void, onFirstFrame: @escaping () -> Void
  ) {
    self.configuration = configuration
    self.events = events
    self.room = room
    self.onEnd = onEnd
    self.onFirstFrame = onFirstFrame
    decoder = WebSocketDecoder(from: .server, messageBytesMax: configuration.frameBytesMax)
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  /// The relay has agreed: the next byte is the stream's first.
  func open() {
    guard let context else { return }
    isOpen = true
    heardAt = .now()
    // From here on each read is asked for: no room, no read.
    do {
      try context.channel.syncOptions?.setOption(.autoRead, value: false)
    } catch {
      // Only a closed channel refuses an option; channelInactive follows.
    }
    scheduleKeepAlive(at: heardAt + configuration.pingAfter.timeAmount)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    while !isOpen {
      // A relay may send its first frames, and even close, together with its answer. So the answer is handed on
      // exactly to the end of its head; after that it is known whether the stream has begun.
      guard let head = bytes.readSlice(length: bytesToHeadEnd(bytes)) else { return }
      context.fireChannelRead(wrapInboundOut(head))
      if bytes.readableBytes == 0 { return }
    }
    guard !isEnded else { return }
    heardAt = .now()
    pingedAt = nil
    bytesSinceRead += bytes.readableBytes
    chunks.append((bytes, Clock.realtimeMicroseconds()))
    if !isStalled { drain() }
  }

  /// Bytes up to and with the next end of a head; all of them if there is none.
  private func bytesToHeadEnd(_ bytes: ByteBuffer) -> Int {
    for (index, byte) in bytes.readableBytesView.enumerated() {
      headEndMatched = byte == Self.headEnd[headEndMatched] ? headEndMatched + 1 : (byte == Self.headEnd[0] ? 1 : 0)
      guard headEndMatched == Self.headEnd.count else { continue }
      headEndMatched = 0
      return index + 1
    }
    return bytes.readableBytes
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    guard isOpen else { return context.fireChannelReadComplete() }
    context.flush()
    readOn()
  }

  func channelInactive(context: ChannelHandlerContext) {
    isInactive = true
    guard isOpen else { return context.fireChannelInactive() }
    // Whole frames that arrived before the end are still offered, also when there is no room just now.
    if !isStalled { end(lostCause ?? .lost("closed without a close frame")) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard isOpen else { return context.fireErrorCaught(error) }
    // A relay that ends TLS without a goodbye is the same as one that ends TCP: channelInactive follows.
    if lostCause == nil { lostCause = .lost(RelayConnector.describe(error)) }
    context.close(promise: nil)
  }

  /// There is room again.
  func resume() {
    guard isStalled, !isEnded else { return }
    isStalled = false
    // The silence was ours.
    heardAt = .now()
    pingedAt = nil
    drain()
    guard !isStalled else { return }
    if isInactive {
      end(lostCause ?? .lost("closed without a close frame"))
    } else {
      context?.flush()
      readOn()
    }
  }

  /// The client stops: nothing is offered or told any more.
  func stop() {
    sendClose(code: WebSocketCloseCode.normal, reason: "")
    silence()
    context?.close(promise: nil)
  }

  private func drain() {
    while let (chunk, readAt) = chunks.first {
      switch chunk.withUnsafeReadableBytes({ offer($0, readAt: readAt) }) {
      case .drained:
        chunks.removeFirst()
        decoder.beginChunk()
      case .stalled:
        isStalled = true
        announce()
        return
      case .failed(let error):
        sendClose(code: WebSocketCloseCode.protocolError, reason: error.description)
        return end(.protocolError(error))
      case .closed(let code, let reason):
        sendClose(code: code == 1005 ? WebSocketCloseCode.normal : code, reason: "")
        return end(.closed(code: code, reason: reason))
      }
    }
  }

  /// Offers every message that ends in this chunk.
  private func offer(_ chunk: UnsafeRawBufferPointer, readAt: Int64) -> Progress {
    while true {
      let event: WebSocketDecoder.Event?
      do throws(WebSocketError) { event = try decoder.next(in: chunk) } catch { return .failed(error) }
      switch event {
      case nil: return .drained
      case .binary(let frame):
        if !events.onFrame(frame, readAt), !offerAgain({ events.onFrame(frame, readAt) }) { return .stalled }
        hasNews = true
        if !hadFrames, !Self.isRefusal(frame) {
          hadFrames = true
          onFirstFrame()
        }
      case .oversized(let bytes):
        if !events.onOversized(bytes, readAt), !offerAgain({ events.onOversized(bytes, readAt) }) { return .stalled }
        hasNews = true
      case .text(let text):
        if !events.onText(text, readAt), !offerAgain({ events.onText(text, readAt) }) { return .stalled }
        hasNews = true
      case .ping(let payload): write(WebSocketOpcode.pong, payload)
      case .pong: break
      case .close(let payload):
        let (code, reason) = WebSocketControl.parseClose(payload)
        return .closed(code, reason)
      }
      decoder.accept()
    }
  }

  /// An error frame: its header is the map of `op` to −1 (event stream specification, "Framing"). A relay that answers
  /// each connection with one is not a relay that works, and must not be asked again every second for ever.
  private static func isRefusal(_ frame: UnsafeRawBufferPointer) -> Bool {
    frame.starts(with: [0xA1, 0x62, 0x6F, 0x70, 0x20])
  }

  /// Room may have come between the refusal and our saying that we wait: then nobody would ever call `resume`.
  private func offerAgain(_ offer: () -> Bool) -> Bool {
    room.startWaiting()
    guard offer() else { return false }
    room.stopWaiting()
    return true
  }

  /// Has what was told worked on, and asks for the next read.
  private func readOn() {
    guard !isStalled, !isEnded, let context else { return }
    announce()
    let mayGather = pacer.gathers(afterReading: bytesSinceRead, now: Clock.monotonicNanoseconds())
    bytesSinceRead = 0
    pauseEnd?.cancel()
    pauseEnd = nil
    if mayGather, configuration.readPause > .zero {
      want(ReadPacer.bytesWanted)
      pauseEnd = context.eventLoop.assumeIsolated().scheduleTask(in: configuration.readPause.timeAmount) {
        self.pauseEnd = nil
        self.want(1)
      }
    } else {
      want(1)
    }
    context.read()
  }

  /// Tells the kernel how many bytes make the socket readable. The end of the stream does in any case, and so does a receive
  /// buffer that takes no more (tcp_epollin_ready), so that nothing stands still however small that is.
  private func want(_ bytes: Int) {
    guard bytes != bytesWanted, let options = context?.channel.syncOptions else { return }
    do {
      try options.setOption(.socketOption(Self.lowWaterMark), value: SocketOptionValue(bytes))
      bytesWanted = bytes
    } catch {
      // The channel is closed, or the system does not know the option: there every byte makes the socket readable.
    }
  }

  private func announce() {
    guard hasNews else { return }
    hasNews = false
    events.onGathered()
  }

  // MARK: Keep-alive

  private func scheduleKeepAlive(at deadline: NIODeadline) {
    keepAlive = context?.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.checkSilence() }
  }

  /// Runs when the silence could have grown long enough for a ping or for giving up; a chunk in between moves it on.
  private func checkSilence() {
    guard !isEnded, !isInactive else { return }
    let now = NIODeadline.now()
    // While we do not read we cannot hear. We still ping, so that the relay hears us.
    if isStalled { heardAt = now }
    let deadAt = heardAt + configuration.deadAfter.timeAmount
    if now >= deadAt { return end(.silent(configuration.deadAfter)) }
    let pingAt = max(heardAt, pingedAt ?? heardAt) + configuration.pingAfter.timeAmount
    if now >= pingAt || isStalled {
      write(WebSocketOpcode.ping, UnsafeRawBufferPointer(start: nil, count: 0))
      context?.flush()
      pingedAt = now
      scheduleKeepAlive(at: min(deadAt, now + configuration.pingAfter.timeAmount))
    } else {
      scheduleKeepAlive(at: min(deadAt, pingAt))
    }
  }

  /// A relay that floods us with pings and reads no answers must not grow our memory: then pongs are left out.
  private func write(_ opcode: UInt8, _ payload: UnsafeRawBufferPointer) {
    guard let context, context.channel.isWritable else { return }
    let mask = UInt32.random(in: .min ... .max)
    let frame = WebSocketControl.frame(opcode, payload: payload, mask: mask, allocator: context.channel.allocator)
    context.write(wrapOutboundOut(frame), promise: nil)
  }

  private func sendClose(code: UInt16, reason: String) {
    WebSocketControl.closePayload(code: code, reason: reason).withUnsafeBytes { write(WebSocketOpcode.close, $0) }
    context?.flush()
  }

  private func silence() {
    isEnded = true
    announce()
    keepAlive?.cancel()
    pauseEnd?.cancel()
    chunks.removeAll()
    room.stopWaiting()
  }

  private func end(_ reason: RelayDisconnect) {
    guard !isEnded else { return }
    silence()
    context?.close(promise: nil)
    onEnd(reason, hadFrames)
  }
}
