import Logging
import Rules
import Synchronization

/// Writes the snapshots the judge hands over, on a thread of its own, and finds the one to begin with.
final class StateKeeper: @unchecked Sendable {
  // Unchecked: `waiting` and `isEnding` are guarded by `monitor`; `dueNanos` is the judge's; `thread` the pipeline's.

  private let store: StateStore
  private let intervalNanos: Int64
  private let savedCursors: @Sendable () -> [Cursor]
  private let metrics: FeederMetrics
  private let log: Logger
  private let monitor = Monitor(conditions: 1)
  private var waiting: StateSnapshot?
  private var isEnding = false
  private var thread: OwnedThread?
  private var dueNanos: Int64

  /// - Parameters:
  ///   - intervalMs: how often the judge makes a snapshot, at most: what a restart replays.
  ///   - savedCursors: the cursors as they are saved at present.
  init(
    store: StateStore, intervalMs: Int, metrics: FeederMetrics, log: Logger,
    savedCursors: @escaping @Sendable () -> [Cursor]
  ) {
    self.store = store
    intervalNanos = Int64(intervalMs) * 1_000_000
    self.savedCursors = savedCursors
    self.metrics = metrics
    self.log = log
    dueNanos = Now.monotonicNanos() + intervalNanos
  }

  /// The newest snapshot the cursors have passed.
  func newest(passedBy cursors: [Cursor]) throws(StateError) -> StateSnapshot? { try store.newest(passedBy: cursors) }

  func begin() {
    isEnding = false
    thread = OwnedThread("state") { self.keep() }
  }

  /// Writes what waits and ends.
  func end() {
    monitor.lock()
    isEnding = true
    monitor.broadcast(0)
    monitor.unlock()
    thread?.join()
    thread = nil
  }

  /// Whether it is time for another snapshot. The judge's thread.
  var isDue: Bool { Now.monotonicNanos() >= dueNanos }

  /// Takes a snapshot to write; one that still waits is replaced. The judge's thread.
  func offer(_ snapshot: StateSnapshot) {
    dueNanos = Now.monotonicNanos() + intervalNanos
    monitor.lock()
    waiting = snapshot
    monitor.broadcast(0)
    monitor.unlock()
  }

  private func keep() {
    while true {
      monitor.lock()
      while waiting == nil && !isEnding { monitor.wait(0) }
      let snapshot = waiting
      waiting = nil
      monitor.unlock()
      guard let snapshot else { return }
      do throws(StateError) {
        try save(snapshot)
      } catch {
        // An older snapshot stands and a restart replays more; the next one tries again.
        metrics.stateSaveErrors.add()
        log.error("\(error)")
      }
    }
  }

  /// Writes a snapshot now: at the end, when nobody judges any more.
  func save(_ snapshot: StateSnapshot) throws(StateError) {
    try store.write(snapshot, savedCursors: savedCursors())
    metrics.stateSaves.add()
    metrics.stateBytes.set(snapshot.rules.count)
  }
}
