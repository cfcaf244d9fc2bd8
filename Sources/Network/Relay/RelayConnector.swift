import Dispatch
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// Says that a frame was refused and waits for room. The one thing the client's thread shares with others.
final class RoomSignal: Sendable {
  private let isWaiting = Atomic<Bool>(false)

  func startWaiting() { isWaiting.store(true, ordering: .sequentiallyConsistent) }
  func stopWaiting() { isWaiting.store(false, ordering: .sequentiallyConsistent) }

  /// True for exactly one caller per refusal. A plain load where nobody waits, which is nearly always.
  func takeWaiting() -> Bool {
    guard isWaiting.load(ordering: .sequentiallyConsistent) else { return false }
    return isWaiting.exchange(false, ordering: .sequentiallyConsistent)
  }
}

/// Opens one connection after the other: which host, when, where redirects lead.
///
/// @unchecked Sendable: every mutable property is touched on `loop` only; each method says so with `assertInEventLoop`
/// or is a callback of that loop.
final class RelayConnector: @unchecked Sendable {
  private enum Phase { case idle, attempting, open, waiting, stopped }

  let loop: any EventLoop
  let room = RoomSignal()
  private let group: MultiThreadedEventLoopGroup
  private let configuration: RelayClient.Configuration
  private let addresses: [RelayAddress]
  private let tls: RelayTLS
  private let events: RelayEvents

  private var phase = Phase.idle
  private var hostIndex = 0
  private var backoff: Backoff
  /// When a host that asked for time may be asked again (`Retry-After`).
  private var notBefore: [NIODeadline]
  private var retry: Scheduled<Void>?
  private var channel: (any Channel)?
  private var connection: RelayConnection?
  /// TCP is being set up: its outcome arrives later in any case.
  private var isConnectInFlight = false
  private var hasLookedUp = false

  init(
    configuration: RelayClient.Configuration, addresses: [RelayAddress], tls: RelayTLS, events: RelayEvents
  ) {
    self.configuration = configuration
    self.addresses = addresses
    self.tls = tls
    self.events = events
    group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    loop = group.next()
    backoff = Backoff(first: configuration.backoffFirst, longest: configuration.backoffLongest)
    notBefore = addresses.map { _ in .uptimeNanoseconds(0) }
  }

  func start() {
    loop.assertInEventLoop()
    guard phase == .idle else { return }
    attempt()
  }

  func resume() {
    loop.assertInEventLoop()
    connection?.resume()
  }

  /// Ends everything under way. A name look-up or TCP set-up cannot be cut short: its end then ends the thread.
  func stop() {
    loop.assertInEventLoop()
    guard phase != .stopped else { return }
    let wasActive = phase == .attempting || phase == .open
    phase = .stopped
    retry?.cancel()
    connection?.stop()
    connection = nil
    channel?.close(promise: nil)
    channel = nil
    if wasActive { tellDisconnected(.stopped, retryIn: nil) }
    if !isConnectInFlight { endThread() }
  }

  /// A name look-up tells its second half, the other address family, in its own time, and needs the loop for it.
  private func endThread() {
    guard hasLookedUp else { return group.shutdownGracefully { _ in } }
    loop.scheduleTask(in: .seconds(1)) { self.group.shutdownGracefully { _ in } }
  }

  /// As `stop`, from another thread; returns when no callback can come any more.
  func stopAndWait() {
    // Not a future of the loop: it would be told through the very loop that `stop` ends.
    let done = DispatchSemaphore(value: 0)
    loop.execute {
      self.stop()
      done.signal()
    }
    done.wait()
  }

  private func attempt() {
    phase = .attempting
    let address = addresses[hostIndex]
    events.onState(.connecting(host: address.name))
    open(address, redirects: 0)
  }

  private func open(_ address: RelayAddress, redirects: Int) {
    isConnectInFlight = true
    let bootstrap = ClientBootstrap(group: loop)
      .connectTimeout(configuration.connectTimeout.timeAmount)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelOption(.maxMessagesPerRead, value: 1)
      .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: RelayConnection.readBytesMax))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try self.prepare(channel, address, redirects) }
      }
    connect(bootstrap, to: address).whenComplete { result in
      self.isConnectInFlight = false
      switch result {
      case .success(let channel):
        guard self.phase != .stopped else {
          channel.close(promise: nil)
          return self.endThread()
        }
        // Already ended inside the handshake: told there.
        if self.phase == .attempting, channel.isActive { self.channel = channel }
      case .failure(let error):
        guard self.phase != .stopped else { return self.endThread() }
        self.failed(.unreachable(Self.describe(error)))
      }
    }
  }

  private func connect(_ bootstrap: ClientBootstrap, to address: RelayAddress) -> EventLoopFuture<any Channel> {
    if let literal = Self.literal(address) { return bootstrap.connect(to: literal) }
    hasLookedUp = true
    return bootstrap.connect(host: address.host, port: address.port)
  }

  /// The socket address of an IP address; nil for a name.
  private static func literal(_ address: RelayAddress) -> SocketAddress? {
    // The only error is that it is none.
    try? SocketAddress(ipAddress: address.host, port: address.port)
  }

  private func prepare(_ channel: any Channel, _ address: RelayAddress, _ redirects: Int) throws {
    // Refuses the channel of a look-up that ended after `stop`: no callback may come any more.
    guard phase != .stopped else { throw ChannelError.ioOnClosedChannel }
    let pipeline = channel.pipeline.syncOperations
    if address.isSecure {
      // Server name indication does not carry IP addresses (RFC 6066 section 3); the certificate is checked against them all the same.
      let isIPAddress = (try? SocketAddress(ipAddress: address.host, port: 0)) != nil
      try pipeline.addHandler(
        NIOSSLClientHandler(context: tls.context(), serverHostname: isIPAddress ? nil : address.host))
    }
    let connection = RelayConnection(configuration: configuration, events: events, room: room) { reason, hadFrames in
      self.connectionEnded(reason, hadFrames: hadFrames)
    } onFirstFrame: {
      self.backoff.reset()
    }
    let handshake = RelayHandshake(
      address: address, cursor: events.cursor(address.name), configuration: configuration
    ) { outcome in
      self.handshakeEnded(outcome, connection, channel, address, redirects)
    }
    try pipeline.addHandler(connection)
    try pipeline.addHandler(HTTPRequestEncoder())
    try pipeline.addHandler(ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes)))
    try pipeline.addHandler(handshake)
  }

  private func handshakeEnded(
    _ outcome: RelayHandshake.Outcome, _ connection: RelayConnection, _ channel: any Channel, _ address: RelayAddress,
    _ redirects: Int
  ) {
    guard phase == .attempting else { return }
    self.channel = nil
    switch outcome {
    case .upgraded:
      phase = .open
      self.channel = channel
      self.connection = connection
      events.onState(.connected(host: addresses[hostIndex].name, effectiveHost: address.name))
      connection.open()
    case .redirect(let location):
      if redirects >= configuration.redirectsMax {
        failed(.tooManyRedirects)
      } else if let next = address.redirected(to: location) {
        // The socket of this hop closes by itself; the next one is opened from the loop, not from inside its pipeline.
        loop.execute { if self.phase == .attempting { self.open(next, redirects: redirects + 1) } }
      } else {
        failed(.badRedirect(location))
      }
    case .failed(let reason):
      failed(reason)
    }
  }

  /// The attempt came to nothing: the next host is tried after the wait.
  private func failed(_ reason: RelayDisconnect) {
    let failedHost = hostIndex
    if case .refused(_, _, let retryAfter?) = reason {
      notBefore[failedHost] = .now() + min(retryAfter, configuration.retryAfterLongest).timeAmount
    }
    hostIndex = (hostIndex + 1) % addresses.count
    retryLater(reason, from: failedHost)
  }

  /// An open stream ended. One that gave frames is resumed at the same host, whose cursor we hold; one that gave none
  /// counts as a failure of its host.
  private func connectionEnded(_ reason: RelayDisconnect, hadFrames: Bool) {
    guard phase == .open else { return }
    connection = nil
    channel = nil
    if hadFrames {
      retryLater(reason, from: hostIndex)
    } else {
      failed(reason)
    }
  }

  private func retryLater(_ reason: RelayDisconnect, from host: Int) {
    phase = .waiting
    let jittered = NIODeadline.now() + backoff.next(fraction: Double.random(in: 0..<1)).timeAmount
    // The first host in turn that does not ask for more time; if all do, the one that asks for least.
    let turns = addresses.indices.map { (hostIndex + $0) % addresses.count }
    hostIndex = turns.first { notBefore[$0] <= jittered } ?? turns.min { notBefore[$0] < notBefore[$1] }!
    let due = max(jittered, notBefore[hostIndex])
    let wait = due - .now()
    events.onState(
      .disconnected(host: addresses[host].name, reason: reason, retryIn: .nanoseconds(max(0, wait.nanoseconds))))
    // The owner may have asked for a stop while being told; that stop is already queued behind this.
    retry = loop.scheduleTask(deadline: due) { self.attempt() }
  }

  private func tellDisconnected(_ reason: RelayDisconnect, retryIn: Duration?) {
    events.onState(.disconnected(host: addresses[hostIndex].name, reason: reason, retryIn: retryIn))
  }

  static func describe(_ error: any Error) -> String {
    switch error {
    case let error as IOError: String(cString: strerror(error.errnoCode))
    case let error as NIOConnectionError:
      if let attempt = error.connectionErrors.first {
        describe(attempt.error)
      } else {
        "name not found: \(error.host)"
      }
    case ChannelError.connectTimeout: "timed out"
    default: "\(error)"
    }
  }
}
