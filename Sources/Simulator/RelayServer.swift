import Network
import Synchronization

/// Serves `com.atproto.sync.subscribeRepos` as a relay does, and the DID documents of its accounts as plc.directory does.
///
/// Cursors: without one a consumer gets what is produced from then on. With one it gets every held frame with
/// seq >= cursor, as the specification and rainbow have it (a PDS and indigo's relay start after it). 0 is the oldest. Where
/// frames after the cursor are no longer held, `#info` OutdatedCursor comes first. A cursor beyond the newest seq gets
/// FutureCursor and is closed, a consumer that falls out of the window gets ConsumerTooSlow and is closed.
package final class RelayServer: Sendable {
  /// How fast frames come.
  package enum Rate: Sendable, Equatable {
    /// So many a second, by the clock, whoever listens.
    case perSecond(Int)
    /// As fast as consumers take them. With nobody connected nothing is produced.
    case max
  }

  /// What to serve and how.
  package struct Configuration: Sendable {
    /// `HOST:PORT`; port 0 picks one.
    package var listen: String
    package var rate = Rate.perSecond(1000)
    /// Frames held for consumers that come back, and their bytes, which count for generated frames only.
    package var windowFrames = 100_000
    package var windowBytes = 128 << 20
    /// Frames to produce in all; then it goes on serving what it holds.
    package var limit: Int?
    /// Never produce further ahead than half the window of the slowest connected consumer, so that nobody is cut off.
    package var waitsForConsumers = false
    /// Produce nothing before the first consumer has connected.
    package var startsOnFirstConsumer = false
    /// How often frames are produced at a fixed rate: a few at a time, evenly.
    package var slot: Duration = .milliseconds(2)
    /// Connections in all, DID look-ups included.
    package var connectionsMax = 256
    /// PEM files, to serve `wss`.
    package var certificateFile: String?
    package var privateKeyFile: String?

    /// The defaults, at this address.
    package init(listen: String) { self.listen = listen }
  }

  /// Where the relay stands; a snapshot.
  package struct Status: Sendable, Equatable {
    /// Frames produced so far.
    package var produced: Int
    /// The newest seq; 0 before the first frame.
    package var headSeq: Int64
    /// Consumers connected now.
    package var consumers: Int
    /// Frames and their bytes handed to sockets, all consumers together.
    package var sentFrames: Int
    package var sentBytes: Int
    /// Consumers ever cut off because they were too slow.
    package var cutOff: Int
    /// The limit is reached, or the source is at its end.
    package var isExhausted: Bool
  }

  private let http: HTTPServer
  private let stream: RelayStream

  /// A relay that does not listen yet. `didDocument`: the JSON for a DID, nil for an unknown one; called on the server's
  /// thread, as is the source.
  package init(
    configuration: Configuration, source: sending RelayFrameSource,
    didDocument: @escaping @Sendable (String) -> [UInt8]?
  ) {
    var settings = HTTPServer.Configuration(listen: configuration.listen)
    settings.connectionsMax = configuration.connectionsMax
    settings.certificateFile = configuration.certificateFile
    settings.privateKeyFile = configuration.privateKeyFile
    let window = RelayWindow(
      source: source, framesMax: configuration.windowFrames, bytesMax: configuration.windowBytes,
      limit: configuration.limit)
    let stream = RelayStream(configuration: configuration, window: window)
    self.stream = stream
    http = HTTPServer(
      configuration: settings,
      respond: { Self.document($0, didDocument) },
      upgrade: { Self.subscription($0, stream) })
    stream.attach(http.loop)
  }

  /// Binds, listens and begins to produce; returns the address as `HOST:PORT`.
  package func start() throws(NetworkError) -> String {
    let address = try http.start()
    http.loop.execute { [stream] in stream.start() }
    return address
  }

  /// Closes every connection and ends the thread.
  package func stop() { http.stop() }

  /// Where the relay stands now; from any thread.
  package var status: Status { stream.status.withLock { $0 } }

  private static func document(_ request: HTTPRequest, _ lookUp: (String) -> [UInt8]?) -> HTTPResponse? {
    guard request.path.hasPrefix("/did:") else { return nil }
    guard let document = lookUp(String(request.path.dropFirst())) else {
      return .json(404, Array(#"{"message":"DID not registered"}"#.utf8))
    }
    return HTTPResponse(status: 200, contentType: "application/did+ld+json", body: document)
  }

  private static func subscription(_ request: HTTPRequest, _ stream: RelayStream) -> WebSocketAnswer? {
    guard request.path == RelayAddress.streamPath else { return nil }
    guard let text = request.parameter("cursor") else {
      return .accept { connection in stream.join(connection, cursor: nil) }
    }
    guard let cursor = Int64(text), cursor >= 0 else {
      return .refuse(.json(400, Array(#"{"error":"InvalidRequest","message":"cursor is not a sequence number"}"#.utf8)))
    }
    return .accept { connection in stream.join(connection, cursor: cursor) }
  }
}
