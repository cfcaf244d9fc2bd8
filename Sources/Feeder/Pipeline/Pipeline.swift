import Kafka
import Logging
import Network
import Rules
import Synchronization

/// How a run ended.
package enum RunEnd: Sendable {
  /// Asked to stop, or the source ended; everything received is in Kafka and the cursor is saved.
  case drained
  /// Something could not be kept; the reason, for the log. Exit code 1.
  case failed(String)
}

/// What cannot even start. Exit code 2.
package struct StartError: Error, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}

/// The feeder: source → ring → workers → judge → Kafka → cursor, session after session until it is asked to stop.
package final class Pipeline: Sendable {
  /// Fatal producer errors within `restartWindow` that end the program.
  private static let restartsMax = 3
  private static let restartWindow = Duration.seconds(600)

  private let settings: PipelineSettings
  package let metrics: FeederMetrics
  private let source: any FrameSource
  private let hosts: HostTable
  private let state: StateKeeper?
  /// Where the next session's stream stands; nil for a new one.
  private let beginning = Mutex<StreamSnapshot?>(nil)
  private let cursorKeeper: CursorKeeper
  private let log: Logger
  private let current = Mutex<Session?>(nil)
  private let isStopping = Atomic<Bool>(false)
  let rules: RuleKeeper
  private let candidate: RuleKeeper?

  /// Checks broker and topics, reads the saved cursors and loads the rules. Nothing flows yet.
  package init(
    settings: PipelineSettings, metrics: FeederMetrics, source: any FrameSource, log: Logger
  ) throws(StartError) {
    self.settings = settings
    self.metrics = metrics
    self.source = source
    self.log = log
    rules = try RuleKeeper(
      folder: settings.rulesFolder, options: settings.ruleOptions, counters: metrics.ruleReloads, log: log)
    candidate =
      if let folder = settings.candidateFolder {
        try RuleKeeper(
          folder: folder, what: "candidate rules", options: settings.ruleOptions, counters: metrics.candidateReloads,
          log: log)
      } else { nil }
    do throws(KafkaError) {
      try settings.kafka.validate()
      try Self.ensureTopics(settings, log)
    } catch {
      throw StartError("\(error)")
    }
    cursorKeeper = CursorKeeper(settings: settings, metrics: metrics, log: log)
    let cursors = try cursorKeeper.read()
    state = try Self.stateKeeper(settings, metrics, cursorKeeper, log)
    let snapshot = try state.flatMap { keeper throws(StartError) in try Self.newest(keeper, cursors) }
    if state != nil, snapshot == nil, !cursors.isEmpty {
      log.warning("there is no saved state up to the cursor: windows begin empty")
    }
    hosts = HostTable(saved: Self.moved(cursors, to: snapshot), start: settings.start)
    guard let snapshot else { return }
    do throws(RuleErrors) {
      try rules.renew(restoring: snapshot.rules)
    } catch {
      throw StartError("the saved state cannot be used: \(error)")
    }
    beginning.withLock { $0 = snapshot.stream }
  }

  private static func stateKeeper(
    _ settings: PipelineSettings, _ metrics: FeederMetrics, _ cursorKeeper: CursorKeeper, _ log: Logger
  ) throws(StartError) -> StateKeeper? {
    guard let folder = settings.stateFolder else { return nil }
    do throws(StateError) {
      return StateKeeper(
        store: try StateStore(folder: folder, name: settings.name), intervalMs: settings.stateIntervalMs,
        metrics: metrics, log: log,
        savedCursors: { cursorKeeper.lastSaved })
    } catch {
      throw StartError("\(error)")
    }
  }

  private static func newest(_ keeper: StateKeeper, _ cursors: [Cursor]) throws(StartError) -> StateSnapshot? {
    do throws(StateError) {
      return try keeper.newest(passedBy: cursors)
    } catch {
      throw StartError("\(error)")
    }
  }

  /// The cursors, with a snapshot's hosts at the frame the snapshot belongs to: what came after it is judged again.
  private static func moved(_ cursors: [Cursor], to snapshot: StateSnapshot?) -> [Cursor] {
    guard let snapshot else { return cursors }
    let positions = snapshot.stream.positions
    return positions.map { Cursor(host: $0.host, sequence: $0.sequence, timeMs: nil) }
      + cursors.filter { cursor in !positions.contains { $0.host == cursor.host } }
  }

  private static func ensureTopics(_ settings: PipelineSettings, _ log: Logger) throws(KafkaError) {
    let admin = try TopicAdmin(settings.kafka)
    try admin.checkConnection(timeoutMs: settings.connectTimeoutMs)
    var topics = [settings.outputTopic, settings.verdictTopic, settings.deadLetterTopic].map {
      TopicSpec(name: $0, partitions: settings.partitions, replicationFactor: settings.replicationFactor)
    }
    if settings.cursorStore == .kafka {
      topics.append(
        TopicSpec(
          name: CursorStore.topic, partitions: 1, replicationFactor: settings.replicationFactor,
          config: ["cleanup.policy": "compact"]))
    }
    for topic in try admin.ensureTopics(topics, timeoutMs: settings.connectTimeoutMs) where topic.created {
      log.info("created topic \(topic.name) with \(topic.partitions) partitions")
    }
  }

  /// Runs until `stop`, the end of the source, or a failure that three restarts in ten minutes did not cure.
  package func run() -> RunEnd {
    for keeper in [rules, candidate] { keeper?.start() }
    defer { for keeper in [rules, candidate] { keeper?.stop() } }
    var failures: [ContinuousClock.Instant] = []
    while true {
      let end = runSession()
      switch end {
      case .drained:
        return missingCursor() ?? saveState() ?? saveCursor() ?? .drained
      case .drainTimedOut:
        _ = saveCursor()
        return .failed(
          "Kafka did not acknowledge everything within \(settings.drainTimeoutMs) ms; the cursor stands before what is missing"
        )
      case .failed(let problem):
        log.error("\(problem); starting a new producer at the cursor")
        metrics.producerRestarts.add()
        failures = failures.filter { $0.duration(to: .now) < Self.restartWindow } + [.now]
        if isStopping.load(ordering: .acquiring) || failures.count >= Self.restartsMax || !settings.isLive {
          _ = saveCursor()
          return .failed(problem)
        }
      }
    }
  }

  private func runSession() -> Session.End {
    do throws(KafkaError) {
      let moderation = Moderation(
        exchange: rules.forSession, candidate: candidate?.forSession, emitsAll: settings.emitsAllVerdicts,
        messageBytesMax: settings.kafka.messageBytesMax,
        metrics: metrics, log: log)
      let session = try Session(
        settings: settings, metrics: metrics, source: source, hosts: hosts, moderation: moderation, state: state,
        stream: beginning.withLock { $0 }, log: log)
      cursorKeeper.begin(session)
      state?.begin()
      defer {
        state?.end()
        cursorKeeper.end()
      }
      current.withLock { $0 = session }
      if isStopping.load(ordering: .acquiring) { session.requestStop() }
      let end = session.run()
      if case .failed = end { rewind(to: session.tracker.snapshot) }
      return end
    } catch {
      return .failed("\(error)")
    }
  }

  /// Sets everything back to where the stream is safely in Kafka, or to the newest snapshot before that, for another session.
  private func rewind(to cursors: [Cursor]) {
    var snapshot: StateSnapshot?
    do {
      snapshot = try state.flatMap { keeper throws(StateError) in try keeper.newest(passedBy: cursors) }
      try rules.renew(restoring: snapshot?.rules)
      try candidate?.renew()
    } catch {
      // The set that judged goes on, with windows that count the replayed events twice.
      log.error("the rules could not be set back for the replay: \(error)")
      snapshot = nil
    }
    hosts.rewind(to: Self.moved(cursors, to: snapshot))
    beginning.withLock { $0 = snapshot?.stream }
  }

  /// A capture that does not hold the frame the cursor stands at was read for nothing.
  private func missingCursor() -> RunEnd? {
    guard let missing = current.withLock({ $0 })?.missingCursor else { return nil }
    return .failed("the cursor stands at frame \(missing), which this capture does not have; try: --cursor none")
  }

  /// Saves what the rules remember at the end, before the cursor that makes it valid.
  private func saveState() -> RunEnd? {
    guard let state, let session = current.withLock({ $0 }) else { return nil }
    do throws(StateError) {
      try state.save(session.lastSnapshot())
      return nil
    } catch {
      return .failed("\(error)")
    }
  }

  /// Saves where the last session ended; a failure to do so is the run's failure.
  private func saveCursor() -> RunEnd? {
    let session = current.withLock { $0 }
    guard let session else { return nil }
    do throws(CursorError) {
      try cursorKeeper.saveLast(session.tracker.snapshot + hosts.untouched)
      return nil
    } catch {
      return .failed("\(error)")
    }
  }

  /// Asks for an orderly end: nothing more is read, what is inside is delivered, the cursor is saved. Any thread.
  package func stop() {
    isStopping.store(true, ordering: .releasing)
    current.withLock { $0 }?.requestStop()
  }

  /// What `/readyz` and the status line want to know.
  package var status: PipelineStatus {
    let session = current.withLock { $0 }
    let depths = session?.ring.depths ?? (waiting: 0, decoding: 0, bytes: 0)
    let inFlight = session?.tracker.inFlight ?? (messages: 0, frames: 0)
    return PipelineStatus(
      isConnected: metrics.isConnected.count > 0, broker: session?.producer.brokerState ?? .unknown,
      waitingFrames: depths.waiting, decodingFrames: depths.decoding, ringBytes: depths.bytes,
      messagesInFlight: inFlight.messages, framesInFlight: inFlight.frames,
      kafkaQueue: session?.producer.queuedMessages ?? 0, roomWaits: session?.producer.roomWaits ?? 0,
      kafkaErrors: session?.producer.errorCounts ?? [], cursors: session?.tracker.snapshot ?? [])
  }

  /// False for a capture file.
  package var isLive: Bool { settings.isLive }

  /// The rules' own numbers.
  package var ruleStatus: RuleSetStatus { RuleSetStatus(rules.active) }

  /// Loads the rules anew soon; a set that does not load leaves the old one in place. Any thread.
  package func reloadRules() {
    rules.reloadSoon()
    candidate?.reloadSoon()
  }

  /// The candidate set and what it would change; nil without one.
  package var candidateStatus: (set: RuleSetStatus, differences: [CandidateDifference])? {
    guard let candidate, let session = current.withLock({ $0 }) else { return nil }
    return (RuleSetStatus(candidate.active), session.candidateDifferences ?? [])
  }
}

/// One look at the running pipeline.
package struct PipelineStatus: Sendable {
  package var isConnected: Bool
  package var broker: BrokerState
  package var waitingFrames: Int
  package var decodingFrames: Int
  package var ringBytes: Int
  package var messagesInFlight: Int
  package var framesInFlight: Int
  package var kafkaQueue: Int
  package var roomWaits: UInt64
  package var kafkaErrors: [(name: String, count: UInt64)]
  package var cursors: [Cursor]
}
