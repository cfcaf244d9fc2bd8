import Glibc
import NIOCore

/// The two clocks of the room.
enum Clock {
  /// Microseconds since 1970, UTC (clock_gettime(2), CLOCK_REALTIME).
  static func realtimeMicroseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
  }

  /// Nanoseconds that only grow, for waits and silences.
  static func monotonicNanoseconds() -> UInt64 { NIODeadline.now().uptimeNanoseconds }
}

extension Duration {
  /// Whole nanoseconds, held inside what a timer can carry.
  var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    guard !overflow else { return seconds < 0 ? 0 : .max }
    let (total, overflowed) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
    return overflowed ? .max : total
  }

  var timeAmount: TimeAmount { .nanoseconds(nanoseconds) }
}
