import Synchronization

/// One relay host: where its stream was last left, for the next connect.
package final class HostProgress: Sendable {
  /// The name its cursor is kept under: the host that gave the sequence numbers, also after a redirect.
  package let name: String
  /// The cursor of an earlier run, if there is one.
  let saved: Cursor?
  private let start: StartPosition
  /// The last sequence number that went through the judge; 0 for none.
  let judged = Atomic<Int64>(0)
  /// The cursor the current connection was opened with; -1 for none.
  let requested = Atomic<Int64>(-1)

  init(name: String, saved: Cursor?, start: StartPosition) {
    self.name = name
    self.saved = saved
    self.start = start
  }

  /// The cursor for a connect that is about to happen: everything up to it has been seen. nil: live.
  package func nextCursor() -> Int64? {
    let last = judged.load(ordering: .acquiring)
    let cursor = last > 0 ? last : saved?.sequence ?? start.cursor
    requested.store(cursor ?? -1, ordering: .releasing)
    return cursor
  }
}

/// The hosts met so far, numbered in the order they were met.
package final class HostTable: Sendable {
  private let hosts = Mutex<[HostProgress]>([])
  private let saved: [Cursor]
  private let start: StartPosition

  /// - Parameters:
  ///   - saved: the cursors of an earlier run.
  ///   - start: where to begin with a host that has none.
  package init(saved: [Cursor], start: StartPosition) {
    self.saved = saved
    self.start = start
  }

  /// The host of this name and its number; a new name gets the next number.
  package func host(named name: String) -> (number: Int, progress: HostProgress) {
    hosts.withLock { hosts in
      if let number = hosts.firstIndex(where: { $0.name == name }) { return (number, hosts[number]) }
      let progress = HostProgress(name: name, saved: saved.first { $0.host == name }, start: start)
      hosts.append(progress)
      return (hosts.count - 1, progress)
    }
  }

  /// The host of this number, which `host(named:)` gave out.
  package subscript(number: Int) -> HostProgress { hosts.withLock { $0[number] } }

  /// Sends every host back to where Kafka has acknowledged everything: what was in flight has to be read again.
  package func rewind(to cursors: [Cursor]) {
    hosts.withLock { hosts in
      for host in hosts {
        let cursor = cursors.first { $0.host == host.name }
        host.judged.store(cursor?.sequence ?? 0, ordering: .releasing)
      }
    }
  }

  /// The last frame of each host that went through the judge.
  var judged: [Cursor] {
    hosts.withLock { hosts in
      hosts.compactMap { host in
        let last = host.judged.load(ordering: .acquiring)
        return last > 0 ? Cursor(host: host.name, sequence: last, timeMs: nil) : nil
      }
    }
  }

  /// Saved cursors of hosts that were not met in this run: they are kept.
  package var untouched: [Cursor] {
    hosts.withLock { hosts in saved.filter { cursor in !hosts.contains { $0.name == cursor.host } } }
  }
}

/// A connection's number and its host's, packed into the one number that travels with a frame.
package enum Connection {
  package static func pack(number: Int, host: Int) -> Int { number << 16 | host }
  @inline(__always)
  static func host(_ connection: Int) -> Int { connection & 0xffff }
}

/// Finds out that a host's sequence numbers started anew (CONTRACT.md, "Cursor").
struct SequenceWatch {
  /// So many frames below the cursor after a connect mean a new sequence.
  static let framesBelowMax = 100
  /// A lower number with a time this much past the cursor's means one, too.
  static let timeAheadMs: Int64 = 60_000

  private var requested: Int64 = -1
  private var framesBelow = 0
  private var isAsking = false
  private var lastSequence: Int64 = 0
  private var lastTimeMs: Int64 = .min

  /// A connection's first frame is at hand; `requested` is the cursor it was opened with, -1 for none.
  mutating func connected(requested: Int64, sameHost: Bool) {
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
    if sequence < lastSequence, let timeMs, lastTimeMs != .min, timeMs > lastTimeMs + Self.timeAheadMs {
      isReset = true
    }
    if isReset || sequence > lastSequence {
      lastSequence = sequence
      if let timeMs { lastTimeMs = timeMs }
    }
    if isReset { isAsking = false }
    return isReset
  }
}
