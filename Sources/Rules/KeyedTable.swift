/// What a counter is filed under.
struct StateKey: Hashable {
  var high: UInt64
  var low: UInt64
}

/// A hash table from `StateKey` to slots 0 ..< capacity, with the order of last use: the bookkeeping under counters and
/// distinct sets. When all slots are taken, the one not used for longest is given out again. Same calls, same slots: nothing
/// depends on addresses or seeds. Memory grows by doubling up to the capacity.
struct KeyedTable: ~Copyable {
  private struct Slot {
    var key = StateKey(high: 0, low: 0)
    var older: Int32 = -1
    var newer: Int32 = -1
  }

  let capacity: Int
  private var slots: UnsafeMutablePointer<Slot>
  private var allocated: Int
  private var index: UnsafeMutablePointer<Int32>
  private var indexCount: Int
  private var oldest: Int32 = -1
  private var newest: Int32 = -1
  /// Slots in use.
  private(set) var count = 0

  init(capacity: Int) {
    precondition(capacity > 0)
    self.capacity = capacity
    allocated = min(capacity, 256)
    indexCount = 1024
    slots = .allocate(capacity: allocated)
    index = .allocate(capacity: indexCount)
    index.initialize(repeating: -1, count: indexCount)
  }

  deinit {
    slots.deallocate()
    index.deallocate()
  }

  /// The slot of `key`, now the one used last; nil where it has none.
  mutating func find(_ key: StateKey) -> Int? {
    var at = Int(truncatingIfNeeded: key.low) & (indexCount - 1)
    while index[at] >= 0 {
      let slot = index[at]
      if slots[Int(slot)].key == key {
        touch(slot)
        return Int(slot)
      }
      at = (at + 1) & (indexCount - 1)
    }
    return nil
  }

  /// The slot of `key` without calling it used; nil where it has none.
  func peek(_ key: StateKey) -> Int? {
    var at = Int(truncatingIfNeeded: key.low) & (indexCount - 1)
    while index[at] >= 0 {
      let slot = index[at]
      if slots[Int(slot)].key == key { return Int(slot) }
      at = (at + 1) & (indexCount - 1)
    }
    return nil
  }

  /// A slot for a key that has none. `isReused` says that it belonged to another key until now.
  mutating func insert(_ key: StateKey) -> (slot: Int, isReused: Bool) {
    var isReused = false
    let slot: Int32
    if count < capacity {
      if count == allocated { grow() }
      slot = Int32(count)
      count += 1
    } else {
      slot = oldest
      unlink(slot)
      removeFromIndex(slots[Int(slot)].key)
      isReused = true
    }
    slots[Int(slot)] = Slot(key: key)
    link(slot)
    addToIndex(slot)
    return (Int(slot), isReused)
  }

  /// The slot not used for longest.
  var leastRecent: Int? { oldest >= 0 ? Int(oldest) : nil }
  /// The slot used next after `slot`.
  func moreRecent(than slot: Int) -> Int? {
    let next = slots[slot].newer
    return next >= 0 ? Int(next) : nil
  }

  private mutating func touch(_ slot: Int32) {
    guard newest != slot else { return }
    unlink(slot)
    link(slot)
  }

  private mutating func unlink(_ slot: Int32) {
    let (older, newer) = (slots[Int(slot)].older, slots[Int(slot)].newer)
    if older >= 0 { slots[Int(older)].newer = newer } else { oldest = newer }
    if newer >= 0 { slots[Int(newer)].older = older } else { newest = older }
  }

  private mutating func link(_ slot: Int32) {
    slots[Int(slot)].older = newest
    slots[Int(slot)].newer = -1
    if newest >= 0 { slots[Int(newest)].newer = slot } else { oldest = slot }
    newest = slot
  }

  private mutating func grow() {
    let size = min(capacity, allocated * 2)
    let moved = UnsafeMutablePointer<Slot>.allocate(capacity: size)
    moved.moveInitialize(from: slots, count: allocated)
    slots.deallocate()
    slots = moved
    allocated = size
    guard indexCount < size * 2 else { return }
    index.deallocate()
    while indexCount < size * 2 { indexCount *= 2 }
    index = .allocate(capacity: indexCount)
    index.initialize(repeating: -1, count: indexCount)
    for slot in 0..<count { addToIndex(Int32(slot)) }
  }

  private func addToIndex(_ slot: Int32) {
    var at = Int(truncatingIfNeeded: slots[Int(slot)].key.low) & (indexCount - 1)
    while index[at] >= 0 { at = (at + 1) & (indexCount - 1) }
    index[at] = slot
  }

  /// Takes a key out and moves up what stood behind it, so that no tombstones pile up.
  private func removeFromIndex(_ key: StateKey) {
    let mask = indexCount - 1
    var hole = Int(truncatingIfNeeded: key.low) & mask
    while slots[Int(index[hole])].key != key { hole = (hole + 1) & mask }
    var at = (hole + 1) & mask
    while index[at] >= 0 {
      let home = Int(truncatingIfNeeded: slots[Int(index[at])].key.low) & mask
      if (at - home) & mask >= (at - hole) & mask {
        index[hole] = index[at]
        hole = at
      }
      at = (at + 1) & mask
    }
    index[hole] = -1
  }

  // MARK: Snapshots

  /// Bytes that `save` writes.
  var savedBytes: Int { 2 * SnapshotWriter.headBytes + 8 + count * MemoryLayout<Slot>.stride }

  func save(to writer: SnapshotWriter) {
    writer.append([oldest, newest])
    writer.append(UnsafeRawBufferPointer(start: slots, count: count * MemoryLayout<Slot>.stride), stride: 24)
  }

  /// Fills an empty table with what `save` wrote, the order of use included.
  mutating func restore(from reader: inout SnapshotReader) throws(SnapshotError) {
    let ends: [Int32] = try reader.array()
    let saved: [Slot] = try reader.array()
    guard ends.count == 2, saved.count <= capacity else { throw .damaged }
    // The chain from the oldest to the newest must pass each slot once, or using it would run wild.
    var at = ends[0]
    var before: Int32 = -1
    for _ in saved {
      guard at >= 0, at < saved.count, saved[Int(at)].older == before else { throw .damaged }
      before = at
      at = saved[Int(at)].newer
    }
    guard at == -1, before == ends[1] else { throw .damaged }
    while allocated < saved.count { grow() }
    saved.withUnsafeBufferPointer { if let base = $0.baseAddress { slots.update(from: base, count: $0.count) } }
    count = saved.count
    (oldest, newest) = (ends[0], ends[1])
    for slot in 0..<count { addToIndex(Int32(slot)) }
  }
}
