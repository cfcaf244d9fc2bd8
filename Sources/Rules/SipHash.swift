/// SipHash-2-4 with 128 bits of result (Aumasson and Bernstein, 2012). Files counters and distinct values. The key is fixed:
/// the same input must find the same counter after a restart; 128 bits keep strangers from steering into somebody's counter.
struct SipHash {
  private var v0: UInt64 = 0x736f_6d65_7073_6575 ^ 0x6f73_7072_6579_2d66
  private var v1: UInt64 = 0x646f_7261_6e64_6f6d ^ 0x6565_6465_725f_7231 ^ 0xee
  private var v2: UInt64 = 0x6c79_6765_6e65_7261 ^ 0x6f73_7072_6579_2d66
  private var v3: UInt64 = 0x7465_6462_7974_6573 ^ 0x6565_6465_725f_7231
  private var tail: UInt64 = 0
  private var count = 0

  @inline(__always)
  private mutating func round() {
    v0 &+= v1
    v1 = v1 << 13 | v1 >> 51
    v1 ^= v0
    v0 = v0 << 32 | v0 >> 32
    v2 &+= v3
    v3 = v3 << 16 | v3 >> 48
    v3 ^= v2
    v0 &+= v3
    v3 = v3 << 21 | v3 >> 43
    v3 ^= v0
    v2 &+= v1
    v1 = v1 << 17 | v1 >> 47
    v1 ^= v2
    v2 = v2 << 32 | v2 >> 32
  }

  @inline(__always)
  private mutating func compress(_ word: UInt64) {
    v3 ^= word
    round()
    round()
    v0 ^= word
  }

  /// The low `length` bytes of `value` (1 to 8, the rest zero), wherever the word that is being filled begins.
  @inline(__always)
  private mutating func append(_ value: UInt64, length: Int) {
    let filled = UInt64(count & 7) * 8
    tail |= value &<< filled
    count += length
    if Int(filled) + length * 8 >= 64 {
      compress(tail)
      tail = filled == 0 ? 0 : value &>> (64 &- filled)
    }
  }

  @inline(__always)
  mutating func append(_ byte: UInt8) { append(UInt64(byte), length: 1) }

  /// Low bytes first.
  @inline(__always)
  mutating func append(_ value: UInt64) { append(value, length: 8) }

  mutating func append(_ base: UnsafePointer<UInt8>, _ length: Int) {
    let filled = UInt64(count & 7) * 8
    let whole = length & ~7
    for at in stride(from: 0, to: whole, by: 8) {
      let word = UInt64(littleEndian: UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self))
      compress(tail | word &<< filled)
      tail = filled == 0 ? 0 : word &>> (64 &- filled)
    }
    count += whole
    guard whole < length else { return }
    var rest: UInt64 = 0
    if length >= 8 {
      let last = UInt64(littleEndian: UnsafeRawPointer(base + length - 8).loadUnaligned(as: UInt64.self))
      rest = last &>> UInt64(8 * (8 - (length - whole)))
    } else {
      for place in 0..<length { rest |= UInt64(base[place]) &<< UInt64(place * 8) }
    }
    append(rest, length: length - whole)
  }

  mutating func finish() -> (high: UInt64, low: UInt64) {
    compress(tail | UInt64(count & 0xff) << 56)
    v2 ^= 0xee
    for _ in 0..<4 { round() }
    let low = v0 ^ v1 ^ v2 ^ v3
    v1 ^= 0xdd
    for _ in 0..<4 { round() }
    return (v0 ^ v1 ^ v2 ^ v3, low)
  }
}
