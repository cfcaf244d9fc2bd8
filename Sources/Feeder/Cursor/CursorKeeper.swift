import Kafka
import Logging
import Synchronization

/// Saves the cursor every second and at exit, and reads it at start (CONTRACT.md, "Cursor").
final class CursorKeeper: @unchecked Sendable {
  // Unchecked: `isEnding` is guarded by `monitor`. `thread` belongs to the pipeline's thread, and `topicWriter` to whichever
  // of that thread and the keeper runs: `end` joins the keeper before the pipeline saves.
  private static let intervalMs = 1000
  /// How long Kafka may take to acknowledge a cursor, or to hand the old ones out.
  private static let kafkaTimeoutMs: Int32 = 10_000

  private let store: CursorStore
  private let name: String
  private let configuration: KafkaConfiguration
  private let metrics: FeederMetrics
  private let log: Logger
  private let saved = Mutex<[Cursor]>([])
  private var topicWriter: CursorTopicWriter?
  private let monitor = Monitor(conditions: 1)
  private var isEnding = false
  private var thread: OwnedThread?

  init(settings: PipelineSettings, metrics: FeederMetrics, log: Logger) {
    store = settings.cursorStore
    name = settings.name
    configuration = settings.kafka
    self.metrics = metrics
    self.log = log
  }

  /// The cursors as they are saved at present.
  var lastSaved: [Cursor] { saved.withLock { $0 } }

  /// The cursors of an earlier run. A damaged one stops the start.
  func read() throws(StartError) -> [Cursor] {
    let cursors = try readStore()
    saved.withLock { $0 = cursors }
    return cursors
  }

  private func readStore() throws(StartError) -> [Cursor] {
    switch store {
    case .none: return []
    case .file(let path):
      do throws(CursorError) {
        return try CursorFile.read(path)
      } catch {
        throw StartError("\(error)")
      }
    case .kafka:
      do throws(KafkaError) {
        return try readTopic()
      } catch {
        throw StartError("cannot read the cursor: \(error)")
      }
    }
  }

  private func readTopic() throws(KafkaError) -> [Cursor] {
    let prefix = Array("\(name)|".utf8)
    let values = try CompactedTopic.lastValues(
      topic: CursorStore.topic, configuration, timeoutMs: Self.kafkaTimeoutMs
    ) { $0.starts(with: prefix) }
    return try values.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { entry throws(KafkaError) in
      guard let cursor = Cursor(line: entry.value) else {
        throw .invalidConfiguration(
          property: CursorStore.topic,
          reason:
            "the value under '\(String(decoding: entry.key, as: UTF8.self))' is damaged; try: another --name, and --start"
        )
      }
      return cursor
    }
  }

  /// Begins to save the session's cursor every second.
  func begin(_ session: Session) {
    guard store != .none else { return }
    isEnding = false
    thread = OwnedThread("cursor") { self.keep(session) }
  }

  /// Ends the saving and waits for the last save.
  func end() {
    monitor.lock()
    isEnding = true
    monitor.broadcast(0)
    monitor.unlock()
    thread?.join()
    thread = nil
  }

  private func keep(_ session: Session) {
    while true {
      monitor.lock()
      if !isEnding { _ = monitor.wait(0, milliseconds: Self.intervalMs) }
      let ends = isEnding
      monitor.unlock()
      if ends { return }
      guard let moved = session.tracker.takeMoved() else { continue }
      do throws(CursorError) {
        try save(moved)
      } catch {
        // The older cursor stands, so nothing is lost; the next second tries again.
        metrics.cursorSaveErrors.add()
        log.error("\(error)")
      }
    }
  }

  /// Saves at exit.
  func saveLast(_ cursors: [Cursor]) throws(CursorError) {
    guard !cursors.isEmpty else { return }
    try save(cursors)
  }

  private func save(_ cursors: [Cursor]) throws(CursorError) {
    let now = Now.unixMicros()
    switch store {
    case .none: return
    case .file(let path): try CursorFile.write(cursors, to: path, savedAtMicros: now)
    case .kafka:
      do throws(KafkaError) {
        if topicWriter == nil { topicWriter = try CursorTopicWriter(configuration) }
        try topicWriter?.write(cursors, name: name, nowMicros: now, timeoutMs: Self.kafkaTimeoutMs)
      } catch {
        throw CursorError(description: "cannot save the cursor: \(error)", isConfiguration: false)
      }
    }
    metrics.cursorSaves.add()
    saved.withLock { $0 = cursors }
  }
}

/// Writes cursors to their topic with a producer of its own, so that a save waits for its own acknowledgement alone.
private final class CursorTopicWriter {
  private let producer: Producer
  private let topic: TopicHandle
  private var token: UInt64 = 0

  init(_ configuration: KafkaConfiguration) throws(KafkaError) {
    producer = try Producer(configuration)
    topic = try producer.topic(CursorStore.topic)
  }

  func write(_ cursors: [Cursor], name: String, nowMicros: Int64, timeoutMs: Int32) throws(KafkaError) {
    if let fatal = producer.fatalError { throw fatal }
    var waiting = Set<UInt64>()
    for cursor in cursors {
      token += 1
      let key = Array("\(name)|\(cursor.host)".utf8)
      let line = cursor.line(savedAtMicros: nowMicros)
      let result = key.withUnsafeBytes { key in
        line.withUnsafeBytes { line in
          producer.send(topic, key: key, value: line, timestampMs: nowMicros / 1000, token: token)
        }
      }
      guard result == .queued else { throw .queueFull }
      waiting.insert(token)
    }
    let deadline = ContinuousClock.now + .milliseconds(Int(timeoutMs))
    var failed: KafkaErrorCode?
    while !waiting.isEmpty {
      guard ContinuousClock.now < deadline else {
        throw .other(
          code: .none, operation: "save the cursor", reason: "no acknowledgement within \(timeoutMs) ms")
      }
      producer.waitForDeliveries(timeoutMs: 100) { delivery in
        waiting.remove(delivery.token)
        if delivery.error != .none { failed = delivery.error }
      }
    }
    if let failed { throw KafkaError(code: failed, operation: "save the cursor", topic: CursorStore.topic) }
  }
}
