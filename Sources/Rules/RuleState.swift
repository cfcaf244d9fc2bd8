import Glibc

/// What rules remember from event to event: windowed counters, sets of distinct values, and which thresholds were crossed.
///
/// Windows slide in stream time, by slices of a thirtieth of the window (at least a second): a count is what came in the last
/// 29 to 30 slices. An event from before the newest one seen by a counter counts where it belongs if its slice is still in the
/// window, else not at all. Memory is bounded by `RuleLimits`. Owned by the judge's thread.
final class RuleState {
  private static let slices = RuleLimits.windowSlices

  struct Counter {
    var newest: Int64 = .min
    var total: Int32 = 0
    /// So that a snapshot has no bytes nobody wrote.
    var spare: Int32 = 0
  }

  struct Seen {
    var value: UInt64
    /// Slice in which the value was seen last.
    var slice: Int64
  }

  struct DistinctSet {
    var values: UnsafeMutablePointer<Seen>?
    var capacity: Int32 = 0
    var count: Int32 = 0
    var newest: Int64 = .min
  }

  var counterKeys: KeyedTable
  var counters: [Counter] = []
  var slots: [UInt16] = []
  var distinctKeys: KeyedTable
  var sets: [DistinctSet] = []
  var crossedKeys: KeyedTable
  /// Until when a crossing is remembered, ms of stream time.
  var crossedUntil: [Int64] = []
  /// Values that distinct sets have room for at present.
  var distinctValues = 0
  let valuesMax: Int
  /// What effects left behind.
  var effects: EffectMemory
  var quotas = QuotaBook()
  /// What rules keep under keys of their own.
  var cache: CacheTable
  /// The set whose rules `quotas` is arranged for.
  private var arrangedFor = 0
  /// Whether the state comes from a snapshot and no set has judged with it: then what quotas had set to shadow stays.
  var isRestored = false

  init(
    countersMax: Int = RuleLimits.countersMax, setsMax: Int = RuleLimits.distinctSetsMax,
    valuesMax: Int = RuleLimits.distinctValuesTotalMax, givenMax: Int = RuleLimits.effectsRememberedMax,
    marksMax: Int = RuleLimits.labelsRememberedMax, cacheMax: Int = RuleLimits.cacheEntriesMax
  ) {
    cache = CacheTable(entriesMax: cacheMax)
    effects = EffectMemory(givenMax: givenMax, marksMax: marksMax)
    counterKeys = KeyedTable(capacity: countersMax)
    distinctKeys = KeyedTable(capacity: setsMax)
    crossedKeys = KeyedTable(capacity: countersMax)
    self.valuesMax = valuesMax
  }

  deinit {
    for set in sets { free(set.values) }
  }

  /// Arranges the quotas for the rules of `host` where another set judged before; that ends what quotas had set to shadow.
  func arrange(for host: RuleHost) {
    guard arrangedFor != host.serial else { return }
    quotas.arrange(host.crossingKeys, keepsTrips: isRestored)
    isRestored = false
    arrangedFor = host.serial
  }

  var counterCount: Int { counterKeys.count }
  var distinctSetCount: Int { distinctKeys.count }

  /// A moment in stream time as a window of one length sees it.
  private struct Moment {
    var windowMs: Int64 = -1
    var clockMs: Int64 = 0
    /// The slice it is in.
    var slice: Int64 = 0
    /// Slices that the window covers: thirty, or fewer where a slice is a whole second.
    var span: Int64 = 1
    /// Where the slice stands among `span`.
    var position = 0
  }

  /// The moments asked about last: an event asks for few windows and often, and divisions are slow.
  private var moments = Array(repeating: Moment(), count: 8)

  private func moment(_ clockMs: Int64, _ windowMs: Int64) -> Moment {
    let at = Int(truncatingIfNeeded: (UInt64(bitPattern: windowMs) &* 0x9e37_79b9_7f4a_7c15) >> 61)
    if moments[at].windowMs == windowMs && moments[at].clockMs == clockMs { return moments[at] }
    let width = max(1000, (windowMs + Int64(Self.slices) - 1) / Int64(Self.slices))
    let slice = clockMs >= 0 ? clockMs / width : (clockMs - width + 1) / width
    let span = min(Int64(Self.slices), max(1, (windowMs + width - 1) / width))
    let rest = Int(slice % span)
    moments[at] = Moment(
      windowMs: windowMs, clockMs: clockMs, slice: slice, span: span, position: rest < 0 ? rest + Int(span) : rest)
    return moments[at]
  }

  // MARK: Counters

  /// Adds `number` at `clockMs` and returns the count of the window.
  func add(_ key: StateKey, windowMs: Int64, clockMs: Int64, number: Int) -> Int {
    let slot: Int
    if let found = counterKeys.find(key) {
      slot = found
    } else {
      slot = counterKeys.insert(key).slot
      if slot < counters.count {
        clear(slot)
      } else {
        counters.append(Counter())
        slots.append(contentsOf: repeatElement(0, count: Self.slices))
      }
    }
    let now = moment(clockMs, windowMs)
    advance(slot, to: now)
    guard now.slice > counters[slot].newest - now.span else { return Int(counters[slot].total) }
    let at = slot * Self.slices + now.position
    let added = min(number, Int(UInt16.max) - Int(slots[at]))
    slots[at] += UInt16(added)
    counters[slot].total += Int32(added)
    return Int(counters[slot].total)
  }

  /// The count of the window that ends now.
  func count(_ key: StateKey, windowMs: Int64, clockMs: Int64) -> Int {
    guard let slot = counterKeys.find(key) else { return 0 }
    advance(slot, to: moment(clockMs, windowMs))
    return Int(counters[slot].total)
  }

  private func clear(_ slot: Int) {
    counters[slot] = Counter()
    slots.withUnsafeMutableBufferPointer {
      $0[slot * Self.slices..<(slot + 1) * Self.slices].update(repeating: 0)
    }
  }

  /// Empties the slices that fall out of the window when its end moves to `now`.
  private func advance(_ slot: Int, to now: Moment) {
    let newest = counters[slot].newest
    guard now.slice > newest else { return }
    if newest == .min {
      // Nothing has been counted yet.
    } else if now.slice - newest >= now.span {
      clear(slot)
    } else {
      var position = now.position
      for _ in newest..<now.slice {
        let at = slot * Self.slices + position
        counters[slot].total -= Int32(slots[at])
        slots[at] = 0
        position = position == 0 ? Int(now.span) - 1 : position - 1
      }
    }
    counters[slot].newest = now.slice
  }

  // MARK: Distinct values

  /// Notes `value` at `clockMs` and returns how many different ones the window holds, at most `distinctValuesMax`.
  func addDistinct(_ key: StateKey, windowMs: Int64, clockMs: Int64, value: UInt64) -> Int {
    let slot: Int
    if let found = distinctKeys.find(key) {
      slot = found
    } else {
      let inserted = distinctKeys.insert(key)
      slot = inserted.slot
      while sets.count <= slot { sets.append(DistinctSet()) }
      if inserted.isReused { release(slot) }
      sets[slot] = DistinctSet()
    }
    let moment = moment(clockMs, windowMs)
    let now = moment.slice
    expire(slot, moment)
    for index in 0..<Int(sets[slot].count) where sets[slot].values![index].value == value {
      sets[slot].values![index].slice = max(now, sets[slot].values![index].slice)
      return Int(sets[slot].count)
    }
    guard now > sets[slot].newest - moment.span else { return Int(sets[slot].count) }
    guard makeRoom(slot) else { return Int(sets[slot].count) }
    sets[slot].values![Int(sets[slot].count)] = Seen(value: value, slice: now)
    sets[slot].count += 1
    return Int(sets[slot].count)
  }

  /// How many different values the window that ends now holds.
  func countDistinct(_ key: StateKey, windowMs: Int64, clockMs: Int64) -> Int {
    guard let slot = distinctKeys.find(key) else { return 0 }
    expire(slot, moment(clockMs, windowMs))
    return Int(sets[slot].count)
  }

  private func expire(_ slot: Int, _ now: Moment) {
    guard now.slice > sets[slot].newest else { return }
    sets[slot].newest = now.slice
    guard let values = sets[slot].values else { return }
    var kept = 0
    for index in 0..<Int(sets[slot].count) where values[index].slice > now.slice - now.span {
      values[kept] = values[index]
      kept += 1
    }
    sets[slot].count = Int32(kept)
  }

  private func release(_ slot: Int) {
    free(sets[slot].values)
    distinctValues -= Int(sets[slot].capacity)
    sets[slot].values = nil
    sets[slot].capacity = 0
    sets[slot].count = 0
  }

  /// Room for one more value: more memory, at the cost of the sets not used for longest; in a full set the place of the value
  /// that was seen longest ago. False where the machine has no memory left.
  private func makeRoom(_ slot: Int) -> Bool {
    let capacity = Int(sets[slot].capacity)
    if Int(sets[slot].count) < capacity { return true }
    if capacity >= RuleLimits.distinctValuesMax {
      let values = sets[slot].values!
      var oldest = 0
      for index in 1..<capacity where values[index].slice < values[oldest].slice { oldest = index }
      values[oldest] = values[capacity - 1]
      sets[slot].count -= 1
      return true
    }
    let size = capacity == 0 ? 4 : capacity * 2
    var victim = distinctKeys.leastRecent
    while distinctValues + size - capacity > valuesMax, let candidate = victim {
      if candidate != slot { release(candidate) }
      victim = distinctKeys.moreRecent(than: candidate)
    }
    guard let moved = realloc(sets[slot].values, size * MemoryLayout<Seen>.stride) else { return false }
    sets[slot].values = moved.assumingMemoryBound(to: Seen.self)
    distinctValues += size - capacity
    sets[slot].capacity = Int32(size)
    return true
  }

  // MARK: Thresholds

  /// True the first time `count` has reached `threshold` since it was last seen below it. `key` names counter, rule and
  /// threshold. Remembered for one window after it was last asked.
  func crossed(_ key: StateKey, windowMs: Int64, clockMs: Int64, count: Int, threshold: Int) -> Bool {
    let found = crossedKeys.find(key)
    if count < threshold {
      if let found { crossedUntil[found] = .min }
      return false
    }
    if let found {
      let isKnown = crossedUntil[found] > clockMs
      crossedUntil[found] = max(crossedUntil[found], clockMs + windowMs)
      return !isKnown
    }
    let slot = crossedKeys.insert(key).slot
    while crossedUntil.count <= slot { crossedUntil.append(.min) }
    crossedUntil[slot] = clockMs + windowMs
    return true
  }
}
