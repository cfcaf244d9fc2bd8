import Synchronization

/// Numbers of one rule since it was loaded.
package struct RuleStatistics: Sendable, Equatable {
  package var evaluations = 0
  package var hits = 0
  /// Evaluations that returned nil: the rule did not apply.
  package var skips = 0
  package var errors = 0
  /// Errors that were overruns of a budget: instructions, time or memory.
  package var kills = 0
  package var isSetAside = false
  /// Hits of which no effect was given, because each had been given before.
  package var suppressed = 0
  /// How often a quota made the rule shadow.
  package var quotaTrips = 0
  package var nanoseconds = 0
  /// Most units of budget one evaluation used: VM instructions and what the library charged.
  package var peakInstructions = 0
  /// Evaluations by time: entry n counts those that took less than `RuleCounters.bucketNanoseconds(n)`, the last one the rest.
  package var histogram: [Int] = []
}

/// Counters of a rule set. The judge's thread writes, any thread may read.
package final class RuleCounters: Sendable {
  static let bucketCount = 20
  /// Cells before the histogram.
  private static let header = 9
  private static let width = header + bucketCount
  /// How many rules there are.
  package let count: Int
  // The pointer is set once in `init`; what it points to are atomics, so sharing it is safe.
  nonisolated(unsafe) private let cells: UnsafeMutablePointer<Atomic<Int>>
  /// Per rule what nearly every event looks at or adds to, close together: evaluations that took no time because it was known
  /// what the rule finds, once for misses and once for skips, and whether the rule is set aside.
  nonisolated(unsafe) private let quick: UnsafeMutablePointer<Atomic<Int>>
  private static let quickWidth = 4

  enum Cell: Int { case evaluations, hits, skips, errors, kills, nanoseconds, suppressed, quotaTrips, peak }
  private enum Quick: Int { case knownMisses, knownSkips, setAside }

  init(count: Int) {
    self.count = count
    cells = Self.zeros(count * Self.width)
    quick = Self.zeros(count * Self.quickWidth)
  }

  private static func zeros(_ count: Int) -> UnsafeMutablePointer<Atomic<Int>> {
    let cells = UnsafeMutablePointer<Atomic<Int>>.allocate(capacity: max(1, count))
    for index in 0..<count { (cells + index).initialize(to: Atomic(0)) }
    return cells
  }

  deinit {
    cells.deinitialize(count: count * Self.width)
    cells.deallocate()
    quick.deinitialize(count: count * Self.quickWidth)
    quick.deallocate()
  }

  /// Upper end of histogram entry `index` in nanoseconds: 128, 256, …
  package static func bucketNanoseconds(_ index: Int) -> Int { 128 << index }

  /// One writer, so a load and a store do; no locked instruction per event.
  @inline(__always)
  private func add(_ amount: Int, to cell: UnsafeMutablePointer<Atomic<Int>>) {
    cell.pointee.store(cell.pointee.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
  }

  /// Adds a rule's numbers of another set, but not that it was set aside. The writer's thread.
  func copy(from other: RuleCounters, rule source: Int, to target: Int) {
    precondition(source >= 0 && source < other.count && target >= 0 && target < count)
    notePeak(target, other.value(.peak, source))
    for cell in 0..<Self.width where cell != Cell.peak.rawValue {
      let amount = (other.cells + source * Self.width + cell).pointee.load(ordering: .relaxed)
      add(amount, to: cells + target * Self.width + cell)
    }
    for cell in [Quick.knownMisses, .knownSkips] { add(other.value(cell, source), to: self.cell(cell, target)) }
  }

  @inline(__always)
  func add(_ cell: Cell, _ rule: Int, _ amount: Int = 1) {
    precondition(rule >= 0 && rule < count)
    add(amount, to: cells + rule * Self.width + cell.rawValue)
  }

  @inline(__always)
  func addTime(_ rule: Int, _ nanoseconds: Int) {
    add(.evaluations, rule)
    add(.nanoseconds, rule, nanoseconds)
    let bits = Int.bitWidth - max(0, nanoseconds).leadingZeroBitCount
    let bucket = min(max(bits - 7, 0), Self.bucketCount - 1)
    add(1, to: cells + rule * Self.width + Self.header + bucket)
  }

  /// An evaluation that took no time, since it is known what the rule finds.
  @inline(__always)
  func addKnown(_ rule: Int, isSkip: Bool) {
    add(1, to: cell(isSkip ? .knownSkips : .knownMisses, rule))
  }

  @inline(__always)
  func notePeak(_ rule: Int, _ instructions: Int) {
    precondition(rule >= 0 && rule < count)
    let cell = cells + rule * Self.width + Cell.peak.rawValue
    if instructions > cell.pointee.load(ordering: .relaxed) { cell.pointee.store(instructions, ordering: .relaxed) }
  }

  func setAside(_ rule: Int) {
    cell(.setAside, rule).pointee.store(1, ordering: .relaxed)
  }

  @inline(__always)
  func isSetAside(_ rule: Int) -> Bool { value(.setAside, rule) != 0 }

  private func value(_ cell: Cell, _ rule: Int) -> Int {
    (cells + rule * Self.width + cell.rawValue).pointee.load(ordering: .relaxed)
  }

  @inline(__always)
  private func cell(_ cell: Quick, _ rule: Int) -> UnsafeMutablePointer<Atomic<Int>> {
    precondition(rule >= 0 && rule < count)
    return quick + rule * Self.quickWidth + cell.rawValue
  }

  @inline(__always)
  private func value(_ cell: Quick, _ rule: Int) -> Int { self.cell(cell, rule).pointee.load(ordering: .relaxed) }

  /// The numbers of rule `rule` as they are now.
  package func statistics(_ rule: Int) -> RuleStatistics {
    precondition(rule >= 0 && rule < count)
    let skips = value(.knownSkips, rule)
    let known = skips + value(.knownMisses, rule)
    var histogram = (0..<Self.bucketCount).map {
      (cells + rule * Self.width + Self.header + $0).pointee.load(ordering: .relaxed)
    }
    histogram[0] += known
    return RuleStatistics(
      evaluations: value(.evaluations, rule) + known, hits: value(.hits, rule), skips: value(.skips, rule) + skips,
      errors: value(.errors, rule), kills: value(.kills, rule), isSetAside: isSetAside(rule),
      suppressed: value(.suppressed, rule), quotaTrips: value(.quotaTrips, rule),
      nanoseconds: value(.nanoseconds, rule), peakInstructions: value(.peak, rule), histogram: histogram)
  }
}
