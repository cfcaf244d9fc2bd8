import CRdKafka
import Synchronization

/// One librdkafka client (`rd_kafka_t`) with a reference to its main event queue; frees both, once.
///
/// Unchecked: librdkafka's INTRODUCTION.md, "Threads and callbacks": the API is completely thread-safe, any of its
/// functions may be called from any of the application's threads at any time. `close` is the exception; its callers
/// see to it that no other call is under way.
final class Client: @unchecked Sendable {
  let handle: OpaquePointer
  /// The main queue: delivery reports, errors, logs (`rd_kafka_queue_get_main`).
  let queue: OpaquePointer
  let ledger: HandleLedger
  private let closed = Atomic<Bool>(false)

  var isClosed: Bool { closed.load(ordering: .relaxed) }

  /// Makes a client. Throws `invalidConfiguration` for what librdkafka refuses.
  init(
    _ kind: rd_kafka_type_t, settings: [(name: String, value: String)], events: Int32, ledger: HandleLedger
  ) throws(KafkaError) {
    let configuration = try Self.configuration(settings, events: events, ledger: ledger)
    let (created, message) = withErrorText { rd_kafka_new(kind, configuration, $0, $1) }
    guard let created else {
      // rd_kafka_new takes the configuration only when it succeeds.
      rd_kafka_conf_destroy(configuration)
      ledger.closed()
      throw .invalidConfiguration(property: "", reason: message)
    }
    // The configuration's place in the ledger is now the client's.
    handle = created
    queue = rd_kafka_queue_get_main(created)
    ledger.opened()
    self.ledger = ledger
    // nil: logs go to the main queue. It can only fail where log.queue is not set; the embedded broker's is not.
    rd_kafka_set_log_queue(created, nil)
  }

  deinit { close() }

  /// Destroys the client; every topic handle and other queue of it must be gone. A second call does nothing.
  func close() {
    guard !closed.exchange(true, ordering: .acquiringAndReleasing) else { return }
    rd_kafka_queue_destroy(queue)
    ledger.closed()
    rd_kafka_destroy(handle)
    ledger.closed()
  }

  private static func configuration(
    _ settings: [(name: String, value: String)], events: Int32, ledger: HandleLedger
  ) throws(KafkaError) -> OpaquePointer {
    guard let configuration = rd_kafka_conf_new() else {
      throw .invalidConfiguration(property: "", reason: "out of memory")
    }
    ledger.opened()
    rd_kafka_conf_set_events(configuration, events)
    rd_kafka_conf_set_log_cb(configuration, nil)  // never to stderr
    for (name, value) in settings {
      let (result, message) = withErrorText { rd_kafka_conf_set(configuration, name, value, $0, $1) }
      guard result == RD_KAFKA_CONF_OK else {
        rd_kafka_conf_destroy(configuration)
        ledger.closed()
        throw .invalidConfiguration(property: name, reason: message)
      }
    }
    return configuration
  }
}

/// Calls a function of librdkafka that writes an error text, and gives back its result and that text.
func withErrorText<Result>(_ body: (UnsafeMutablePointer<CChar>, Int) -> Result) -> (Result, String) {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
    buffer.initialize(repeating: 0)
    guard let start = buffer.baseAddress else { preconditionFailure("a temporary allocation has an address") }
    let result = body(start, buffer.count)
    return (result, String(cString: start))
  }
}
