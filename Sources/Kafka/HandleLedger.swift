import Synchronization

/// Counts the librdkafka objects (clients, topics, queues, events, metadata …) that are alive.
///
/// Every one of them has one owner that frees it, on each way out; the tests give a configuration a ledger of their
/// own and expect it to end at zero, also after the early exits.
package final class HandleLedger: Sendable {
  /// Where production code counts.
  package static let shared = HandleLedger()

  private let count = Atomic<Int>(0)

  package init() {}

  /// Objects created and not yet destroyed.
  package var live: Int { count.load(ordering: .acquiring) }

  func opened() { count.add(1, ordering: .relaxed) }

  func closed() { count.subtract(1, ordering: .releasing) }
}
