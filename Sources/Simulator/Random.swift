/// xoshiro256**, seeded through SplitMix64: the same numbers on every machine, for ever.
/// https://prng.di.unimi.it (public domain description)
struct Random: Sendable {
  private var s0: UInt64
  private var s1: UInt64
  private var s2: UInt64
  private var s3: UInt64

  /// `stream` separates the uses of one seed, so that one use does not shift the numbers of another.
  init(seed: UInt64, stream: UInt64) {
    var state = Random.mix(seed) ^ Random.mix(stream &* 0xd134_2543_de82_ef95 &+ 1)
    func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      return Random.mix(state)
    }
    s0 = next()
    s1 = next()
    s2 = next()
    s3 = next()
  }

  /// SplitMix64's finaliser: spreads any number over 64 bits.
  static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }

  mutating func next() -> UInt64 {
    let multiplied = s1 &* 5
    let result = (multiplied << 7 | multiplied >> 57) &* 9
    let shifted = s1 << 17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = s3 << 45 | s3 >> 19
    return result
  }

  /// A number in 0 ..< bound. The bias is below bound / 2^64.
  mutating func below(_ bound: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// A number in the closed range.
  mutating func within(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + below(range.count)
  }

  /// True `share` times in `of`.
  mutating func chance(_ share: Int, in whole: Int = 100) -> Bool { below(whole) < share }

  /// One of the elements; there must be one.
  mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
}
