import ATProto

/// Deterministic snowflakes: time above, position in the stream below (CONTRACT.md, "action_id").
package enum ActionID {
  /// Osprey's compose file sets this epoch (milliseconds since 1970): 2015-01-01.
  package static let defaultEpochMs: Int64 = 1_420_070_400_000
  private static let lowBits: Int64 = 22

  /// The id of operation `index` of the frame with this sequence number. Positive, 63 bits.
  ///
  /// - Parameter ms: the event's own time in milliseconds since 1970, nil where it has none.
  package static func make(ms: Int64?, sequence: Int64, operation index: Int, epochMs: Int64 = defaultEpochMs) -> Int64
  {
    let sinceEpoch = min(max((ms ?? 0).subtractingClamped(epochMs), 1), (1 << 41) - 1)
    let low = (sequence &+ 20_011 &* Int64(index)) & ((1 << lowBits) - 1)
    return sinceEpoch << lowBits | low
  }

  /// The time an event's id is made of: the rev's for a commit, else its `time`.
  package static func milliseconds(_ decoded: DecodedFrame) -> Int64? {
    decoded.type == .commit ? decoded.revMs : decoded.timeMs
  }
}

extension Int64 {
  fileprivate func subtractingClamped(_ other: Int64) -> Int64 {
    let (difference, overflow) = subtractingReportingOverflow(other)
    return overflow ? (self < 0 ? .min : .max) : difference
  }
}
