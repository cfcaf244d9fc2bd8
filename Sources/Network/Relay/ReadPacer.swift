/// Whether frames may gather in the socket before they are read. A quiet stream would wake the whole pipeline for every
/// frame; taken by the handful, a frame costs half the CPU. A busy stream is read without any wait.
///
/// A stream that gathers is read when `bytesWanted` lie there or the pause is over, whichever comes first. So a burst waits
/// for nothing, and the rate need be looked at only now and then.
struct ReadPacer {
  /// Bytes that end a pause (SO_RCVLOWAT, socket(7)): more than a busy stream brings in one. Linux makes room for twice as
  /// many at once, where it would begin with a receive window of 64 KiB.
  static let bytesWanted = 768 << 10
  /// Above this a stream is busy: 3,000 frames of a relay in a second.
  static let quietBytesPerMillisecondMax: UInt64 = 16 << 10
  /// How long the rate is measured.
  static let measureMilliseconds: UInt64 = 100

  private var isQuiet = true
  private var since: UInt64
  private var bytes: UInt64 = 0

  /// `now`: monotonic nanoseconds.
  init(now: UInt64) { since = now }

  /// Takes the bytes that were read since the last call, and the time; returns whether the next ones may gather.
  mutating func gathers(afterReading count: Int, now: UInt64) -> Bool {
    bytes += UInt64(count)
    let milliseconds = (now - since) / 1_000_000
    if milliseconds >= Self.measureMilliseconds {
      isQuiet = bytes / milliseconds <= Self.quietBytesPerMillisecondMax
      since = now
      bytes = 0
    }
    return isQuiet
  }
}
