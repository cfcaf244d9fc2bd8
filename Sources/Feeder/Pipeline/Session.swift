import Glibc
import Kafka
import Logging
import Synchronization

/// One life of a producer: ring, threads and tracker around it, from the start of the source to the last acknowledgement.
///
/// A fatal producer error ends the session; the next one replays from the cursor (CONTRACT.md, "Producer").
final class Session: @unchecked Sendable {
  // Unchecked: what threads share is either immutable or synchronises itself; the rest is used by the owner's thread alone.

  /// How a session ended.
  enum End {
    /// Everything received is acknowledged.
    case drained
    /// Asked to stop, but Kafka did not acknowledge everything in time.
    case drainTimedOut
    /// The producer failed; what was in flight has to be read again.
    case failed(String)
  }

  let ring = FrameRing()
  let tracker: Tracker
  let producer: Producer
  private let settings: PipelineSettings
  private let metrics: FeederMetrics
  private let source: any FrameSource
  private let judge: Judge
  private let workers: [Worker]
  private let hosts: HostTable
  private let control: SessionControl
  private let moderation: Moderation
  private let isDelivering = Atomic<Bool>(true)

  init(
    settings: PipelineSettings, metrics: FeederMetrics, source: any FrameSource, hosts: HostTable,
    moderation: Moderation, state: StateKeeper?, stream: StreamSnapshot?, log: Logger
  ) throws(KafkaError) {
    self.settings = settings
    self.metrics = metrics
    self.source = source
    self.hosts = hosts
    self.moderation = moderation
    let control = SessionControl()
    self.control = control
    producer = try Producer(settings.kafka) { event in Session.note(event, log, control) }
    tracker = Tracker(hosts: hosts, latency: metrics.latency, frames: metrics.frames)
    let workerSettings = WorkerSettings(
      decode: settings.decode, shape: settings.shape, withPosition: settings.withPosition,
      epochMs: settings.snowflakeEpochMs, messageBytesMax: settings.kafka.messageBytesMax)
    workers = (0..<settings.workers).map { [ring] _ in Worker(ring: ring, settings: workerSettings) }
    let output = Judge.Output(
      producer: producer, actions: try producer.topic(settings.outputTopic),
      verdicts: try producer.topic(settings.verdictTopic),
      deadLetters: try producer.topic(settings.deadLetterTopic))
    judge = Judge(
      ring: ring, output: output, tracker: tracker, metrics: metrics, hosts: hosts, moderation: moderation,
      letterWriter: DeadLetterWriter(source: settings.sourceName, messageBytesMax: settings.kafka.messageBytesMax),
      stream: ActionStream(hosts: hosts, startsAtReceiveTime: settings.isLive, snapshot: stream), state: state)
  }

  private static func note(_ event: KafkaEvent, _ log: Logger, _ control: SessionControl) {
    switch event {
    case .error(let code, let reason, let isFatal):
      log.error("Kafka: \(reason) (\(code.name))")
      if isFatal { control.end(.failed("\(code.name): \(reason)")) }
    case .log(let level, let facility, let message):
      log.log(level: level <= 3 ? .error : level <= 4 ? .warning : .debug, "Kafka \(facility): \(message)")
    case .statistics: break
    }
  }

  /// What a candidate set would change; nil without one. Any thread.
  var candidateDifferences: [CandidateDifference]? { moderation.candidateDifferences }

  /// What the rules remember at the end of a session that drained.
  func lastSnapshot() -> StateSnapshot { judge.snapshot() }

  /// The frame of the cursor that a capture should have had and has not.
  var missingCursor: Int64? { judge.missingCursor }

  /// Asks the session to end in good order.
  func requestStop() { control.end(.stopped) }

  /// Runs until asked to stop, the source ends or the producer fails.
  func run() -> End {
    let deliveries = OwnedThread("deliveries") { self.deliver() }
    let judging = OwnedThread("judge") {
      self.judge.run()
      if let failure = self.judge.failure { self.control.end(.failed("a message was refused: \(failure)")) }
      self.control.judgeEnded()
    }
    let working = workers.indices.map { index in
      OwnedThread("worker \(index)") { self.workers[index].run(self.metrics.workerBusyNanos[index]) }
    }
    source.start(into: ring, hosts: hosts) { problem in
      self.control.end(problem.map { .failed($0) } ?? .sourceEnded)
    }
    let reason = control.wait()
    let deadline = Now.monotonicNanos() + Int64(settings.drainTimeoutMs) * 1_000_000
    ring.close()
    source.stop()
    let end = drain(reason, deadline)
    for thread in working { thread.join() }
    judging.join()
    isDelivering.store(false, ordering: .releasing)
    deliveries.join()
    if case .drained = end {} else { countReplayed() }
    // The producer closes when the last reference goes: `/metrics` may be asking it for its queue right now.
    return end
  }

  /// Lets everything inside reach Kafka, for as long as there is time.
  private func drain(_ reason: SessionControl.Reason, _ deadline: Int64) -> End {
    // A file that has ended presses for nothing and may lose nothing: it drains until it is done or somebody asks to stop.
    let isPatient = reason == .sourceEnded
    for waitsFor in [control.waitForJudge, tracker.waitUntilDrained] {
      while true {
        if case .failed(let problem) = control.reason {
          abandon()
          return .failed(problem)
        }
        if waitsFor(isPatient ? 1000 : left(deadline)) { break }
        if isPatient ? control.isStopRequested : left(deadline) == 0 {
          abandon()
          return .drainTimedOut
        }
      }
    }
    return .drained
  }

  private func left(_ deadline: Int64) -> Int { max(0, Int((deadline - Now.monotonicNanos()) / 1_000_000)) }

  /// Wakes everything that waits for Kafka.
  private func abandon() {
    tracker.breakOff()
    producer.interruptWaits()
    producer.purge()
  }

  private func countReplayed() {
    let depths = ring.depths
    metrics.frames[FeederMetrics.replayedLabel].add(depths.waiting + depths.decoding + tracker.inFlight.frames)
  }

  /// A handful of reports is followed by a pause of this many microseconds, in which others gather: librdkafka sends a request
  /// for each partition, and each answer would wake this thread.
  private static let reportPauseMicros: useconds_t = 20_000
  private static let handful = 64

  /// The delivery thread: waits for reports and passes their tokens on, a batch at a time.
  private func deliver() {
    var tokens: [UInt64] = []
    tokens.reserveCapacity(4096)
    while isDelivering.load(ordering: .acquiring) {
      tokens.removeAll(keepingCapacity: true)
      producer.waitForDeliveries(timeoutMs: 100) { delivery in
        if delivery.error == .none {
          tokens.append(delivery.token)
        } else {
          metrics.deliveryErrors.add()
          control.end(.failed("a message was given up: \(delivery.error.text) (\(delivery.error.name))"))
        }
      }
      if !tokens.isEmpty {
        metrics.acknowledged.add(tokens.count)
        tracker.acknowledge(tokens, nowMicros: Now.unixMicros())
        if tokens.count < Self.handful, !producer.isRoomAwaited { usleep(Self.reportPauseMicros) }
      }
    }
  }
}

/// Why a session has to end, and the wait for it.
final class SessionControl: @unchecked Sendable {
  // Unchecked: every stored variable is guarded by `monitor`.
  enum Reason: Equatable {
    case running, stopped, sourceEnded
    case failed(String)
  }

  private let monitor = Monitor(conditions: 1)
  private var current = Reason.running
  private var hasJudgeEnded = false
  private var wasStopRequested = false

  /// The first reason counts, but a failure overrides all.
  func end(_ reason: Reason) {
    monitor.lock()
    if reason == .stopped { wasStopRequested = true }
    var isFailure = false
    if case .failed = reason { isFailure = true }
    var hasFailed = false
    if case .failed = current { hasFailed = true }
    if current == .running || (isFailure && !hasFailed) { current = reason }
    monitor.broadcast(0)
    monitor.unlock()
  }

  func judgeEnded() {
    monitor.lock()
    hasJudgeEnded = true
    monitor.broadcast(0)
    monitor.unlock()
  }

  var reason: Reason {
    monitor.lock()
    defer { monitor.unlock() }
    return current
  }

  var isStopRequested: Bool {
    monitor.lock()
    defer { monitor.unlock() }
    return wasStopRequested
  }

  func wait() -> Reason {
    monitor.lock()
    defer { monitor.unlock() }
    while current == .running { monitor.wait(0) }
    return current
  }

  /// True once the judge has ended; false after `milliseconds`, or when the session failed meanwhile.
  func waitForJudge(milliseconds: Int) -> Bool {
    let deadline = Now.monotonicNanos() + Int64(milliseconds) * 1_000_000
    monitor.lock()
    defer { monitor.unlock() }
    while !hasJudgeEnded {
      if case .failed = current { return false }
      let left = Int((deadline - Now.monotonicNanos()) / 1_000_000)
      if left <= 0 { return false }
      _ = monitor.wait(0, milliseconds: left)
    }
    return true
  }
}
