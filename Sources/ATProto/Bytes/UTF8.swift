/// Length in bytes (1…4) of the well-formed UTF-8 sequence at `at`, or 0 where the byte begins none
/// (Unicode 15 table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF).
@inline(__always)
func utf8Length(_ base: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int {
  let first = base[at]
  if first < 0x80 { return 1 }
  if first < 0xc2 || first > 0xf4 { return 0 }
  if first < 0xe0 {
    return at + 1 < end && base[at + 1] & 0xc0 == 0x80 ? 2 : 0
  }
  if first < 0xf0 {
    guard at + 2 < end, base[at + 2] & 0xc0 == 0x80 else { return 0 }
    let second = base[at + 1]
    let low: UInt8 = first == 0xe0 ? 0xa0 : 0x80
    let high: UInt8 = first == 0xed ? 0x9f : 0xbf
    return second >= low && second <= high ? 3 : 0
  }
  guard at + 3 < end, base[at + 2] & 0xc0 == 0x80, base[at + 3] & 0xc0 == 0x80 else { return 0 }
  let second = base[at + 1]
  let low: UInt8 = first == 0xf0 ? 0x90 : 0x80
  let high: UInt8 = first == 0xf4 ? 0x8f : 0xbf
  return second >= low && second <= high ? 4 : 0
}

extension Bytes {
  /// Whether the bytes are well-formed UTF-8.
  package var isUTF8: Bool {
    var at = 0
    while at + 8 <= count {
      if UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self) & 0x8080_8080_8080_8080 == 0 {
        at += 8
        continue
      }
      let limit = at + 8
      while at < limit {
        let length = utf8Length(base, at, count)
        if length == 0 { return false }
        at += length
      }
    }
    while at < count {
      let length = utf8Length(base, at, count)
      if length == 0 { return false }
      at += length
    }
    return true
  }
}
