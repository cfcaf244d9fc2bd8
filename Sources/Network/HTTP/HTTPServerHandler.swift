import NIOCore
import NIOHTTP1
import NIOWebSocket

/// One connection of the server, from request to request, until it closes or becomes a WebSocket.
final class HTTPServerHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let configuration: HTTPServer.Configuration
  private let respond: HTTPServer.Respond
  private let upgrade: HTTPServer.Upgrade
  private let encoder: HTTPResponseEncoder
  private let decoder: ByteToMessageHandler<HTTPRequestDecoder>

  private var head: HTTPRequestHead?
  private var bodyBytes = 0
  private var isClosing = false
  private var isUpgraded = false
  /// When the connection has been kept waiting too long. Moved on by progress; the timer looks at it when it fires.
  private var deadline = NIODeadline.distantFuture
  private var timer: Scheduled<Void>?

  init(
    configuration: HTTPServer.Configuration, respond: @escaping HTTPServer.Respond,
    upgrade: @escaping HTTPServer.Upgrade, encoder: HTTPResponseEncoder,
    decoder: ByteToMessageHandler<HTTPRequestDecoder>
  ) {
    self.configuration = configuration
    self.respond = respond
    self.upgrade = upgrade
    self.encoder = encoder
    self.decoder = decoder
  }

  func channelActive(context: ChannelHandlerContext) {
    // The first request is due at once: who connects and says nothing holds a place. Bytes alone do not move this on,
    // so a request sent drop by drop ends with it.
    deadline = .now() + configuration.requestTimeout.timeAmount
    watch(context)
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    timer?.cancel()
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if isUpgraded { return context.fireChannelRead(data) }
    guard !isClosing else { return }
    switch unwrapInboundIn(data) {
    case .head(let head):
      self.head = head
      bodyBytes = 0
      deadline = .now() + configuration.requestTimeout.timeAmount
      watch(context)
      if head.uri.utf8.count > configuration.targetBytesMax { refuse(.text(414, "target too long"), context) }
    case .body(let bytes):
      bodyBytes += bytes.readableBytes
      if bodyBytes > configuration.bodyBytesMax { refuse(.text(413, "body too large"), context) }
    case .end:
      guard let head else { return }
      self.head = nil
      deadline = .now() + configuration.idleTimeout.timeAmount
      watch(context)
      answer(head, context)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if isUpgraded { return context.fireErrorCaught(error) }
    switch error {
    case HTTPParserError.headerOverflow, is ByteToMessageDecoderError.PayloadTooLargeError:
      refuse(.text(431, "header too large"), context)
    case is HTTPParserError: refuse(.text(400, "not an HTTP request"), context)
    default: context.close(promise: nil)
    }
  }

  private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    let mark = head.uri.firstIndex(of: "?") ?? head.uri.endIndex
    guard head.uri.hasPrefix("/"), let path = HTTPRequest.unescape(head.uri[..<mark]) else {
      return refuse(.text(400, "bad target"), context)
    }
    let query = mark < head.uri.endIndex ? String(head.uri[head.uri.index(after: mark)...]) : nil
    let request = HTTPRequest(method: head.method.rawValue, path: path, query: query)
    let asksForWebSocket = head.headers[canonicalForm: "Upgrade"].contains { $0.lowercased() == "websocket" }
    switch upgrade(request) {
    case .accept(let onOpen)? where asksForWebSocket && head.method == .GET:
      return open(head, context, onOpen)
    case .accept?:
      return refuse(.text(426, "this is a WebSocket"), context)
    case .refuse(let response)?:
      return refuse(response, context)
    case nil: break
    }
    guard head.method == .GET || head.method == .HEAD else {
      return write(.text(405, "method not allowed"), to: head, context, extra: [("Allow", "GET, HEAD")])
    }
    write(respond(request) ?? .text(404, "not found"), to: head, context)
  }

  private func write(
    _ response: HTTPResponse, to head: HTTPRequestHead, _ context: ChannelHandlerContext,
    extra: [(String, String)] = []
  ) {
    // A client that sends requests and takes no answers is let go: its answers would pile up here.
    let keepsAlive = head.isKeepAlive && context.channel.isWritable && head.headers["Upgrade"].isEmpty
    send(response, isHead: head.method == .HEAD, keepsAlive: keepsAlive, extra: extra, context)
  }

  /// Answers and closes: what follows on this connection cannot be read any more.
  private func refuse(_ response: HTTPResponse, _ context: ChannelHandlerContext) {
    guard !isClosing else { return }
    send(response, isHead: false, keepsAlive: false, extra: [], context)
  }

  private func send(
    _ response: HTTPResponse, isHead: Bool, keepsAlive: Bool, extra: [(String, String)],
    _ context: ChannelHandlerContext
  ) {
    var headers = HTTPHeaders([
      ("Content-Type", response.contentType), ("Content-Length", "\(response.body.count)"),
      ("Connection", keepsAlive ? "keep-alive" : "close"),
    ])
    headers.add(contentsOf: extra)
    let status = HTTPResponseStatus(statusCode: response.status)
    context.write(
      wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))), promise: nil)
    if !isHead {
      context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: response.body)))), promise: nil)
    }
    let sent = context.eventLoop.makePromise(of: Void.self)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: sent)
    guard !keepsAlive else { return }
    isClosing = true
    deadline = .now() + configuration.requestTimeout.timeAmount
    watch(context)
    let channel = context.channel
    sent.futureResult.whenComplete { _ in channel.close(mode: .output, promise: nil) }
  }

  // MARK: WebSocket

  private func open(
    _ head: HTTPRequestHead, _ context: ChannelHandlerContext,
    _ onOpen: @escaping @Sendable (WebSocketConnection) -> Void
  ) {
    let upgrader = NIOWebSocketServerUpgrader(
      shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(HTTPHeaders()) },
      upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() })
    let headers = upgrader.buildUpgradeResponse(
      channel: context.channel, upgradeRequest: head, initialResponseHeaders: [:])
    headers.assumeIsolated().whenComplete { result in
      switch result {
      case .failure: self.refuse(.text(400, "not a WebSocket 13 request"), context)
      case .success(let headers): self.switchProtocols(headers, context, onOpen)
      }
    }
  }

  private func switchProtocols(
    _ headers: HTTPHeaders, _ context: ChannelHandlerContext,
    _ onOpen: @escaping @Sendable (WebSocketConnection) -> Void
  ) {
    isUpgraded = true
    timer?.cancel()
    context.write(
      wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers))),
      promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    let pipeline = context.pipeline.syncOperations
    let connection = WebSocketConnection(configuration: configuration)
    do {
      try pipeline.addHandler(connection, position: .after(self))
    } catch {
      // Only a closed pipeline refuses a handler.
      return context.close(promise: nil)
    }
    pipeline.removeHandler(encoder, promise: nil)
    // The decoder leaves on the loop's next turn and hands its left-over bytes through us; only then do we go.
    pipeline.removeHandler(decoder).assumeIsolated().whenComplete { _ in
      pipeline.removeHandler(self, promise: nil)
      if connection.isOpen { onOpen(connection) }
    }
  }

  // MARK: Waiting

  private func watch(_ context: ChannelHandlerContext) {
    timer?.cancel()
    timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
      guard !self.isUpgraded, context.channel.isActive else { return }
      if NIODeadline.now() < self.deadline { return self.watch(context) }
      context.close(promise: nil)
    }
  }
}
