/// Counts how often each of many keys came, in bounded memory: exact while there are at most `capacity` different ones, after
/// that a lower bound which the most frequent keys are never missing from (Misra and Gries, 1982).
struct HeavyHitters {
  private let capacity: Int
  private var counts: [String: Int] = [:]
  /// Whether keys have been left out: counts are lower bounds then.
  private(set) var isLossy = false

  init(capacity: Int = 4096) { self.capacity = capacity }

  mutating func add(_ key: String) {
    if counts[key] != nil || counts.count < capacity {
      counts[key, default: 0] += 1
      return
    }
    isLossy = true
    counts = counts.compactMapValues { $0 > 1 ? $0 - 1 : nil }
  }

  /// Different keys, as far as they were kept.
  var distinct: Int { counts.count }

  /// The `number` most frequent ones; equal counts in the order of their names.
  func top(_ number: Int) -> [(key: String, count: Int)] {
    let sorted = counts.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }
    return sorted.prefix(number).map { ($0.key, $0.value) }
  }
}

/// Keeps some of a stream of things: the first, and others spread evenly over all that came. The same stream gives the same
/// samples.
struct EvenSamples<Element> {
  private let wanted: Int
  private var kept: [Element] = []
  private var stride = 1
  private var count = 0

  /// - Parameter wanted: how many `samples` are asked for.
  init(_ wanted: Int) { self.wanted = wanted }

  /// Whether the next thing is to be kept: asked once for each, so that those that are not need not be made.
  mutating func wantsNext() -> Bool {
    defer { count += 1 }
    return wanted > 0 && count % stride == 0
  }

  /// Keeps what `wantsNext` wanted.
  mutating func keep(_ element: Element) {
    kept.append(element)
    guard kept.count == 2 * wanted else { return }
    kept = kept.indices.filter { $0 % 2 == 0 }.map { kept[$0] }
    stride *= 2
  }

  /// At most as many as wanted, in the order they came.
  var samples: [Element] {
    guard kept.count > wanted else { return kept }
    return (0..<wanted).map { kept[$0 * kept.count / wanted] }
  }
}
