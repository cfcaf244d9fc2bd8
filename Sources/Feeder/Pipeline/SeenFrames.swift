import ATProto

/// Remembers the last frames by (seq, DID, rev), so that what a relay sends again after a reconnect is recognised.
struct SeenFrames {
  private struct Entry {
    var sequence: Int64 = 0
    var mark: UInt64 = 0
  }

  private var entries: [Entry]
  private let mask: Int

  /// - Parameter capacity: a power of two; frames whose seq differ by a multiple of it forget each other.
  init(capacity: Int = 1 << 16) {
    entries = Array(repeating: Entry(), count: capacity)
    mask = capacity - 1
  }

  /// What tells the frame of this number apart, if it is the last one seen under it.
  func mark(of sequence: Int64) -> UInt64? {
    let entry = entries[Int(truncatingIfNeeded: sequence) & mask]
    return entry.sequence == sequence ? entry.mark : nil
  }

  /// Remembers a frame of an earlier run.
  mutating func insert(sequence: Int64, mark: UInt64) {
    entries[Int(truncatingIfNeeded: sequence) & mask] = Entry(sequence: sequence, mark: mark)
  }

  /// Whether this very frame came before; remembers it.
  mutating func insert(sequence: Int64, did: Bytes, revTID: UInt64) -> Bool {
    let mark = hash(did) ^ (revTID &* 0x9e37_79b9_7f4a_7c15)
    let index = Int(truncatingIfNeeded: sequence) & mask
    if entries[index].sequence == sequence && entries[index].mark == mark { return true }
    entries[index] = Entry(sequence: sequence, mark: mark)
    return false
  }

  /// FNV-1a, 64 bits.
  private func hash(_ did: Bytes) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for index in 0..<did.count { hash = (hash ^ UInt64(did[index])) &* 0x0000_0100_0000_01b3 }
    return hash
  }
}
