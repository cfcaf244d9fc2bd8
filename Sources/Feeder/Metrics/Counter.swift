import Synchronization

/// A number many threads may add to and read. Relaxed: metrics order nothing.
package final class Counter: Sendable {
  private let value = Atomic<Int>(0)

  package init() {}

  @inline(__always)
  package func add(_ amount: Int = 1) { value.wrappingAdd(amount, ordering: .relaxed) }
  @inline(__always)
  package func set(_ new: Int) { value.store(new, ordering: .relaxed) }
  @inline(__always)
  package var count: Int { value.load(ordering: .relaxed) }
}

/// One counter for each case of a finite set of labels.
package final class LabelledCounters: Sendable {
  package let labels: [String]
  private let counters: [Counter]

  package init(_ labels: [String]) {
    self.labels = labels
    counters = labels.map { _ in Counter() }
  }

  @inline(__always)
  package subscript(index: Int) -> Counter { counters[index] }

  package var total: Int { counters.reduce(0) { $0 + $1.count } }
}

/// Durations in fixed buckets, as Prometheus has them.
package final class Histogram: Sendable {
  /// Upper bounds in microseconds; one more bucket holds the rest.
  package let boundsMicros: [Int]
  private let buckets: [Counter]
  private let sumMicros = Counter()

  package init(boundsMicros: [Int]) {
    self.boundsMicros = boundsMicros
    buckets = (0...boundsMicros.count).map { _ in Counter() }
  }

  package func record(micros: Int, times: Int = 1) {
    var index = 0
    while index < boundsMicros.count, micros > boundsMicros[index] { index += 1 }
    buckets[index].add(times)
    sumMicros.add(micros * times)
  }

  /// Counts by bucket, not cumulative, and the sum of all durations in microseconds.
  package var snapshot: (counts: [Int], sumMicros: Int) { (buckets.map(\.count), sumMicros.count) }
}
