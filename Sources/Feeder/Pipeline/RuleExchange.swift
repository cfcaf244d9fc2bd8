import Rules
import Synchronization

/// Where a newly loaded rule set waits until the judge takes it, between two frames.
///
/// A set that still waits when the next one comes is replaced by it. The set the judge gives back stays here until somebody
/// else clears it away, so that the judge spends no time on taking a Lua state apart.
final class RuleExchange: Sendable {
  private struct Sets {
    var active: RuleHost
    var waiting: RuleHost?
    var retired: RuleHost?
  }

  private let isWaiting = Atomic<Bool>(false)
  private let sets: Mutex<Sets>

  init(_ host: RuleHost) { sets = Mutex(Sets(active: host)) }

  /// The set the judge runs.
  var active: RuleHost { sets.withLock { $0.active } }

  /// Puts a set where the judge takes it. Any thread but the judge's.
  func offer(_ host: RuleHost) {
    let replaced = sets.withLock { sets in
      let replaced = sets.waiting
      sets.waiting = host
      isWaiting.store(true, ordering: .releasing)
      return replaced
    }
    // Its memory is given back here, outside the lock.
    withExtendedLifetime(replaced) {}
  }

  /// The judge: the set that waits, which is the active one from now on; nil where none waits.
  @inline(__always)
  func take() -> RuleHost? {
    guard isWaiting.load(ordering: .acquiring) else { return nil }
    return sets.withLock { sets in
      isWaiting.store(false, ordering: .relaxed)
      guard let host = sets.waiting else { return nil }
      sets = Sets(active: host, waiting: nil, retired: sets.active)
      return host
    }
  }

  /// Drops the set the judge gave back. Any thread but the judge's.
  func clear() {
    let retired = sets.withLock { sets in
      let retired = sets.retired
      sets.retired = nil
      return retired
    }
    withExtendedLifetime(retired) {}
  }
}
