import Glibc

/// What rules keep under a key for a while: texts, numbers, booleans. Bounded by the number of entries, each of which is small;
/// what was not used for longest goes first. Stream time.
struct CacheTable: ~Copyable {
  /// What a value is.
  enum Kind: Int32 { case absent = 0, no, yes, integer, number, text }

  struct Entry {
    var expires: Int64 = .min
    /// The number, or the bit pattern of it.
    var bits: UInt64 = 0
    var kind: Int32 = 0
    /// Bytes of the text.
    var count: Int32 = 0
  }

  var keys: KeyedTable
  var entries: [Entry] = []
  private(set) var texts: [UnsafeMutablePointer<UInt8>?] = []

  init(entriesMax: Int) { keys = KeyedTable(capacity: entriesMax) }

  deinit {
    for text in texts { free(text) }
  }

  /// The slot of a value that is not over at `clockMs`.
  mutating func find(_ key: StateKey, clockMs: Int64) -> Int? {
    guard let slot = keys.find(key), entries[slot].expires > clockMs, entries[slot].kind != 0 else { return nil }
    return slot
  }

  /// Files a value, replacing what was there. `text` is copied.
  mutating func set(_ key: StateKey, _ kind: Kind, bits: UInt64, text: UnsafeBufferPointer<UInt8>, expires: Int64) {
    if kind == .absent {
      if let slot = keys.peek(key) { clear(slot) }
      return
    }
    let slot = keys.find(key) ?? keys.insert(key).slot
    while entries.count <= slot {
      entries.append(Entry())
      texts.append(nil)
    }
    clear(slot)
    guard kind != .text || keep(text, slot) else { return }
    entries[slot].expires = expires
    entries[slot].bits = bits
    entries[slot].kind = kind.rawValue
  }

  /// Copies a text into a slot that has none. False where the machine has no memory left.
  private mutating func keep(_ text: UnsafeBufferPointer<UInt8>, _ slot: Int) -> Bool {
    if text.isEmpty { return true }
    guard let copy = malloc(text.count) else { return false }
    memcpy(copy, text.baseAddress!, text.count)
    texts[slot] = copy.assumingMemoryBound(to: UInt8.self)
    entries[slot].count = Int32(text.count)
    return true
  }

  private mutating func clear(_ slot: Int) {
    free(texts[slot])
    texts[slot] = nil
    entries[slot] = Entry()
  }

  /// Takes entries over into an empty table; `text` gives the bytes of their texts, which stand one behind the other, from a
  /// position on.
  mutating func take(_ saved: [Entry], text: (Int, Int) -> UnsafeRawBufferPointer) {
    entries = saved
    texts = Array(repeating: nil, count: saved.count)
    var at = 0
    for slot in saved.indices {
      let count = Int(saved[slot].count)
      entries[slot].count = 0
      if count > 0, !keep(text(at, count).bindMemory(to: UInt8.self), slot) { entries[slot] = Entry() }
      at += count
    }
  }
}
