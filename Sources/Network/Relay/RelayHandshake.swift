import NIOCore
import NIOHTTP1
import NIOSSL
import NIOWebSocket

/// The HTTP part of a connection: asks for the upgrade and reports exactly one outcome. Stands behind the connection's
/// stream part, which hands it the answer and keeps what follows an upgrade.
final class RelayHandshake: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundOut = HTTPClientRequestPart

  enum Outcome {
    /// The stream begins with the next byte.
    case upgraded
    case redirect(String)
    case failed(RelayDisconnect)
  }

  /// Enough of an error's body to tell what happened.
  static let bodyBytesMax = 512

  private let address: RelayAddress
  private let cursor: Int64?
  private let configuration: RelayClient.Configuration
  private let onOutcome: (Outcome) -> Void
  private let upgrader = NIOWebSocketClientUpgrader { channel, _ in channel.eventLoop.makeSucceededVoidFuture() }

  private var timeout: Scheduled<Void>?
  private var head: HTTPResponseHead?
  private var body: [UInt8] = []
  private var isDone = false

  init(
    address: RelayAddress, cursor: Int64?, configuration: RelayClient.Configuration,
    onOutcome: @escaping (Outcome) -> Void
  ) {
    self.address = address
    self.cursor = cursor
    self.configuration = configuration
    self.onOutcome = onOutcome
  }

  func channelActive(context: ChannelHandlerContext) {
    var headers = HTTPHeaders([
      ("Host", address.name), ("Upgrade", "websocket"), ("Connection", "Upgrade"),
      ("User-Agent", configuration.userAgent),
    ])
    upgrader.addCustom(upgradeRequestHeaders: &headers)
    let request = HTTPRequestHead(
      version: .http1_1, method: .GET, uri: address.target(cursor: cursor), headers: headers)
    context.write(wrapOutboundOut(.head(request)), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    timeout = context.eventLoop.assumeIsolated().scheduleTask(in: configuration.handshakeTimeout.timeAmount) {
      self.end(.failed(.badHandshake("no answer in \(self.configuration.handshakeTimeout)")), context)
    }
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isDone else { return }
    switch unwrapInboundIn(data) {
    case .head(let head): self.head = head
    case .body(let bytes):
      body += bytes.readableBytesView.prefix(Self.bodyBytesMax - body.count)
      // An endless body is not waited for.
      if body.count == Self.bodyBytesMax { answered(context) }
    case .end: answered(context)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    if head != nil { answered(context) }
    end(.failed(.badHandshake("connection closed")), context)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch error {
    case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: end(.failed(.tls("\(error)")), context)
    case is HTTPParserError: end(.failed(.badHandshake("not HTTP: \(error)")), context)
    default: end(.failed(.lost(RelayConnector.describe(error))), context)
    }
  }

  private func answered(_ context: ChannelHandlerContext) {
    guard let head, !isDone else { return }
    switch head.status.code {
    case 101: upgrade(head, context)
    case 301, 302, 303, 307, 308:
      guard let location = head.headers.first(name: "Location") else { return refuse(head, context) }
      end(.redirect(location), context)
    default: refuse(head, context)
    }
  }

  private func refuse(_ head: HTTPResponseHead, _ context: ChannelHandlerContext) {
    let wait = head.headers.first(name: "Retry-After").flatMap {
      RetryAfter.parse($0, now: Clock.realtimeMicroseconds() / 1_000_000)
    }
    let text = String(decoding: body, as: UTF8.self)
    end(.failed(.refused(status: Int(head.status.code), body: text, retryAfter: wait)), context)
  }

  /// RFC 6455 section 4.1: the answer must name the protocol and prove that it read our key.
  private func upgrade(_ head: HTTPResponseHead, _ context: ChannelHandlerContext) {
    guard head.headers.first(name: "Upgrade")?.lowercased() == "websocket",
      head.headers[canonicalForm: "Connection"].contains(where: { $0.lowercased() == "upgrade" }),
      upgrader.shouldAllowUpgrade(upgradeResponse: head), head.headers["Sec-WebSocket-Extensions"].isEmpty
    else { return end(.failed(.badHandshake("the answer to the upgrade does not match")), context) }
    isDone = true
    timeout?.cancel()
    onOutcome(.upgraded)
  }

  private func end(_ outcome: Outcome, _ context: ChannelHandlerContext) {
    guard !isDone else { return }
    isDone = true
    timeout?.cancel()
    onOutcome(outcome)
    context.close(promise: nil)
  }
}
