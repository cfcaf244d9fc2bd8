/// When to read again. A quiet stream would wake the whole pipeline for every frame; waiting a few milliseconds after
/// a small read lets frames gather and costs a fifth of the wake-ups. A busy stream is read without any wait.
///
/// The wait is as long as the rate allows: it moves towards the pause that brings `pauseBytes`, and one that brings more than
/// a window's worth is halved, until there is none.
/// Whether a busy stream has become quiet is told by a measured rate, not by the size of one read: a socket whose window
/// is still small can never show more than that window after a pause, and would otherwise be held at that speed.
struct ReadPacer {
  /// Bytes after one pause that halve it: three quarters of Linux's first receive window (64 KiB).
  static let pauseBytesMax = 48 << 10
  /// Bytes a pause should bring.
  static let pauseBytes = 32 << 10
  /// A shorter pause is none.
  static let pauseMin: UInt64 = 1_000_000
  private static let busyNanoseconds: UInt64 = 100_000_000

  private let pauseMax: UInt64
  private var pause: UInt64
  private var isBusy = false
  private var busySince: UInt64 = 0
  private var busyBytes = 0

  /// `pause`: nanoseconds between two reads of a stream with little on it; 0 never waits.
  init(pause: UInt64) {
    pauseMax = pause
    self.pause = pause
  }

  /// What was read since the last call, and now (monotonic nanoseconds). Returns nanoseconds to wait before reading again.
  mutating func wait(afterReading bytes: Int, now: UInt64) -> UInt64 {
    guard pauseMax > 0 else { return 0 }
    if !isBusy {
      if bytes > Self.pauseBytesMax {
        pause /= 2
      } else {
        // A quarter of the way each time: one read that was late says little.
        let fitting = min(pauseMax, pause * UInt64(Self.pauseBytes) / UInt64(max(1, bytes)))
        pause = (3 * pause + fitting) / 4
      }
      guard pause < Self.pauseMin else { return pause }
      isBusy = true
      busySince = now
      busyBytes = 0
      return 0
    }
    busyBytes += bytes
    guard now - busySince >= Self.busyNanoseconds else { return 0 }
    let fitting = UInt64(Self.pauseBytes) * (now - busySince) / UInt64(max(1, busyBytes))
    isBusy = fitting < Self.pauseMin
    busySince = now
    busyBytes = 0
    guard !isBusy else { return 0 }
    pause = min(pauseMax, fitting)
    return pause
  }
}
