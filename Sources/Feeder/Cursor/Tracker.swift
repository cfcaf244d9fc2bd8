/// Follows each frame from the judge until every message made of it is acknowledged, and derives the cursor from that.
///
/// A frame's entry stands in a ring at its ticket. The low-water mark passes an entry only when it has no message
/// outstanding, so the cursor never passes a frame with an unacknowledged message (law 1).
package final class Tracker: @unchecked Sendable {
  // Unchecked: every stored variable is guarded by `monitor`.
  private struct Entry {
    var outstanding: Int32 = 0
    var isReset = false
    var host: Int32 = 0
    var sequence: Int64 = 0
    var timeMs: Int64 = 0
    var receivedAtMicros: Int64 = 0
    /// Which counter the frame is added to once all of it is acknowledged.
    var label: Int32 = 0
  }

  private static let advanced = 0

  private let monitor = Monitor(conditions: 1)
  private var entries: [Entry]
  private let mask: UInt64
  /// Entries in use: `low ..< high`.
  private var low: UInt64 = 0
  private var high: UInt64 = 0
  private var outstanding = 0
  /// Frames with a message outstanding; others in `low ..< high` only wait for their turn.
  private var openFrames = 0
  private var isBroken = false
  /// By host number.
  private var cursors: [(sequence: Int64, timeMs: Int64?)] = []
  private let hosts: HostTable
  private var hasMoved = false
  private let latency: Histogram
  private let frames: LabelledCounters

  /// - Parameters:
  ///   - hosts: what the host numbers of frames stand for.
  ///   - frames: where a frame is counted under its label when nothing of it is outstanding.
  ///   - capacity: frames that may wait for acknowledgement; a power of two.
  package init(hosts: HostTable, latency: Histogram, frames: LabelledCounters, capacity: Int = 1 << 17) {
    self.hosts = hosts
    self.frames = frames
    self.latency = latency
    entries = Array(repeating: Entry(), count: capacity)
    mask = UInt64(capacity - 1)
  }

  /// Registers the next frame in stream order with the number of messages that will be sent for it, and returns their
  /// token; waits while too many frames are unacknowledged. nil once the producer has failed.
  ///
  /// - Parameters:
  ///   - sequence: 0 for frames that have none: they do not move the cursor.
  ///   - label: the frame's outcome, an index of `frames`.
  ///   - isReset: the host's sequence starts anew here, so the cursor may go back.
  package func begin(
    host: Int, sequence: Int64, timeMs: Int64?, isReset: Bool, messages: Int, label: Int, receivedAtMicros: Int64
  ) -> UInt64? {
    monitor.lock()
    defer { monitor.unlock() }
    while high - low == UInt64(entries.count) {
      if isBroken { return nil }
      monitor.wait(Self.advanced)
    }
    if isBroken { return nil }
    while cursors.count <= host {
      let saved = hosts[cursors.count].saved
      cursors.append((saved?.sequence ?? 0, saved?.timeMs))
    }
    let token = high
    entries[Int(token & mask)] = Entry(
      outstanding: Int32(messages), isReset: isReset, host: Int32(host), sequence: sequence,
      timeMs: timeMs ?? .min, receivedAtMicros: receivedAtMicros, label: Int32(label))
    high += 1
    outstanding += messages
    if messages > 0 {
      openFrames += 1
    } else {
      frames[label].add()
      advance()
    }
    return token
  }

  /// Counts a batch of acknowledgements, one token each.
  package func acknowledge(_ tokens: [UInt64], nowMicros: Int64) {
    monitor.lock()
    for token in tokens {
      let index = Int(token & mask)
      precondition(token >= low && token < high && entries[index].outstanding > 0, "a token came back twice")
      entries[index].outstanding -= 1
      if entries[index].outstanding == 0 {
        latency.record(micros: max(0, Int(nowMicros - entries[index].receivedAtMicros)))
        frames[Int(entries[index].label)].add()
        openFrames -= 1
      }
    }
    outstanding -= tokens.count
    advance()
    monitor.unlock()
  }

  private func advance() {
    let before = low
    while low < high, entries[Int(low & mask)].outstanding == 0 {
      let entry = entries[Int(low & mask)]
      let host = Int(entry.host)
      if entry.sequence > 0 && (entry.isReset || entry.sequence > cursors[host].sequence) {
        cursors[host].sequence = entry.sequence
        cursors[host].timeMs = entry.timeMs == .min ? nil : entry.timeMs
        hasMoved = true
      }
      low += 1
    }
    if low != before { monitor.broadcast(Self.advanced) }
  }

  /// Ends every wait: nothing will be acknowledged any more.
  package func breakOff() {
    monitor.lock()
    isBroken = true
    monitor.broadcast(Self.advanced)
    monitor.unlock()
  }

  /// Waits until every frame is acknowledged; false when `milliseconds` have passed or the producer failed.
  package func waitUntilDrained(milliseconds: Int) -> Bool {
    let deadline = Now.monotonicNanos() + Int64(milliseconds) * 1_000_000
    monitor.lock()
    defer { monitor.unlock() }
    while low < high {
      let left = Int((deadline - Now.monotonicNanos()) / 1_000_000)
      if isBroken || left <= 0 { return false }
      _ = monitor.wait(Self.advanced, milliseconds: left)
    }
    return true
  }

  /// Messages sent and not yet acknowledged, and the frames they belong to. Counted, not computed.
  package var inFlight: (messages: Int, frames: Int) {
    monitor.lock()
    defer { monitor.unlock() }
    return (outstanding, openFrames)
  }

  /// The cursor of every host that has one.
  package var snapshot: [Cursor] {
    monitor.lock()
    defer { monitor.unlock() }
    return current
  }

  /// What to save, if a cursor has moved since the last time: also the cursors of hosts not met in this run, which a file
  /// would lose otherwise.
  package func takeMoved() -> [Cursor]? {
    monitor.lock()
    defer { monitor.unlock() }
    guard hasMoved else { return nil }
    hasMoved = false
    return current + hosts.untouched
  }

  private var current: [Cursor] {
    cursors.indices.filter { cursors[$0].sequence > 0 }.map {
      Cursor(host: hosts[$0].name, sequence: cursors[$0].sequence, timeMs: cursors[$0].timeMs)
    }
  }
}
