import NIOCore
import Synchronization

/// Keeps a firehose open: one connection at a time, from host to host, for ever. Start, stop and resume may be called
/// from any thread but the client's own (where `resume` alone is allowed).
package final class RelayClient: Sendable {
  /// How to connect. Times and limits have the defaults of CONTRACT.md.
  package struct Configuration: Sendable {
    /// Relays to try in turn: `wss://HOST[:PORT]`, `ws://…`. The first is preferred at the start only.
    package var hosts: [String]
    /// Largest frame taken; a larger one is reported and passed over unread.
    package var frameBytesMax = 5_242_880
    /// Silence after which we send a ping.
    package var pingAfter: Duration = .seconds(30)
    /// Silence after which the connection is given up, unless we were the ones not reading.
    package var deadAfter: Duration = .seconds(60)
    /// Ceiling of the first wait after a failure, and of all later ones.
    package var backoffFirst: Duration = .seconds(1)
    package var backoffLongest: Duration = .seconds(30)
    /// The longest `Retry-After` obeyed.
    package var retryAfterLongest: Duration = .seconds(600)
    /// For TCP, and for TLS and HTTP together after that.
    package var connectTimeout: Duration = .seconds(10)
    package var handshakeTimeout: Duration = .seconds(15)
    package var redirectsMax = 5
    /// How long the frames of a quiet stream may gather in the socket before they are read; zero reads at once.
    package var readPause: Duration = .milliseconds(100)
    /// A PEM file of certificate authorities to trust in place of the system's.
    package var trustRootsFile: String?
    package var userAgent = "osprey-feeder"

    /// The defaults, for these hosts.
    package init(hosts: [String]) { self.hosts = hosts }
  }

  private let connector: RelayConnector
  /// Held while stopping, so that a second `stop` waits for the first.
  private let stopped = Mutex(false)

  /// Checks the configuration; connects nothing yet.
  package init(configuration: Configuration, events: RelayEvents) throws(NetworkError) {
    guard !configuration.hosts.isEmpty else { throw .badAddress("no relay host") }
    var addresses: [RelayAddress] = []
    for host in configuration.hosts {
      guard let address = RelayAddress(host) else { throw .badAddress(host) }
      addresses.append(address)
    }
    let tls = RelayTLS(trustRootsFile: configuration.trustRootsFile)
    // A wrong file is told now, not at the first connection. Plain hosts only may never need it.
    if configuration.trustRootsFile != nil || addresses.contains(where: \.isSecure) { _ = try tls.context() }
    connector = RelayConnector(configuration: configuration, addresses: addresses, tls: tls, events: events)
  }

  /// Begins connecting. Once.
  package func start() {
    connector.loop.execute { [connector] in connector.start() }
  }

  /// There is room again: the refused frame is offered once more. Costs one atomic load when nothing was refused.
  /// The caller makes the room visible first, by a lock or a sequentially consistent store.
  package func resume() {
    guard connector.room.takeWaiting() else { return }
    // Held by a `stop` under way: then there is nothing left to resume, and no loop to run it on.
    _ = stopped.withLockIfAvailable { stopped in
      if !stopped { connector.loop.execute { [connector] in connector.resume() } }
    }
  }

  /// Ends the connection or whatever wait there is, and returns when no callback can come any more.
  package func stop() {
    precondition(!connector.loop.inEventLoop, "stop waits for the client's thread and cannot run on it")
    stopped.withLock { stopped in
      guard !stopped else { return }
      stopped = true
      connector.stopAndWait()
    }
  }

  deinit {
    // Ends the thread of a client nobody stopped.
    if !stopped.withLock({ $0 }) { connector.loop.execute { [connector] in connector.stop() } }
  }
}
