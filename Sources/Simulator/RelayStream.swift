import Network
import Synchronization

/// One consumer of a relay: its connection and the place of the frame it gets next.
private final class RelayConsumer {
  let connection: WebSocketConnection
  var next: Int

  init(connection: WebSocketConnection, next: Int) {
    self.connection = connection
    self.next = next
  }
}

/// Produces frames at their pace and hands them to consumers at theirs.
///
/// @unchecked Sendable: everything but `status` is touched on the server's loop only.
final class RelayStream: @unchecked Sendable {
  /// Bytes per write to a socket; large enough that the call costs nothing beside the copy.
  private static let batchBytes = 128 << 10
  /// Bytes for one consumer before the others, and the accepting of new ones, have their turn.
  private static let turnBytes = 1 << 20
  /// No slot produces more than this share of a second's frames.
  private static let slotsPerSecondMin = 50
  /// Frames produced at a time at a fixed rate.
  private static let portionFramesMax = 64
  /// Seconds of frames a relay that had to wait makes up for; what is older was never produced.
  private static let debtSecondsMax = 10.0

  let status = Mutex(
    RelayServer.Status(
      produced: 0, headSeq: 0, consumers: 0, sentFrames: 0, sentBytes: 0, cutOff: 0, isExhausted: false))

  private let configuration: RelayServer.Configuration
  private let window: RelayWindow
  private var loop: ServerLoop?
  private var consumers: [RelayConsumer] = []
  /// Batches in turn: one is written while the socket may still read from another.
  private var batches = (0..<4).map { _ in FrameBuffer(capacity: RelayStream.batchBytes + (16 << 10)) }
  private var batchIndex = 0
  private var isServing = false
  private var serveAgain = false
  private var pacing: ServerTimer?
  private var pacedSince: ContinuousClock.Instant?
  /// Frames due at the fixed rate, and since when they have been counted.
  private var due = 0.0

  init(configuration: RelayServer.Configuration, window: RelayWindow) {
    self.configuration = configuration
    self.window = window
  }

  func attach(_ loop: ServerLoop) { self.loop = loop }

  func start() {
    if !configuration.startsOnFirstConsumer { startPacing() }
  }

  /// A consumer has connected.
  func join(_ connection: WebSocketConnection, cursor: Int64?) {
    var next = window.head
    if let cursor, cursor > 0 {
      guard cursor <= window.headSeq ?? 0 else {
        connection.send(RelayMessages.error("FutureCursor", message: "cursor is in the future"))
        return connection.close(code: WebSocketCloseCode.policyViolation, reason: "FutureCursor")
      }
      if let evicted = window.lastEvictedSeq, cursor < evicted {
        connection.send(RelayMessages.info(name: "OutdatedCursor", message: "requested cursor exceeded limit"))
      }
      next = window.place(atOrAfter: cursor)
    } else if cursor == 0 {
      next = window.oldest
    }
    let consumer = RelayConsumer(connection: connection, next: next)
    consumers.append(consumer)
    connection.onWritable = { [weak self] in self?.serve() }
    let identifier = ObjectIdentifier(consumer)
    connection.onClose = { [weak self] in self?.leave(identifier) }
    if configuration.startsOnFirstConsumer { startPacing() }
    serve()
  }

  private func leave(_ identifier: ObjectIdentifier) {
    consumers.removeAll { ObjectIdentifier($0) == identifier }
    // The one the others waited for may be gone.
    serve()
  }

  // MARK: Producing

  private func startPacing() {
    guard case .perSecond = configuration.rate, pacing == nil, let loop else { return }
    pacedSince = .now
    pacing = loop.every(configuration.slot) { [weak self] in self?.tick() }
  }

  /// One slot: produces what has become due. After a delay it runs at twice its rate until it is where it should be,
  /// so that catching up looks like traffic, not like a burst.
  private func tick() {
    guard case .perSecond(let rate) = configuration.rate, let since = pacedSince else { return }
    let now = ContinuousClock.now
    let elapsed = Double((now - since) / .nanoseconds(1)) / 1e9
    pacedSince = now
    let fresh = elapsed * Double(rate)
    due = min(due + fresh, Double(rate) * Self.debtSecondsMax)
    // The last bound keeps a source that is slower than its rate from holding the thread ever longer.
    var allowed = min(Int(due), Int((2 * fresh).rounded(.up)), max(1, rate / Self.slotsPerSecondMin))
    // In portions, so that no slot, however late, pushes a consumer that keeps up out of the window.
    let portion = max(1, min(Self.portionFramesMax, configuration.windowFrames / 2))
    while allowed > 0 {
      let made = window.produce(max(0, min(allowed, portion, roomAhead())))
      due -= Double(made)
      allowed -= portion
      serve()
      if made == 0 { break }
    }
    if window.isExhausted { pacing?.cancel() }
  }

  /// Frames that may be produced without pushing a connected consumer out of the window, where that is asked for.
  private func roomAhead() -> Int {
    guard configuration.waitsForConsumers, !consumers.isEmpty else { return .max }
    let slowest = consumers.reduce(Int.max) { min($0, $1.next) }
    guard window.bytes(from: slowest) < configuration.windowBytes / 2 else { return 0 }
    return max(1, configuration.windowFrames / 2) - (window.head - slowest)
  }

  /// At full speed a consumer that has everything has one more produced for it: the newest is always held, so nobody is
  /// pushed out of the window by his own demand.
  private func produceOnDemand() -> Bool {
    guard configuration.rate == .max, !window.isExhausted, roomAhead() > 0 else { return false }
    return window.produce(1) > 0
  }

  // MARK: Serving

  /// Gives every consumer what it can take now. Sending may call back in here (a socket became writable, a
  /// connection closed): then the round is simply run once more.
  private func serve() {
    guard !isServing else {
      serveAgain = true
      return
    }
    isServing = true
    serveAgain = false
    let head = window.head
    for consumer in consumers where !serveTurn(consumer) { serveAgain = true }
    // What was produced for one is there for those who had their turn before.
    if window.head != head, consumers.count > 1 { serveAgain = true }
    isServing = false
    publish()
    // From the loop, so that sockets and timers have their turn in between.
    if serveAgain { loop?.execute { [weak self] in self?.serve() } }
  }

  /// One consumer's turn; false if it could take more.
  private func serveTurn(_ consumer: RelayConsumer) -> Bool {
    var sent = 0
    while consumer.connection.isOpen {
      guard consumer.next >= window.oldest else {
        cutOff(consumer)
        return true
      }
      guard consumer.connection.isWritable else { return true }
      guard consumer.next < window.head || produceOnDemand() else { return true }
      guard sent < Self.turnBytes else { return false }
      sent += sendBatch(consumer)
    }
    return true
  }

  private func sendBatch(_ consumer: RelayConsumer) -> Int {
    batchIndex = (batchIndex + 1) % batches.count
    let index = batchIndex
    batches[index].removeAll()
    while batches[index].byteCount < Self.batchBytes, consumer.next < window.head || produceOnDemand(),
      consumer.next >= window.oldest
    {
      window.write(consumer.next, into: &batches[index])
      consumer.next += 1
    }
    let bytes = batches[index].byteCount
    let frames = batches[index].messageCount
    status.withLock {
      $0.sentFrames += frames
      $0.sentBytes += bytes
    }
    consumer.connection.send(batches[index])
    return bytes
  }

  private func cutOff(_ consumer: RelayConsumer) {
    consumer.connection.send(RelayMessages.error("ConsumerTooSlow", message: "fell out of the replay window"))
    consumer.connection.close(code: WebSocketCloseCode.policyViolation, reason: "ConsumerTooSlow")
    consumer.connection.onWritable = nil
    status.withLock { $0.cutOff += 1 }
    // Gone for our purposes; nobody waits for it while it closes.
    let gone = ObjectIdentifier(consumer)
    loop?.execute { [weak self] in self?.leave(gone) }
  }

  private func publish() {
    let consumers = consumers.count
    let produced = window.head
    let headSeq = window.headSeq ?? 0
    let isExhausted = window.isExhausted
    status.withLock {
      $0.consumers = consumers
      $0.produced = produced
      $0.headSeq = headSeq
      $0.isExhausted = isExhausted
    }
  }
}
