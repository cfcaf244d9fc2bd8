/// How text is escaped.
package enum JSONEscaping: Sendable {
  /// What RFC 8259 demands, with Go's short forms; `<`, `>`, `&`, U+2028 and U+2029 stay raw.
  case plain
  /// Also those five, as Go's `encoding/json` prints them by default (at-kafka's bytes).
  case html
}

/// True in every byte lane of `word` that JSON cannot copy as it is: below 0x20, `"`, `\`, 0x80 and up.
@inline(__always)
private func needsCare(_ word: UInt64) -> Bool {
  let ones: UInt64 = 0x0101_0101_0101_0101
  let highs: UInt64 = 0x8080_8080_8080_8080
  let quote = word ^ (ones &* 0x22)
  let slash = word ^ (ones &* 0x5c)
  let low = word &- ones &* 0x20
  // For lanes below 0x80 the subtraction sets the high bit exactly where the lane was smaller; a lane of 0x80 or more is
  // caught by `word` itself. Borrows only ever flag too much, and the slow path looks at each byte.
  return (word | low | (quote &- ones) | (slash &- ones)) & highs != 0
}

@inline(__always)
private func hasHTML(_ word: UInt64) -> Bool {
  let ones: UInt64 = 0x0101_0101_0101_0101
  let less = word ^ (ones &* 0x3c)
  let more = word ^ (ones &* 0x3e)
  let and = word ^ (ones &* 0x26)
  return ((less &- ones) | (more &- ones) | (and &- ones)) & 0x8080_8080_8080_8080 != 0
}

private let hexDigits: StaticString = "0123456789abcdef"

extension ByteWriter {
  /// A JSON string of `text` with its quotes. Each byte that is not UTF-8 becomes `\ufffd`.
  ///
  /// Returns whether the text was valid UTF-8.
  @discardableResult
  package func append(jsonString text: Bytes, escaping: JSONEscaping = .plain) -> Bool {
    // The worst byte costs six: `\u00xx`. Reserving all of it once keeps the loop free of capacity checks; for long text
    // the reservation is made piece by piece.
    var isValid = true
    append(0x22)
    var at = 0
    while at < text.count {
      let piece = min(text.count - at, 4096)
      var limit = at + piece
      let to = reserve(piece * 6 + 24)
      var written = 0
      appendPiece(text, &at, &limit, to, &written, escaping, &isValid)
      advance(written)
    }
    append(0x22)
    return isValid
  }

  @inline(__always)
  private func appendPiece(
    _ text: Bytes, _ at: inout Int, _ limit: inout Int, _ to: UnsafeMutablePointer<UInt8>, _ written: inout Int,
    _ escaping: JSONEscaping, _ isValid: inout Bool
  ) {
    let base = text.base
    let html = escaping == .html
    while at < limit {
      if at + 8 <= limit {
        let word = UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self)
        if !needsCare(word) && !(html && hasHTML(word)) {
          UnsafeMutableRawPointer(to + written).storeBytes(of: word, as: UInt64.self)
          at += 8
          written += 8
          continue
        }
      }
      let stop = min(at + 8, limit)
      while at < stop {
        let byte = base[at]
        if byte >= 0x80 {
          // A sequence may end past `limit`, never past the text.
          let length = utf8Length(base, at, text.count)
          if length == 0 {
            isValid = false
            appendEscape(0xfffd, to, &written)
            at += 1
          } else if html && length == 3 && byte == 0xe2 && base[at + 1] == 0x80 && base[at + 2] | 1 == 0xa9 {
            appendEscape(0x2000 | UInt32(base[at + 2] & 0x3f), to, &written)
            at += 3
          } else {
            for index in 0..<length { to[written + index] = base[at + index] }
            at += length
            written += length
          }
        } else {
          appendASCII(byte, html, to, &written)
          at += 1
        }
      }
    }
  }

  @inline(__always)
  private func appendASCII(_ byte: UInt8, _ html: Bool, _ to: UnsafeMutablePointer<UInt8>, _ written: inout Int) {
    if byte >= 0x20 && byte != 0x22 && byte != 0x5c && !(html && (byte == 0x3c || byte == 0x3e || byte == 0x26)) {
      to[written] = byte
      written += 1
      return
    }
    let short: UInt8
    switch byte {
    case 0x22, 0x5c: short = byte
    case 0x08: short = 0x62
    case 0x0c: short = 0x66
    case 0x0a: short = 0x6e
    case 0x0d: short = 0x72
    case 0x09: short = 0x74
    default: return appendEscape(UInt32(byte), to, &written)
    }
    to[written] = 0x5c
    to[written + 1] = short
    written += 2
  }

  /// `\uXXXX`.
  @inline(__always)
  private func appendEscape(_ scalar: UInt32, _ to: UnsafeMutablePointer<UInt8>, _ written: inout Int) {
    to[written] = 0x5c
    to[written + 1] = 0x75
    for index in 0..<4 {
      to[written + 2 + index] = hexDigits.utf8Start[Int(scalar >> UInt32(12 - 4 * index) & 15)]
    }
    written += 6
  }
}
