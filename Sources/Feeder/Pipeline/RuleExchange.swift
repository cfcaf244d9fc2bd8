import Rules
import Synchronization

/// Where a newly loaded rule set waits until the judge takes it, between two frames.
///
/// A set that still waits when the next one comes is replaced by it. The set the judge gives back stays here until somebody
/// else clears it away, so that the judge spends no time on taking a Lua state apart.
final class RuleExchange: @unchecked Sendable {
  // Unchecked: the sets are guarded by `monitor`. (A `Mutex` would do, but the thread sanitizer does not see through a contended
  // one.)
  private let monitor = Monitor(conditions: 0)
  private let isWaiting = Atomic<Bool>(false)
  private var current: RuleHost
  private var waiting: RuleHost?
  private var retired: RuleHost?

  init(_ host: RuleHost) { current = host }

  /// The set the judge runs.
  var active: RuleHost {
    monitor.lock()
    defer { monitor.unlock() }
    return current
  }

  /// Puts a set where the judge takes it. Any thread but the judge's.
  func offer(_ host: RuleHost) {
    monitor.lock()
    let replaced = waiting
    waiting = host
    isWaiting.store(true, ordering: .releasing)
    monitor.unlock()
    // Its memory is given back here, outside the lock.
    withExtendedLifetime(replaced) {}
  }

  /// The judge: the set that waits, which is the active one from now on; nil where none waits.
  @inline(__always)
  func take() -> RuleHost? {
    guard isWaiting.load(ordering: .acquiring) else { return nil }
    monitor.lock()
    defer { monitor.unlock() }
    isWaiting.store(false, ordering: .relaxed)
    guard let host = waiting else { return nil }
    waiting = nil
    retired = current
    current = host
    return host
  }

  /// Drops the set the judge gave back. Any thread but the judge's.
  func clear() {
    monitor.lock()
    let dropped = retired
    retired = nil
    monitor.unlock()
    withExtendedLifetime(dropped) {}
  }
}
