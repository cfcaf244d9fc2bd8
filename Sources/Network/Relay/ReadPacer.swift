/// When to read again. A quiet stream would wake the whole pipeline for every frame; waiting a few milliseconds after
/// a small read lets frames gather and costs a fifth of the wake-ups. A busy stream is read without any wait.
///
/// The two states are kept apart by a measured rate, not by the size of one read: a socket whose window is still small
/// can never show more than that window after a pause, and would otherwise be held at that speed.
struct ReadPacer {
  /// Bytes after one pause that end the waiting: three quarters of Linux's first receive window (64 KiB).
  static let quietBytesMax = 48 << 10
  private static let busyNanoseconds: UInt64 = 100_000_000

  private let pause: UInt64
  private var isBusy = false
  private var busySince: UInt64 = 0
  private var busyBytes = 0

  /// `pause`: nanoseconds between two reads of a quiet stream; 0 never waits.
  init(pause: UInt64) { self.pause = pause }

  /// What was read since the last call, and now (monotonic nanoseconds). Returns nanoseconds to wait before reading again.
  mutating func wait(afterReading bytes: Int, now: UInt64) -> UInt64 {
    guard pause > 0 else { return 0 }
    if !isBusy {
      guard bytes > Self.quietBytesMax else { return pause }
      isBusy = true
      busySince = now
      busyBytes = 0
      return 0
    }
    busyBytes += bytes
    guard now - busySince >= Self.busyNanoseconds else { return 0 }
    let pauses = max(1, Int((now - busySince) / pause))
    isBusy = busyBytes / pauses > Self.quietBytesMax
    busySince = now
    busyBytes = 0
    return 0
  }
}
