import Glibc

// What a snapshot holds, in its order. Everything is copied as it stands in memory, the order of last use included: what a full
// table forgets next belongs to the state.

extension RuleHost {
  /// A copy of everything that outlives an event. On the judge's thread, between two events; what is dear is done by `encoded`.
  package func snapshot() -> RuleSnapshot {
    let writer = SnapshotWriter(capacity: state.savedBytes + 64 * RuleLimits.featureNamesMax)
    state.save(to: writer)
    features.types.save(to: writer)
    return RuleSnapshot(writer.out)
  }
}

extension RuleState {
  /// A set without its values.
  private struct SavedSet {
    var newest: Int64
    var count: Int32
    var capacity: Int32
  }

  /// At least as many bytes as `save` writes, so that nothing is moved on the way.
  var savedBytes: Int {
    counterKeys.savedBytes + distinctKeys.savedBytes + crossedKeys.savedBytes + effects.given.savedBytes
      + effects.marked.savedBytes + cache.keys.savedBytes + counters.count * 76 + sets.count * 16
      + distinctValues * 16 + crossedUntil.count * 8 + effects.givenUntil.count * 8 + effects.marks.count * 16
      + cache.entries.reduce(0) { $0 + 24 + Int($1.count) } + quotas.rules.count * 48 + (64 << 10)
  }

  func save(to writer: SnapshotWriter) {
    counterKeys.save(to: writer)
    writer.append(counters)
    writer.append(slots)
    distinctKeys.save(to: writer)
    writer.append(sets.map { SavedSet(newest: $0.newest, count: $0.count, capacity: $0.capacity) })
    writer.head(stride: MemoryLayout<Seen>.stride, count: sets.reduce(0) { $0 + Int($1.count) })
    for set in sets where set.count > 0 {
      writer.more(UnsafeRawBufferPointer(start: set.values, count: Int(set.count) * MemoryLayout<Seen>.stride))
    }
    crossedKeys.save(to: writer)
    writer.append(crossedUntil)
    effects.given.save(to: writer)
    writer.append(effects.givenUntil)
    effects.marked.save(to: writer)
    writer.append(effects.marks)
    writer.append(texts: effects.names)
    cache.save(to: writer)
    writer.append(quotas.rules)
    writer.append(quotas.kinds)
  }

  /// Fills an empty state.
  func restore(from reader: inout SnapshotReader) throws(SnapshotError) {
    try counterKeys.restore(from: &reader)
    counters = try reader.array()
    slots = try reader.array()
    guard counters.count == counterKeys.count, slots.count == counters.count * RuleLimits.windowSlices else {
      throw .damaged
    }
    try distinctKeys.restore(from: &reader)
    try restoreSets(from: &reader)
    try crossedKeys.restore(from: &reader)
    crossedUntil = try reader.array()
    try effects.given.restore(from: &reader)
    effects.givenUntil = try reader.array()
    try effects.marked.restore(from: &reader)
    effects.marks = try reader.array()
    effects.names = try reader.texts()
    guard crossedUntil.count == crossedKeys.count, effects.givenUntil.count == effects.given.count,
      effects.marks.count == effects.marked.count, effects.names.count <= RuleLimits.labelNamesMax
    else { throw .damaged }
    try cache.restore(from: &reader)
    quotas.rules = try reader.array()
    quotas.kinds = try reader.array()
    guard quotas.kinds.count == QuotaBook().kinds.count, quotas.rules.count <= RuleLimits.rulesMax else {
      throw .damaged
    }
    isRestored = true
  }

  private func restoreSets(from reader: inout SnapshotReader) throws(SnapshotError) {
    let saved: [SavedSet] = try reader.array()
    let values = try reader.section(stride: MemoryLayout<Seen>.stride)
    guard saved.count == distinctKeys.count else { throw .damaged }
    var at = 0
    for set in saved {
      let bytes = Int(set.count) * MemoryLayout<Seen>.stride
      guard set.count >= 0, set.count <= set.capacity, Int(set.capacity) <= RuleLimits.distinctValuesMax,
        bytes <= values.count - at
      else { throw .damaged }
      var restored = DistinctSet()
      restored.newest = set.newest
      // Without memory the set begins anew.
      if set.capacity > 0, let room = malloc(Int(set.capacity) * MemoryLayout<Seen>.stride) {
        restored.values = room.assumingMemoryBound(to: Seen.self)
        restored.capacity = set.capacity
        restored.count = set.count
        if bytes > 0 { memcpy(room, values.baseAddress! + at, bytes) }
        distinctValues += Int(set.capacity)
      }
      sets.append(restored)
      at += bytes
    }
    guard at == values.count, distinctValues <= valuesMax + RuleLimits.distinctValuesMax else { throw .damaged }
  }
}

extension CacheTable {
  func save(to writer: SnapshotWriter) {
    keys.save(to: writer)
    writer.append(entries)
    writer.head(stride: 1, count: entries.reduce(0) { $0 + Int($1.count) })
    for (slot, entry) in entries.enumerated() where entry.count > 0 {
      writer.more(UnsafeRawBufferPointer(start: texts[slot], count: Int(entry.count)))
    }
  }

  /// Fills an empty table.
  mutating func restore(from reader: inout SnapshotReader) throws(SnapshotError) {
    try keys.restore(from: &reader)
    let saved: [Entry] = try reader.array()
    let all = try reader.section(stride: 1)
    var at = 0
    for entry in saved {
      guard entry.count >= 0, Int(entry.count) <= RuleLimits.cacheTextBytesMax, Kind(rawValue: entry.kind) != nil else {
        throw .damaged
      }
      at += Int(entry.count)
    }
    guard saved.count == keys.count, at == all.count else { throw .damaged }
    take(saved) { UnsafeRawBufferPointer(rebasing: all[$0..<$0 + $1]) }
  }
}
