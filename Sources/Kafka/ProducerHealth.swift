import CRdKafka
import Synchronization

/// Whether the brokers answer, as a producer's traffic shows it.
package enum BrokerState: Sendable, Equatable {
  /// Nothing was acknowledged and nothing failed yet.
  case unknown
  /// The last word was an acknowledgement.
  case up
  /// Every broker was lost at this moment; librdkafka keeps trying.
  case down(since: ContinuousClock.Instant)

  /// Whether no broker answers.
  package var isDown: Bool {
    if case .down = self { true } else { false }
  }
}

/// A producer's cold state: counters and the last word on the brokers. Touched once per batch at most.
final class ProducerHealth: Sendable {
  private struct Cold {
    var errors: [KafkaErrorCode: UInt64] = [:]
    var state = BrokerState.unknown
  }

  private let cold = Mutex(Cold())
  /// Mirrors `state == .up`, so that a healthy batch takes no lock.
  private let isUp = Atomic<Bool>(false)
  private let interrupted = Atomic<Bool>(false)
  private let waitCount = Atomic<UInt64>(0)

  var isInterrupted: Bool { interrupted.load(ordering: .acquiring) }

  func interrupt() { interrupted.store(true, ordering: .releasing) }

  var waits: UInt64 { waitCount.load(ordering: .relaxed) }

  func countWait() { waitCount.add(1, ordering: .relaxed) }

  var brokerState: BrokerState { cold.withLock { $0.state } }

  var errorCounts: [(name: String, count: UInt64)] {
    cold.withLock { $0.errors }.map { (name: $0.key.name, count: $0.value) }.sorted { $0.name < $1.name }
  }

  func count(_ code: KafkaErrorCode) {
    cold.withLock { $0.errors[code, default: 0] += 1 }
  }

  func noteError(_ code: KafkaErrorCode) {
    cold.withLock { cold in
      cold.errors[code, default: 0] += 1
      guard code.native == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN else { return }
      isUp.store(false, ordering: .relaxed)
      if case .down = cold.state { return }
      cold.state = .down(since: .now)
    }
  }

  func brokerAnswered() {
    guard !isUp.load(ordering: .relaxed) else { return }
    cold.withLock { cold in
      cold.state = .up
      isUp.store(true, ordering: .relaxed)
    }
  }
}
