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
  private static let header = 10
  private static let width = header + bucketCount
  /// How many rules there are.
  package let count: Int
  // The pointer is set once in `init`; what it points to are atomics, so sharing it is safe.
  nonisolated(unsafe) private let cells: UnsafeMutablePointer<Atomic<Int>>

  enum Cell: Int { case evaluations, hits, skips, errors, kills, setAside, nanoseconds, suppressed, quotaTrips, peak }

  init(count: Int) {
    self.count = count
    cells = .allocate(capacity: max(1, count * Self.width))
    for index in 0..<count * Self.width { (cells + index).initialize(to: Atomic(0)) }
  }

  deinit {
    cells.deinitialize(count: count * Self.width)
    cells.deallocate()
  }

  /// Upper end of histogram entry `index` in nanoseconds: 128, 256, …
  package static func bucketNanoseconds(_ index: Int) -> Int { 128 << index }

  /// One writer, so a load and a store do; no locked instruction per event.
  @inline(__always)
  private func add(_ amount: Int, at index: Int) {
    let cell = cells + index
    cell.pointee.store(cell.pointee.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
  }

  /// Adds a rule's numbers of another set, but not that it was set aside. The writer's thread.
  func copy(from other: RuleCounters, rule source: Int, to target: Int) {
    precondition(source >= 0 && source < other.count && target >= 0 && target < count)
    notePeak(target, other.value(.peak, source))
    for cell in 0..<Self.width where cell != Cell.setAside.rawValue && cell != Cell.peak.rawValue {
      let amount = (other.cells + source * Self.width + cell).pointee.load(ordering: .relaxed)
      add(amount, at: target * Self.width + cell)
    }
  }

  @inline(__always)
  func add(_ cell: Cell, _ rule: Int, _ amount: Int = 1) {
    precondition(rule >= 0 && rule < count)
    add(amount, at: rule * Self.width + cell.rawValue)
  }

  @inline(__always)
  func addTime(_ rule: Int, _ nanoseconds: Int) {
    add(.evaluations, rule)
    add(.nanoseconds, rule, nanoseconds)
    let bits = Int.bitWidth - max(0, nanoseconds).leadingZeroBitCount
    let bucket = min(max(bits - 7, 0), Self.bucketCount - 1)
    add(1, at: rule * Self.width + Self.header + bucket)
  }

  /// An evaluation that took no time, since it is known what the rule finds.
  @inline(__always)
  func addKnown(_ rule: Int, isSkip: Bool) {
    add(.evaluations, rule)
    if isSkip { add(.skips, rule) }
    add(1, at: rule * Self.width + Self.header)
  }

  @inline(__always)
  func notePeak(_ rule: Int, _ instructions: Int) {
    precondition(rule >= 0 && rule < count)
    let cell = cells + rule * Self.width + Cell.peak.rawValue
    if instructions > cell.pointee.load(ordering: .relaxed) { cell.pointee.store(instructions, ordering: .relaxed) }
  }

  func setAside(_ rule: Int) {
    (cells + rule * Self.width + Cell.setAside.rawValue).pointee.store(1, ordering: .relaxed)
  }

  func isSetAside(_ rule: Int) -> Bool { value(.setAside, rule) != 0 }

  private func value(_ cell: Cell, _ rule: Int) -> Int {
    (cells + rule * Self.width + cell.rawValue).pointee.load(ordering: .relaxed)
  }

  /// The numbers of rule `rule` as they are now.
  package func statistics(_ rule: Int) -> RuleStatistics {
    precondition(rule >= 0 && rule < count)
    return RuleStatistics(
      evaluations: value(.evaluations, rule), hits: value(.hits, rule), skips: value(.skips, rule),
      errors: value(.errors, rule), kills: value(.kills, rule), isSetAside: value(.setAside, rule) != 0,
      suppressed: value(.suppressed, rule), quotaTrips: value(.quotaTrips, rule),
      nanoseconds: value(.nanoseconds, rule), peakInstructions: value(.peak, rule),
      histogram: (0..<Self.bucketCount).map {
        (cells + rule * Self.width + Self.header + $0).pointee.load(ordering: .relaxed)
      })
  }
}
