import ATProto

#if canImport(Glibc)
  import Glibc
#endif

/// Hashes of what counters are called, as far as their keys: rules ask for few counters and often, and most of what a counter is
/// filed under is the same each time.
struct CounterNames: ~Copyable {
  private struct Known {
    var hash = SipHash()
    var windowMs: Int64 = 0
    var copy = 0
    var kind: UInt8 = 0
    /// -1 where nothing is known.
    var count = -1
  }

  private static let places = 32
  private let known: UnsafeMutablePointer<Known>
  /// The names themselves: the memory of one that Lua has forgotten may hold another one.
  private let names: UnsafeMutablePointer<UInt8>

  init() {
    known = .allocate(capacity: Self.places)
    known.initialize(repeating: Known(), count: Self.places)
    names = .allocate(capacity: Self.places * RuleLimits.counterNameBytesMax)
  }

  deinit {
    known.deallocate()
    names.deallocate()
  }

  /// The hash of everything but the key, which is to be appended. `copy` is 0, or, where a set is repeated, the number of the copy that asks.
  mutating func hash(kind: UInt8, name: Bytes, windowMs: Int64, copy: Int) -> SipHash {
    let place = (Int(bitPattern: name.base) >> 4 &+ copy &* 7) & (Self.places - 1)
    let kept = names + place * RuleLimits.counterNameBytesMax
    let entry = known + place
    if entry.pointee.count == name.count, entry.pointee.windowMs == windowMs, entry.pointee.kind == kind,
      entry.pointee.copy == copy, memcmp(kept, name.base, name.count) == 0
    {
      return entry.pointee.hash
    }
    var hash = SipHash()
    hash.append(kind)
    hash.append(name.base, name.count)
    hash.append(UInt8(0))
    hash.append(UInt64(bitPattern: windowMs))
    if copy > 0 { hash.append(UInt64(copy)) }
    guard name.count <= RuleLimits.counterNameBytesMax else { return hash }
    kept.update(from: name.base, count: name.count)
    entry.pointee = Known(hash: hash, windowMs: windowMs, copy: copy, kind: kind, count: name.count)
    return hash
  }
}
