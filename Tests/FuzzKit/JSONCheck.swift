/// Whether these bytes are one well-formed JSON value (RFC 8259) in well-formed UTF-8, by a small parser of its own.
/// Iterative: it sees inputs as deep as the decoder lets through.
package func isJSON(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
  guard String(validating: bytes, as: UTF8.self) != nil else { return false }
  var check = JSONCheck(bytes: bytes)
  return check.run()
}

private struct JSONCheck {
  let bytes: UnsafeBufferPointer<UInt8>
  var at = 0
  /// True for an object, false for an array.
  var open: [Bool] = []

  private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

  mutating func run() -> Bool {
    while true {
      guard let first = next else { return false }
      if first == 0x7b || first == 0x5b {
        at += 1
        let isObject = first == 0x7b
        if next == (isObject ? 0x7d : 0x5d) {
          at += 1
        } else {
          open.append(isObject)
          if isObject && !key() { return false }
          continue
        }
      } else if !scalar(first) {
        return false
      }
      // Behind a value: the next one, or the end of what is open.
      while let isObject = open.last, next == (isObject ? 0x7d : 0x5d) {
        at += 1
        open.removeLast()
      }
      guard let isObject = open.last else { return at == bytes.count }
      guard next == 0x2c else { return false }
      at += 1
      if isObject && !key() { return false }
    }
  }

  private mutating func key() -> Bool {
    guard next == 0x22, string(), next == 0x3a else { return false }
    at += 1
    return true
  }

  private mutating func scalar(_ first: UInt8) -> Bool {
    switch first {
    case 0x22: return string()
    case 0x74: return word("true")
    case 0x66: return word("false")
    case 0x6e: return word("null")
    default: return number()
    }
  }

  private mutating func word(_ text: StaticString) -> Bool {
    for index in 0..<text.utf8CodeUnitCount {
      guard next == text.utf8Start[index] else { return false }
      at += 1
    }
    return true
  }

  private mutating func string() -> Bool {
    at += 1
    while let byte = next {
      at += 1
      if byte == 0x22 { return true }
      if byte < 0x20 { return false }
      guard byte == 0x5c else { continue }
      guard let escape = next else { return false }
      at += 1
      switch escape {
      case 0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74: continue
      case 0x75:
        for _ in 0..<4 {
          guard let digit = next, (digit | 0x20) &- 0x61 < 6 || digit &- 0x30 < 10 else { return false }
          at += 1
        }
      default: return false
      }
    }
    return false
  }

  private mutating func digits() -> Bool {
    let start = at
    while let digit = next, digit &- 0x30 < 10 { at += 1 }
    return at > start
  }

  private mutating func number() -> Bool {
    if next == 0x2d { at += 1 }
    if next == 0x30 { at += 1 } else if !digits() { return false }
    if next == 0x2e {
      at += 1
      guard digits() else { return false }
    }
    if next == 0x65 || next == 0x45 {
      at += 1
      if next == 0x2b || next == 0x2d { at += 1 }
      return digits()
    }
    return true
  }
}
