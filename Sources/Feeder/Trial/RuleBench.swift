import ATProto
import Osprey
import Rules

/// How long something took, many times over: exact to a sixteenth, in fixed memory.
package struct NanosecondHistogram: Sendable {
  private static let parts = 16
  private var counts = [Int](repeating: 0, count: 64 * parts)
  package private(set) var count = 0
  package private(set) var sum = 0

  package init() {}

  package mutating func add(_ nanoseconds: Int) {
    let value = max(1, nanoseconds)
    let power = Int.bitWidth - 1 - value.leadingZeroBitCount
    let part = power < 4 ? 0 : (value >> (power - 4)) & (Self.parts - 1)
    counts[power * Self.parts + part] += 1
    count += 1
    sum += nanoseconds
  }

  package var mean: Double { count == 0 ? 0 : Double(sum) / Double(count) }

  /// The upper end of the entry in which `share` (0 to 1) is reached.
  package func percentile(_ share: Double) -> Int {
    let wanted = share * Double(count)
    var passed = 0
    for (index, entries) in counts.enumerated() where entries > 0 {
      passed += entries
      if Double(passed) >= wanted {
        let (power, part) = (index / Self.parts, index % Self.parts)
        return power < 4 ? 1 << (power + 1) : (1 << power) + ((part + 1) << (power - 4))
      }
    }
    return 0
  }
}

/// What judging costs, measured on events in memory with nothing else running in this process, in CPU time of the judging
/// thread: what else the machine does is not the rules' cost. (The rules' own numbers are taken by the host, by the clock on the
/// wall.)
package struct RuleBench: Sendable {
  /// Time of `RuleHost.judge` per event: over all events, and over those that entered Lua.
  package private(set) var all = NanosecondHistogram()
  package private(set) var entered = NanosecondHistogram()
  /// What measuring itself costs; taken off.
  package private(set) var clockNanoseconds = 0

  /// Judges every action of the store once with `host`, which is new. Single-threaded.
  package init(_ host: RuleHost, _ store: EventStore) {
    clockNanoseconds = Self.clockCost()
    let verdict = Verdict()
    for action in store.actions {
      let start = Now.threadCPUNanos()
      let result = host.judge(action, into: verdict)
      let took = max(0, Int(Now.threadCPUNanos() - start) - clockNanoseconds)
      all.add(took)
      if result.evaluated > 0 { entered.add(took) }
    }
  }

  /// Share of the events that entered Lua.
  package var enteredShare: Double { all.count == 0 ? 0 : Double(entered.count) / Double(all.count) }

  private static func clockCost() -> Int {
    let start = Now.threadCPUNanos()
    for _ in 0..<1_000 { _ = Now.threadCPUNanos() }
    return Int(Now.threadCPUNanos() - start) / 1_001
  }
}
