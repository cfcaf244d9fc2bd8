/// Waiting times between attempts: full jitter under a ceiling that doubles, so that many feeders cut off together do
/// not come back together. Pure; randomness is passed in.
package struct Backoff: Sendable {
  private let first: Duration
  private let longest: Duration
  private var failures = 0

  /// `first`: the ceiling after one failure; `longest`: the ceiling after many.
  package init(first: Duration, longest: Duration) {
    self.first = first
    self.longest = longest
  }

  /// The longest the next wait can be.
  package var ceiling: Duration {
    // 2^20 times a second is longer than any ceiling, and does not overflow.
    min(longest, first * (1 << min(failures, 20)))
  }

  /// One more failure: how long to wait, for a `fraction` drawn from 0 ..< 1.
  package mutating func next(fraction: Double) -> Duration {
    let wait = ceiling * fraction
    failures += 1
    return wait
  }

  /// A frame arrived: the next failure is the first one again.
  package mutating func reset() { failures = 0 }
}
