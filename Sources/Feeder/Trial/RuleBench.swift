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

/// What judging costs, measured on events in memory with nothing else running in this process.
///
/// Each event is timed by the clock on the wall, which is read without entering the kernel: the clock of a thread's own time is a
/// system call, and two of them an event make what they measure a twentieth slower. What else the machine does is taken off the means
/// by the share of the whole in which the thread ran; a pause stays in the percentile it falls into.
package struct RuleBench: Sendable {
  /// Time of `RuleHost.judge` per event: over all events, and over those that entered Lua.
  package private(set) var all = NanosecondHistogram()
  package private(set) var entered = NanosecondHistogram()
  /// What reading the clock costs; taken off each event.
  package private(set) var clockNanoseconds = 0
  /// Of the time from the first event to the last, how much this thread ran.
  package private(set) var runningShare = 1.0

  /// Judges every action of the store once with `host`, which is new. Single-threaded.
  package init(_ host: RuleHost, _ store: EventStore) {
    clockNanoseconds = Self.clockCost()
    let verdict = Verdict()
    let (begin, ran) = (Now.monotonicNanos(), Now.threadCPUNanos())
    for action in store.actions {
      let start = Now.monotonicNanos()
      let result = host.judge(action, into: verdict)
      let took = max(0, Int(Now.monotonicNanos() - start) - clockNanoseconds)
      all.add(took)
      if result.evaluated > 0 { entered.add(took) }
    }
    let passed = Now.monotonicNanos() - begin
    if passed > 0 { runningShare = min(1, Double(Now.threadCPUNanos() - ran) / Double(passed)) }
  }

  /// Mean of the thread's own time, nanoseconds.
  package func mean(_ histogram: NanosecondHistogram) -> Double { histogram.mean * runningShare }

  /// Share of the events that entered Lua.
  package var enteredShare: Double { all.count == 0 ? 0 : Double(entered.count) / Double(all.count) }

  private static func clockCost() -> Int {
    let start = Now.monotonicNanos()
    for _ in 0..<1_000 { _ = Now.monotonicNanos() }
    return Int(Now.monotonicNanos() - start) / 1_001
  }
}
