import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// A small HTTP/1.1 server on one thread: whole answers to GET and HEAD, and WebSockets where a route opens them.
/// For metrics, health and the simulator; every size, number and wait has a limit.
package final class HTTPServer: Sendable {
  /// Where to listen, what to bear.
  package struct Configuration: Sendable {
    /// `HOST:PORT`; port 0 picks one. IPv6 in brackets.
    package var listen: String
    /// All header fields of a request together.
    package var headerBytesMax = 16 << 10
    /// The path with its query.
    package var targetBytesMax = 8 << 10
    /// The body of a request. None of our routes reads it.
    package var bodyBytesMax = 64 << 10
    /// Open connections; one more is closed at once.
    package var connectionsMax = 256
    /// From the first byte of a request to its last, also for the TLS handshake before it.
    package var requestTimeout: Duration = .seconds(10)
    /// Between two requests of a kept connection, and for taking an answer.
    package var idleTimeout: Duration = .seconds(60)
    /// A WebSocket is pinged after this silence and given up after `deadAfter`.
    package var pingAfter: Duration = .seconds(30)
    package var deadAfter: Duration = .seconds(120)
    /// PEM files; without them the server speaks plain HTTP.
    package var certificateFile: String?
    package var privateKeyFile: String?

    /// The defaults, at this address.
    package init(listen: String) { self.listen = listen }
  }

  /// Answers a GET or HEAD request; nil is 404. Called on the server's thread and must not block.
  package typealias Respond = @Sendable (HTTPRequest) -> HTTPResponse?
  /// Answers a WebSocket request; nil where the path has none.
  package typealias Upgrade = @Sendable (HTTPRequest) -> WebSocketAnswer?

  private let configuration: Configuration
  private let respond: Respond
  private let upgrade: Upgrade
  private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  private let listener = Mutex<(any Channel)?>(nil)
  private let isStopped = Mutex(false)

  /// A server that does not listen yet.
  package init(
    configuration: Configuration, respond: @escaping Respond, upgrade: @escaping Upgrade = { _ in nil }
  ) {
    self.configuration = configuration
    self.respond = respond
    self.upgrade = upgrade
  }

  /// The server's one thread, for work that belongs to its WebSockets.
  package var loop: ServerLoop { ServerLoop(loop: group.next()) }

  /// Binds and listens; returns the address with the port in use, as `HOST:PORT`. Blocks shortly; once.
  package func start() throws(NetworkError) -> String {
    guard let (host, port) = Self.split(configuration.listen) else { throw .badAddress(configuration.listen) }
    let tls = try makeTLS()
    let census = ConnectionCensus(max: configuration.connectionsMax)
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 256)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.maxMessagesPerRead, value: 1)
      .childChannelOption(.writeBufferWaterMark, value: .init(low: 256 << 10, high: 512 << 10))
      .childChannelInitializer { [configuration, respond, upgrade] channel in
        channel.eventLoop.makeCompletedFuture {
          guard census.enter() else { throw ChannelError.ioOnClosedChannel }
          channel.closeFuture.assumeIsolated().whenComplete { _ in census.leave() }
          let pipeline = channel.pipeline.syncOperations
          if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
          let encoder = HTTPResponseEncoder()
          var limits = NIOHTTPDecoderLimitConfiguration()
          limits.maxHeaderListSize = configuration.headerBytesMax
          limits.maxHeaderFieldSize = configuration.headerBytesMax
          let decoder = ByteToMessageHandler(
            HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits),
            maximumBufferSize: configuration.headerBytesMax + configuration.targetBytesMax)
          try pipeline.addHandler(encoder)
          try pipeline.addHandler(decoder)
          try pipeline.addHandler(
            HTTPServerHandler(
              configuration: configuration, respond: respond, upgrade: upgrade, encoder: encoder, decoder: decoder))
        }
      }
    do {
      let channel = try bootstrap.bind(host: host, port: port).wait()
      listener.withLock { $0 = channel }
      let bound = channel.localAddress?.port ?? port
      return host.contains(":") ? "[\(host)]:\(bound)" : "\(host):\(bound)"
    } catch {
      throw .cannotListen(configuration.listen, cause: RelayConnector.describe(error))
    }
  }

  /// Closes everything and ends the thread; returns when it is gone. Not to be called on that thread.
  package func stop() {
    isStopped.withLock { isStopped in
      guard !isStopped else { return }
      isStopped = true
      do {
        try group.syncShutdownGracefully()
      } catch {
        // Errors of closing sockets: they are closed all the same.
      }
    }
  }

  deinit {
    if !isStopped.withLock({ $0 }) { group.shutdownGracefully { _ in } }
  }

  private func makeTLS() throws(NetworkError) -> NIOSSLContext? {
    guard let certificate = configuration.certificateFile, let key = configuration.privateKeyFile else { return nil }
    do {
      let chain = try NIOSSLCertificate.fromPEMFile(certificate).map { NIOSSLCertificateSource.certificate($0) }
      let privateKey = NIOSSLPrivateKeySource.privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
      return try NIOSSLContext(
        configuration: .makeServerConfiguration(certificateChain: chain, privateKey: privateKey))
    } catch {
      throw .badCertificate(certificate, cause: "\(error)")
    }
  }

  /// `HOST:PORT`, `[v6]:PORT` or `:PORT`, which means every interface.
  static func split(_ text: String) -> (host: String, port: Int)? {
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      (0...65535).contains(port)
    else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      return nil
    }
    return (host.isEmpty ? "0.0.0.0" : String(host), port)
  }
}

/// How many connections are open.
///
/// @unchecked Sendable: read and written on the server's one loop only.
private final class ConnectionCensus: @unchecked Sendable {
  private let max: Int
  private var count = 0

  init(max: Int) { self.max = max }

  func enter() -> Bool {
    guard count < max else { return false }
    count += 1
    return true
  }

  func leave() { count -= 1 }
}
