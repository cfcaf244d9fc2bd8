import ATProto
import Foundation
import FrameKit
import Testing

/// A small generator of random numbers that gives the same numbers for a seed everywhere (splitmix64).
struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
    return value ^ value >> 31
  }
}

/// Runs `body` with seeds 1…`count`, or with the one in `SEED`. A failing seed is named with the line that runs it again.
func property(
  _ count: Int, _ test: String = #function, _ body: (inout Seeded) throws -> Bool
) rethrows {
  let chosen = ProcessInfo.processInfo.environment["SEED"].flatMap { UInt64($0) }
  for seed in chosen.map({ $0...$0 }) ?? 1...UInt64(count) {
    var random = Seeded(state: seed)
    guard try body(&random) else {
      let words = test.split(separator: " ").prefix(4).joined(separator: ".").filter { $0 != "`" }
      Issue.record("rerun: SEED=\(seed) swift test --filter '\(words)'")
      return
    }
  }
}

/// The slow, obvious way to write a JSON string as Go does: one scalar at a time.
func slowString(_ bytes: [UInt8], html: Bool) -> String {
  var out = "\""
  var at = 0
  while at < bytes.count {
    // The longest valid sequence that starts here, by the standard library's own validation.
    let length = (1...4).first { count in
      at + count <= bytes.count && String(validating: bytes[at..<at + count], as: UTF8.self)?.unicodeScalars.count == 1
    }
    guard let length, let scalar = String(validating: bytes[at..<at + length], as: UTF8.self)?.unicodeScalars.first
    else {
      out += "\\ufffd"
      at += 1
      continue
    }
    switch scalar {
    case "\"": out += "\\\""
    case "\\": out += "\\\\"
    case "\u{8}": out += "\\b"
    case "\u{c}": out += "\\f"
    case "\n": out += "\\n"
    case "\r": out += "\\r"
    case "\t": out += "\\t"
    case "<", ">", "&", "\u{2028}", "\u{2029}":
      out += html ? escape(scalar) : String(scalar)
    default: out += scalar.value < 0x20 ? escape(scalar) : String(scalar)
    }
    at += length
  }
  return out + "\""
}

private func escape(_ scalar: Unicode.Scalar) -> String {
  let hex = String(scalar.value, radix: 16)
  return "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
}

private func text(_ bytes: [UInt8], _ escaping: JSONEscaping) -> (String, Bool) {
  let out = ByteWriter(capacity: 1)
  let isValid = withBytes(bytes) { out.append(jsonString: $0, escaping: escaping) }
  return (out.bytes.string, isValid)
}

/// Random bytes that are often UTF-8, often full of signs that need care, and sometimes neither.
private func randomText(_ random: inout Seeded, _ count: Int) -> [UInt8] {
  let kind = Int.random(in: 0..<4, using: &random)
  var out: [UInt8] = []
  let scalars: [Unicode.Scalar] = [
    "a", "é", "\u{2028}", "\u{2029}", "\u{202a}", "<", "&", "\"", "\\", "\u{0}", "\u{1f}", "\u{7f}", "€", "😀",
    "\u{fffd}", " ",
  ]
  while out.count < count {
    switch kind {
    case 0: out.append(UInt8.random(in: 0...255, using: &random))
    case 1: out.append(UInt8.random(in: 0x20..<0x7f, using: &random))
    case 2: out += Array(String(scalars.randomElement(using: &random) ?? "a").utf8)
    default:
      out += Array(String(scalars.randomElement(using: &random) ?? "a").utf8)
      if Int.random(in: 0..<20, using: &random) == 0 { out.append(UInt8.random(in: 0x80...255, using: &random)) }
    }
  }
  return out
}

@Test func `JSON strings are what a slow writer gives, for any bytes`() {
  property(400) { random in
    let bytes = randomText(&random, Int.random(in: 0...70, using: &random))
    return [JSONEscaping.plain, .html].allSatisfy { escaping in
      let ours = text(bytes, escaping)
      return ours.0 == slowString(bytes, html: escaping == .html)
        && ours.1 == (String(validating: bytes, as: UTF8.self) != nil)
    }
  }
}

@Test func `JSON strings are the same around the borders of words and pieces`() {
  let scalars: [[UInt8]] = [
    [0x22], [0xc3, 0xa9], [0xe2, 0x80, 0xa8], [0xf0, 0x9f, 0x98, 0x80], [0xff], [0xe2, 0x80], [0x3c],
  ]
  for border in [8, 16, 4096, 8192] {
    for before in border - 5...border + 1 {
      for scalar in scalars {
        for tail in [0, 1, 9] {
          let bytes = [UInt8](repeating: 0x61, count: before) + scalar + [UInt8](repeating: 0x62, count: tail)
          for escaping in [JSONEscaping.plain, .html] {
            let expected = slowString(Array(bytes.suffix(tail + scalar.count + 8)), html: escaping == .html)
            let ours = text(bytes, escaping).0
            #expect(
              ours.hasSuffix(String(expected.dropFirst()))
                && ours.utf8.count - expected.utf8.count == max(0, before - 8))
          }
        }
      }
    }
  }
}

@Test func `all pairs of bytes, and all triples from E0 on, are UTF-8 exactly where the standard library says so`() {
  func check(_ bytes: [UInt8]) -> Bool {
    withBytes(bytes) { $0.isUTF8 } == (String(validating: bytes, as: UTF8.self) != nil)
  }
  var wrong = 0
  for first in UInt8.min...255 {
    for second in UInt8.min...255 where !check([first, second]) { wrong += 1 }
  }
  for first: UInt8 in [0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4] {
    for second in stride(from: 0x7f, to: 0xc2, by: 1) {
      for third: UInt8 in [0x7f, 0x80, 0xbf, 0xc0] {
        for fourth: UInt8 in [0x7f, 0x80, 0xbf, 0xc0] where !check([first, UInt8(second), third, fourth, 0x61]) {
          wrong += 1
        }
        if !check([first, UInt8(second), third]) { wrong += 1 }
      }
    }
  }
  #expect(wrong == 0)
}

private func float(_ value: Double) -> String {
  let out = ByteWriter(capacity: 1)
  appendGoFloat(value, to: out)
  return out.bytes.string
}

@Test func `floats print as Go's encoding/json prints them`() {
  let expected: [(Double, String)] = [
    (0, "0"), (-0.0, "0"), (1, "1"), (-1, "-1"), (1.5, "1.5"), (0.1, "0.1"), (-0.5, "-0.5"), (100, "100"),
    (123_456_789.125, "123456789.125"), (1e20, "100000000000000000000"), (1e21, "1e+21"), (1.5e21, "1.5e+21"),
    (1e100, "1e+100"), (1e-5, "0.00001"), (1e-6, "0.000001"), (1e-7, "1e-7"), (1.5e-7, "1.5e-7"), (1e-10, "1e-10"),
    (1.25e-9, "1.25e-9"), (.leastNonzeroMagnitude, "5e-324"), (1.7976931348623157e308, "1.7976931348623157e+308"),
    (9_007_199_254_740_991, "9007199254740991"), (9_007_199_254_740_992, "9007199254740992"),
    (1.2345678901234567e19, "12345678901234567000"),
    (0.000_001_234, "0.000001234"), (3.141592653589793, "3.141592653589793"), (-Double(bitPattern: 2), "-1e-323"),
    (1_000_000.5, "1000000.5"), (4_503_599_627_370_495.5, "4503599627370495.5"), (1e16, "10000000000000000"),
  ]
  for (value, text) in expected { #expect(float(value) == text) }
}

/// The shortest digits that read back, laid out by Go's rules, found by trying precisions one after the other.
func slowFloat(_ value: Double) -> String {
  if value == 0 { return "0" }
  var text = ""
  for precision in 0...17 {
    text = String(format: "%.\(precision)e", value.magnitude)
    if Double(text) == value.magnitude { break }
  }
  let parts = text.split(separator: "e")
  let digits = parts[0].filter { $0 != "." }
  let exponent = Int(parts[1]) ?? 0
  let sign = value < 0 ? "-" : ""
  if value.magnitude < 1e-6 || value.magnitude >= 1e21 {
    let mantissa = digits.count > 1 ? "\(digits.prefix(1)).\(digits.dropFirst())" : digits
    let power = exponent < 0 ? "-\(-exponent)" : (exponent < 10 ? "+0\(exponent)" : "+\(exponent)")
    return sign + mantissa + "e" + power
  }
  if exponent < 0 { return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits }
  if digits.count <= exponent + 1 { return sign + digits + String(repeating: "0", count: exponent + 1 - digits.count) }
  return sign + digits.prefix(exponent + 1) + "." + digits.dropFirst(exponent + 1)
}

@Test func `any float prints as the shortest number that reads back`() {
  property(2000) { random in
    var value = Double(bitPattern: random.next())
    if Bool.random(using: &random) { value = Double(Int64.random(in: -1_000_000...1_000_000, using: &random)) / 1000 }
    guard value.isFinite else { return true }
    return float(value) == slowFloat(value)
  }
}

@Test func `every half float has the value the arithmetic of its bits gives`() {
  for bits in UInt16.min...UInt16.max {
    let exponent = Int(bits >> 10 & 31)
    guard exponent != 31 else { continue }
    let fraction = Double(bits & 0x3ff) / 1024
    let magnitude = exponent == 0 ? fraction * pow(2, -14) : (1 + fraction) * pow(2, Double(exponent - 15))
    #expect(Double(halfBits: bits) == (bits & 0x8000 == 0 ? magnitude : -magnitude))
  }
}

@Test func `times round-trip against Foundation`() throws {
  let formatter = ISO8601DateFormatter()
  formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
  property(3000) { random in
    // Years 1 to 9999; Foundation counts in seconds since 2001.
    let ms = Int64.random(in: -62_135_596_800_000...253_402_300_799_999, using: &random)
    let out = ByteWriter(capacity: 1)
    Timestamp.append(micros: ms * 1000, digits: 3, suffix: "Z", to: out)
    let text = out.bytes.string
    guard withBytes(Array(text.utf8), Timestamp.milliseconds) == ms else { return false }
    // Foundation's Gregorian calendar turns Julian before 1582.
    guard ms > -12_000_000_000_000 else { return true }
    guard let date = formatter.date(from: text) else { return false }
    return Int64((date.timeIntervalSince1970 * 1000).rounded()) == ms
  }
}

@Test func `offsets and fractions of a time are applied and cut`() {
  let expected: [(String, Int64?)] = [
    ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.0019Z", 1), ("1970-01-01T01:00:00+01:00", 0),
    ("1969-12-31T19:00:00.5-05:00", 500), ("2000-02-29T00:00:00Z", 951_782_400_000), ("2100-02-29T00:00:00Z", nil),
    ("1970-01-01t00:00:00z", 0), ("1970-01-01 00:00:00Z", nil), ("1970-01-01T00:00:00.Z", nil),
    ("1970-01-01T00:00:00", nil), ("1970-01-01T00:00:00+0100", nil), ("1970-01-01T24:00:00Z", nil),
    ("1970-01-01T00:00:00ZZ", nil), ("1970-01-01T00:00:00+24:00", nil), ("19700101T000000Z", nil), ("", nil),
    ("1970-01-01T00:00:00.123456789123456789Z", 123),
  ]
  for (text, ms) in expected { #expect(withBytes(Array(text.utf8), Timestamp.milliseconds) == ms, "\(text)") }
}

@Test func `base32, base58 and base64 are what long division gives`() {
  func digits(_ bytes: [UInt8], bits: Int, _ alphabet: String) -> String {
    let alphabet = Array(alphabet)
    var all = bytes.flatMap { byte in (0..<8).map { Int(byte >> UInt8(7 - $0) & 1) } }
    while all.count % bits != 0 { all.append(0) }
    return String(
      stride(from: 0, to: all.count, by: bits).map { alphabet[all[$0..<$0 + bits].reduce(0) { $0 * 2 + $1 }] })
  }
  func base58(_ bytes: [UInt8]) -> String {
    let alphabet = Array("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")
    var number = Array(bytes.drop { $0 == 0 })
    var out: [Character] = []
    while !number.isEmpty {
      var rest = 0
      for index in number.indices {
        rest = rest * 256 + Int(number[index])
        number[index] = UInt8(rest / 58)
        rest %= 58
      }
      out.append(alphabet[rest])
      number = Array(number.drop { $0 == 0 })
    }
    return String(repeating: "1", count: bytes.prefix { $0 == 0 }.count) + String(out.reversed())
  }
  func ours(_ bytes: [UInt8], _ append: (Bytes, ByteWriter) -> Void) -> String {
    let out = ByteWriter(capacity: 1)
    withBytes(bytes) { append($0, out) }
    return out.bytes.string
  }
  property(300) { random in
    var bytes = (0..<Int.random(in: 0...50, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
    if Bool.random(using: &random) { bytes = [0, 0] + bytes }
    return ours(bytes, { appendBase32($0, to: $1) }) == digits(bytes, bits: 5, "abcdefghijklmnopqrstuvwxyz234567")
      && ours(bytes, { appendBase58($0, to: $1) }) == base58(bytes)
      && ours(bytes, { appendBase64($0, padded: true, to: $1) }) == Data(bytes).base64EncodedString()
      && ours(bytes, { appendBase64($0, padded: false, to: $1) })
        == Data(bytes).base64EncodedString().filter { $0 != "=" }
  }
}

@Test func `integers print in decimal`() {
  for value in [0, 1, -1, 9, 10, 99, 100, 999_999_999, 1_000_000_000, .max, .min, .max - 1, .min + 1] as [Int64] {
    let out = ByteWriter(capacity: 1)
    out.append(decimal: value)
    #expect(out.bytes.string == String(value))
  }
}

@Test func `a block matches its CID and no other, at any length`() {
  for count in Array(0...200) + [1000, 4095, 4096, 100_000] {
    let data = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let right = cid(data)
    #expect(withBytes(data) { data in withBytes(right) { SHA256Digest.matches(data, cid: $0) } })
    for bit in [0, 77, 255] {
      var wrong = right
      wrong[4 + bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(!withBytes(data) { data in withBytes(wrong) { SHA256Digest.matches(data, cid: $0) } })
    }
  }
}
