import Glibc
import Synchronization

/// Lets a sender sleep until the delivery thread has freed room in the producer's queue.
///
/// A generation number closes the gap between "it was full" and "now I wait": the sender reads it before it tries,
/// and waits only while it has not moved.
///
/// Unchecked: the mutex and the condition are pthread objects at fixed addresses, made for being shared by threads
/// (pthread_cond_wait(3p)); the generation is atomic and only written under the mutex.
final class RoomSignal: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let current = Atomic<UInt64>(0)
  private let waiting = Atomic<Int>(0)

  init() {
    mutex.initialize(to: pthread_mutex_t())
    condition.initialize(to: pthread_cond_t())
    pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    // The wall clock may jump; a wait must not.
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(condition, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  /// Moves with every announcement.
  var generation: UInt64 { current.load(ordering: .acquiring) }

  /// Wakes every waiting sender. Once per batch of reports, so the uncontended lock costs nothing that shows.
  func announce() {
    pthread_mutex_lock(mutex)
    current.add(1, ordering: .releasing)
    pthread_cond_broadcast(condition)
    pthread_mutex_unlock(mutex)
  }

  /// Whether a sender is asleep.
  var isAwaited: Bool { waiting.load(ordering: .acquiring) > 0 }

  /// Waits until the generation is past `seen`; false after `timeoutMs` (negative: no limit).
  func wait(past seen: UInt64, timeoutMs: Int32) -> Bool {
    var deadline = timespec()
    clock_gettime(CLOCK_MONOTONIC, &deadline)
    let nanoseconds = deadline.tv_nsec + Int(max(timeoutMs, 0)) % 1_000 * 1_000_000
    deadline.tv_sec += Int(max(timeoutMs, 0)) / 1_000 + nanoseconds / 1_000_000_000
    deadline.tv_nsec = nanoseconds % 1_000_000_000

    waiting.add(1, ordering: .acquiringAndReleasing)
    defer { waiting.subtract(1, ordering: .acquiringAndReleasing) }
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while generation == seen {
      if timeoutMs < 0 {
        pthread_cond_wait(condition, mutex)
      } else if pthread_cond_timedwait(condition, mutex, &deadline) == ETIMEDOUT {
        return generation != seen
      }
    }
    return true
  }
}
