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

  @inline(__always)
  mutating func append(_ byte: UInt8) {
    tail |= UInt64(byte) << UInt64((count & 7) * 8)
    count += 1
    if count & 7 == 0 {
      compress(tail)
      tail = 0
    }
  }

  mutating func append(_ base: UnsafePointer<UInt8>, _ length: Int) {
    var at = 0
    while at < length, count & 7 != 0 {
      append(base[at])
      at += 1
    }
    while at + 8 <= length {
      compress(UInt64(littleEndian: UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self)))
      at += 8
      count += 8
    }
    while at < length {
      append(base[at])
      at += 1
    }
  }

  mutating func append(_ value: UInt64) {
    var value = value.littleEndian
    withUnsafeBytes(of: &value) { append($0.baseAddress!.assumingMemoryBound(to: UInt8.self), 8) }
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
