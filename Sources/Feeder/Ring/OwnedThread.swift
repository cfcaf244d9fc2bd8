import Glibc

/// A thread with a name that somebody joins. (Foundation's `Thread` cannot be joined.)
package final class OwnedThread: @unchecked Sendable {
  // Unchecked: `handle` is written once in `init`; `join`, which one owner calls once, alone writes `isJoined`.
  private final class Body {
    let name: String
    let run: @Sendable () -> Void
    init(_ name: String, _ run: @escaping @Sendable () -> Void) {
      self.name = name
      self.run = run
    }
  }

  private var handle = pthread_t()
  private var isJoined = false

  /// Starts the thread. The kernel shows the first 15 bytes of `name`.
  package init(_ name: String, _ run: @escaping @Sendable () -> Void) {
    let body = Unmanaged.passRetained(Body(name, run))
    let code = pthread_create(
      &handle, nil,
      { raw in
        let body = Unmanaged<Body>.fromOpaque(raw!).takeRetainedValue()
        nameCurrentThread(body.name)
        body.run()
        return nil
      }, body.toOpaque())
    precondition(code == 0, "no thread could be started: the process is out of threads")
  }

  /// A thread nobody joined gives its memory back by itself when it ends.
  deinit {
    if !isJoined { pthread_detach(handle) }
  }

  /// Waits for the thread's end. Once.
  package func join() {
    pthread_join(handle, nil)
    isJoined = true
  }
}

/// Names the thread as `top -H` shows it (proc(5), /proc/thread-self/comm). glibc's call for it is hidden behind a GNU macro.
/// A name is a comfort: where /proc is not mounted the thread runs without.
private func nameCurrentThread(_ name: String) {
  let file = open("/proc/thread-self/comm", O_WRONLY)
  guard file >= 0 else { return }
  var name = String(name.prefix(15))
  _ = name.withUTF8 { write(file, $0.baseAddress, $0.count) }
  close(file)
}

/// A mutex with named conditions. Swift's `Mutex` has no condition to wait on.
final class Monitor: @unchecked Sendable {
  // Unchecked: pthread mutexes and conditions are made to be shared (POSIX.1-2017, pthread_mutex_lock).
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let conditions: UnsafeMutablePointer<pthread_cond_t>
  private let count: Int

  init(conditions count: Int) {
    self.count = count
    mutex = .allocate(capacity: 1)
    conditions = .allocate(capacity: count)
    pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    for index in 0..<count { pthread_cond_init(conditions + index, &attributes) }
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    for index in 0..<count { pthread_cond_destroy(conditions + index) }
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
    conditions.deallocate()
  }

  @inline(__always) func lock() { pthread_mutex_lock(mutex) }
  @inline(__always) func unlock() { pthread_mutex_unlock(mutex) }
  @inline(__always) func signal(_ condition: Int) { pthread_cond_signal(conditions + condition) }
  @inline(__always) func broadcast(_ condition: Int) { pthread_cond_broadcast(conditions + condition) }

  /// Waits for a signal, as POSIX does: it may wake without one.
  @inline(__always) func wait(_ condition: Int) { pthread_cond_wait(conditions + condition, mutex) }

  /// Waits for a signal or until `milliseconds` have passed; false for the latter.
  func wait(_ condition: Int, milliseconds: Int) -> Bool {
    var deadline = timespec()
    clock_gettime(CLOCK_MONOTONIC, &deadline)
    deadline.tv_sec += milliseconds / 1000
    deadline.tv_nsec += milliseconds % 1000 * 1_000_000
    if deadline.tv_nsec >= 1_000_000_000 {
      deadline.tv_sec += 1
      deadline.tv_nsec -= 1_000_000_000
    }
    return pthread_cond_timedwait(conditions + condition, mutex, &deadline) == 0
  }
}

/// Clocks, in the units the pipeline counts in.
package enum Now {
  /// Microseconds since 1970.
  package static func unixMicros() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
  }

  /// Nanoseconds of a clock that never goes back.
  package static func monotonicNanos() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
  }

  /// CPU time of the calling thread, nanoseconds.
  package static func threadCPUNanos() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
  }
}
