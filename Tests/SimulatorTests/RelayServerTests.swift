import Dispatch
import Network
import Synchronization
import Testing

@testable import Simulator

/// A frame of a test relay: eight bytes of seq, then filler.
private func payload(_ seq: Int64, count: Int = 100) -> [UInt8] {
  (0..<8).reversed().map { UInt8(truncatingIfNeeded: seq >> ($0 * 8)) } + [UInt8](repeating: 1, count: count)
}

/// A consumer that notes the seqs it gets and the relay's own frames.
private final class Consumer: Sendable {
  struct Notes {
    var seqs: [Int64] = []
    var messages: [[UInt8]] = []
    var disconnects: [RelayDisconnect] = []
    var room = Int.max
    var lastAt: ContinuousClock.Instant?
  }

  /// Before the relay can know of this consumer.
  private let startedAt = ContinuousClock.now
  private let notes = Mutex(Notes())
  private let changed = DispatchSemaphore(value: 0)
  private let client = Mutex<RelayClient?>(nil)

  var seqs: [Int64] { notes.withLock { $0.seqs } }
  var messages: [[UInt8]] { notes.withLock { $0.messages } }
  var disconnects: [RelayDisconnect] { notes.withLock { $0.disconnects } }
  /// From its start to its last frame.
  var span: Duration { notes.withLock { $0.lastAt.map { $0 - startedAt } ?? .zero } }

  init(_ address: String, cursor: Int64?, room: Int = .max) throws {
    notes.withLock { $0.room = room }
    let events = RelayEvents(
      onFrame: { frame, _ in self.take(Array(frame)) }, onOversized: { _, _ in true }, onText: { _, _ in true },
      onState: { state in
        if case .disconnected(_, let reason, _) = state { self.notes.withLock { $0.disconnects.append(reason) } }
        self.changed.signal()
      },
      // Only the first connection asks; a test sees what it was given then.
      cursor: { _ in cursor })
    var configuration = RelayClient.Configuration(hosts: ["ws://\(address)"])
    configuration.backoffFirst = .seconds(1000)
    configuration.backoffLongest = .seconds(1000)
    let client = try RelayClient(configuration: configuration, events: events)
    self.client.withLock { $0 = client }
    client.start()
  }

  private func take(_ frame: [UInt8]) -> Bool {
    let taken = notes.withLock { notes in
      guard notes.room > 0 else { return false }
      notes.room -= 1
      if frame[0] == 0 {
        notes.seqs.append(frame.prefix(8).reduce(0) { $0 << 8 | Int64($1) })
        notes.lastAt = .now
      } else {
        notes.messages.append(frame)
      }
      return true
    }
    changed.signal()
    return taken
  }

  func setRoom(_ room: Int) {
    notes.withLock { $0.room = room }
    client.withLock { $0 }?.resume()
  }

  func wait(for what: Comment, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () -> Bool) throws {
    let deadline = DispatchTime.now() + .seconds(30)
    while !condition() {
      try #require(changed.wait(timeout: deadline) == .success, what, sourceLocation: sourceLocation)
    }
  }

  func stop() { client.withLock { $0.take() }?.stop() }
}

/// A relay of computed frames from seq 1, or of generated ones, stopped when the test ends.
private final class RunningRelay {
  let server: RelayServer
  let address: String

  init(
    generated: Bool = false, bytes: Int = 100, _ adjust: (inout RelayServer.Configuration) -> Void = { _ in }
  ) throws {
    var configuration = RelayServer.Configuration(listen: "127.0.0.1:0")
    configuration.rate = .max
    adjust(&configuration)
    var next: Int64 = 0
    let source: RelayFrameSource =
      generated
      ? .generated { frame in
        next += 1
        frame.append(payload(next, count: bytes))
        return next
      } : .computed(firstSeq: 1) { seq, frame in frame.append(payload(seq, count: bytes)) }
    server = RelayServer(configuration: configuration, source: source) { did in
      did == "did:plc:known" ? Array(#"{"id":"did:plc:known"}"#.utf8) : nil
    }
    address = try server.start()
  }

  /// A relay whose 100 frames are all produced; the last 40 are in its window.
  static func filled(generated: Bool) throws -> RunningRelay {
    let relay = try RunningRelay(generated: generated) {
      $0.limit = 100
      $0.windowFrames = 40
    }
    let consumer = try Consumer(relay.address, cursor: nil)
    try consumer.wait(for: "all frames") { consumer.seqs.count == 100 }
    consumer.stop()
    return relay
  }

  deinit { server.stop() }
}

@Suite struct RelayServerTests {
  @Test(arguments: [false, true])
  func `a cursor in the window gives that frame and all after it`(generated: Bool) throws {
    let relay = try RunningRelay.filled(generated: generated)
    let consumer = try Consumer(relay.address, cursor: 90)
    try consumer.wait(for: "the rest") { consumer.seqs.last == 100 }
    #expect(consumer.seqs == Array(90...100))
    #expect(consumer.messages.isEmpty)
    consumer.stop()
  }

  @Test(arguments: [false, true])
  func `a cursor older than the window is told OutdatedCursor first and then gets the oldest`(generated: Bool) throws {
    let relay = try RunningRelay.filled(generated: generated)
    let consumer = try Consumer(relay.address, cursor: 5)
    try consumer.wait(for: "the window") { consumer.seqs.last == 100 }
    #expect(consumer.messages.map { Array($0.dropFirst(20).prefix(14)) } == [Array("OutdatedCursor".utf8)])
    #expect(consumer.seqs == Array(61...100))
    consumer.stop()
    // With 60 done, nothing is missing.
    let next = try Consumer(relay.address, cursor: 60)
    try next.wait(for: "the window") { next.seqs.last == 100 }
    #expect(next.messages.isEmpty && next.seqs == Array(61...100))
    next.stop()
  }

  @Test func `cursor 0 gives the whole window without a word`() throws {
    let relay = try RunningRelay.filled(generated: true)
    let consumer = try Consumer(relay.address, cursor: 0)
    try consumer.wait(for: "the window") { consumer.seqs.last == 100 }
    #expect(consumer.seqs == Array(61...100) && consumer.messages.isEmpty)
    consumer.stop()
  }

  @Test func `a cursor beyond the newest frame gets FutureCursor and is closed`() throws {
    let relay = try RunningRelay.filled(generated: false)
    let consumer = try Consumer(relay.address, cursor: 101)
    try consumer.wait(for: "the close") { !consumer.disconnects.isEmpty }
    #expect(consumer.messages == [RelayMessages.error("FutureCursor", message: "cursor is in the future")])
    #expect(consumer.disconnects == [.closed(code: 1008, reason: "FutureCursor")])
    #expect(consumer.seqs.isEmpty)
    consumer.stop()
  }

  @Test func `without a cursor a consumer gets only what comes after it`() throws {
    let relay = try RunningRelay { $0.rate = .perSecond(2000) }
    let first = try Consumer(relay.address, cursor: nil)
    try first.wait(for: "some frames") { first.seqs.count > 50 }
    let before = relay.server.status.headSeq
    let second = try Consumer(relay.address, cursor: nil)
    try second.wait(for: "some frames") { second.seqs.count > 50 }
    // One look: more of them come all the time.
    let seqs = second.seqs
    #expect(seqs[0] > before)
    #expect(seqs == Array(seqs[0]...seqs.last!))
    first.stop()
    second.stop()
  }

  @Test(arguments: [500, 5000])
  func `a fixed rate is never exceeded, and kept as far as the machine allows`(rate: Int) throws {
    let relay = try RunningRelay {
      $0.rate = .perSecond(rate)
      $0.startsOnFirstConsumer = true
      $0.limit = rate
    }
    let consumer = try Consumer(relay.address, cursor: nil)
    try consumer.wait(for: "one second of frames") { consumer.seqs.count == rate }
    consumer.stop()
    #expect(consumer.seqs == Array(1...Int64(rate)))
    #expect(consumer.span > .milliseconds(900) && consumer.span < .seconds(10), "\(consumer.span)")
  }

  @Test(arguments: [false, true])
  func `at full speed the relay waits for its one consumer, and a restart with the cursor misses nothing`(
    generated: Bool
  ) throws {
    let relay = try RunningRelay(generated: generated, bytes: 5400) {
      $0.windowFrames = 2000
      $0.windowBytes = 4 << 20
      $0.limit = 5000
      $0.waitsForConsumers = true
      $0.startsOnFirstConsumer = true
    }
    #expect(relay.server.status.produced == 0)
    let first = try Consumer(relay.address, cursor: nil, room: 1000)
    try first.wait(for: "a thousand frames") { first.seqs.count == 1000 }
    first.stop()
    let cursor = try #require(first.seqs.last)
    let produced = relay.server.status.produced
    #expect(produced < 5000)
    let second = try Consumer(relay.address, cursor: cursor)
    try second.wait(for: "the rest") { second.seqs.last == 5000 }
    second.stop()
    #expect(first.seqs == Array(1...1000))
    #expect(second.seqs == Array(1000...5000))
    #expect(second.messages.isEmpty && relay.server.status.cutOff == 0)
  }

  @Test func `two consumers at full speed both get everything when the relay waits for them`() throws {
    let relay = try RunningRelay(generated: true, bytes: 5400) {
      $0.windowFrames = 500
      $0.limit = 4000
      $0.waitsForConsumers = true
    }
    let slow = try Consumer(relay.address, cursor: 0, room: 100)
    try slow.wait(for: "its first frames") { slow.seqs.count == 100 }
    let fast = try Consumer(relay.address, cursor: 0)
    try fast.wait(for: "its first frames") { fast.seqs.count > 200 }
    slow.setRoom(.max)
    try slow.wait(for: "all") { slow.seqs.last == 4000 }
    try fast.wait(for: "all") { fast.seqs.last == 4000 }
    #expect(slow.seqs == Array(1...4000))
    #expect(fast.seqs == Array(fast.seqs[0]...4000))
    slow.stop()
    fast.stop()
  }

  @Test func `a consumer that falls out of the window gets ConsumerTooSlow and is closed`() throws {
    // The sockets' own buffers hold megabytes before the window counts: frames are large and the window is small.
    let relay = try RunningRelay(bytes: 100_000) {
      $0.rate = .perSecond(4000)
      $0.startsOnFirstConsumer = true
      $0.windowFrames = 20
      $0.limit = 2000
    }
    let consumer = try Consumer(relay.address, cursor: nil, room: 1)
    try consumer.wait(for: "a first frame") { consumer.seqs.count == 1 }
    let deadline = ContinuousClock.now + .seconds(30)
    while relay.server.status.cutOff == 0, ContinuousClock.now < deadline {}
    #expect(relay.server.status.cutOff == 1)
    consumer.setRoom(.max)
    try consumer.wait(for: "the close") { !consumer.disconnects.isEmpty }
    #expect(
      consumer.messages == [RelayMessages.error("ConsumerTooSlow", message: "fell out of the replay window")])
    #expect(consumer.seqs == Array(consumer.seqs[0]...consumer.seqs.last!))
    consumer.stop()
  }
}
