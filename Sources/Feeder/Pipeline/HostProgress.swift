import Synchronization

/// One relay host: where its stream was last left, for the next connect.
package final class HostProgress: Sendable {
  /// As configured.
  package let host: String
  /// The last sequence number that went through the judge; 0 for none.
  let judged = Atomic<Int64>(0)
  /// The cursor the current connection was opened with; -1 for none.
  let requested = Atomic<Int64>(-1)
  private let saved: Int64?

  /// - Parameter saved: the cursor to begin with, nil for live.
  package init(host: String, saved: Int64?) {
    self.host = host
    self.saved = saved
  }

  /// The cursor for a connect that is about to happen: everything up to it has been seen. nil: live.
  package func nextCursor() -> Int64? {
    let last = judged.load(ordering: .acquiring)
    let cursor = last > 0 ? last : saved
    requested.store(cursor ?? -1, ordering: .releasing)
    return cursor
  }
}

/// Finds out that a host's sequence numbers started anew (CONTRACT.md, "Cursor").
struct SequenceWatch {
  /// So many frames below the cursor after a connect mean a new sequence.
  static let framesBelowMax = 100
  /// A lower number with a time this much past the cursor's means one, too.
  static let timeAheadMs: Int64 = 60_000

  private var connection = -1
  private var requested: Int64 = -1
  private var framesBelow = 0
  private var isAsking = false
  private var lastSequence: Int64 = 0
  private var lastTimeMs: Int64 = .min

  /// A connection's first frame is at hand; `requested` is the cursor it was opened with, -1 for none.
  mutating func connected(_ connection: Int, requested: Int64, sameHost: Bool) {
    guard connection != self.connection else { return }
    self.connection = connection
    self.requested = requested
    framesBelow = 0
    isAsking = requested > 0
    if !sameHost {
      lastSequence = max(requested, 0)
      lastTimeMs = .min
    }
  }

  /// Whether the sequence starts anew with this frame, which is no repeat.
  mutating func isReset(sequence: Int64, timeMs: Int64?) -> Bool {
    var isReset = false
    if isAsking {
      if sequence < requested {
        framesBelow += 1
        isReset = framesBelow == Self.framesBelowMax
      } else {
        isAsking = false
      }
    }
    if sequence < lastSequence, let timeMs, lastTimeMs != .min, timeMs > lastTimeMs + Self.timeAheadMs { isReset = true }
    if isReset || sequence > lastSequence {
      lastSequence = sequence
      if let timeMs { lastTimeMs = timeMs }
    }
    if isReset { isAsking = false }
    return isReset
  }
}
