/// The clock of the stream itself (DESIGN.md decision 5): windows and expiry follow it, so that a replay gives what live
/// traffic gave, and no stranger's `time` can move it far.
package struct StreamClock {
  /// Milliseconds since 1970; nil before the first frame.
  package private(set) var nowMs: Int64?

  /// How far one frame may move the clock.
  static let stepMaxMs: Int64 = 60_000
  /// How far an event's `time` may be from the clock and still count.
  static let skewMaxMs: Int64 = 300_000

  package init(nowMs: Int64? = nil) { self.nowMs = nowMs }

  /// The clock of an event.
  ///
  /// - Parameters:
  ///   - timeMs: the event's `time`, nil where it is no date.
  ///   - startMs: where the clock starts if it has not: the receive time of a live frame.
  /// - Returns: the event's clock in milliseconds since 1970, and whether its `time` was too far off to be believed.
  package mutating func tick(timeMs: Int64?, startMs: Int64) -> (clockMs: Int64, isSkewed: Bool) {
    let before = nowMs ?? startMs
    guard let timeMs else {
      nowMs = before
      return (before, false)
    }
    let now = max(before, min(timeMs, before + Self.stepMaxMs))
    nowMs = now
    // Differences of two far-off Int64 could overflow; a date of four-digit years cannot.
    return abs(timeMs - before) <= Self.skewMaxMs ? (timeMs, false) : (now, true)
  }
}
