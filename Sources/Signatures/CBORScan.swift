/// Finds the entries of one canonical DAG-CBOR map without decoding them. Never recurses, never reads past the end.
/// Strict on purpose: what is not in canonical form cannot be what was signed.
package enum CBORScan {
  /// One entry: where its key's text and its whole value stand.
  package struct Entry: Sendable, Equatable {
    package var key: Range<Int>
    package var value: Range<Int>
  }

  /// Appends the entries of the map at `start` and answers the offset after it, or nil if there is no such map.
  /// Keys longer than 23 bytes are not looked for: no object that is scanned here has them.
  package static func map(_ bytes: UnsafeRawBufferPointer, at start: Int, into entries: inout [Entry]) -> Int? {
    guard let map = head(bytes, at: start), map.major == 5, map.argument <= 1_000 else { return nil }
    var offset = map.end
    for _ in 0..<map.argument {
      guard let key = head(bytes, at: offset), key.major == 3, key.argument <= 23 else { return nil }
      let keyEnd = key.end + Int(key.argument)
      guard keyEnd <= bytes.count, let valueEnd = skip(bytes, at: keyEnd) else { return nil }
      entries.append(Entry(key: key.end..<keyEnd, value: keyEnd..<valueEnd))
      offset = valueEnd
    }
    return offset
  }

  /// The offset after the item at `start`, or nil if it is cut off or not canonical.
  package static func skip(_ bytes: UnsafeRawBufferPointer, at start: Int) -> Int? {
    var offset = start
    var pending: UInt64 = 1
    while pending > 0 {
      guard let item = head(bytes, at: offset) else { return nil }
      offset = item.end
      pending -= 1
      switch item.major {
      case 0, 1: break
      case 2, 3:
        guard item.argument <= UInt64(bytes.count - offset) else { return nil }
        offset += Int(item.argument)
      // Every element takes a byte at least, so a count beyond what is left is a lie.
      case 4, 5:
        guard item.argument <= UInt64(bytes.count - offset) else { return nil }
        pending += item.major == 4 ? item.argument : 2 * item.argument
      case 6: pending += 1
      default: guard item.isSimple else { return nil }
      }
    }
    return offset
  }

  private struct Head {
    var major: UInt8
    var argument: UInt64
    var end: Int
    /// Major type 7 with a value that DAG-CBOR knows.
    var isSimple: Bool
  }

  private static func head(_ bytes: UnsafeRawBufferPointer, at start: Int) -> Head? {
    guard start >= 0, start < bytes.count else { return nil }
    let first = bytes[start]
    let low = first & 31
    if low < 24 {
      return Head(major: first >> 5, argument: UInt64(low), end: start + 1, isSimple: (20...22).contains(low))
    }
    guard low < 28 else { return nil }
    let width = 1 << Int(low - 24)
    guard start + 1 + width <= bytes.count else { return nil }
    var argument: UInt64 = 0
    for index in 0..<width { argument = argument << 8 | UInt64(bytes[start + 1 + index]) }
    if first >> 5 == 7 { return Head(major: 7, argument: argument, end: start + 9, isSimple: low == 27) }
    let isMinimal = width == 1 ? argument >= 24 : argument >> UInt64(width * 4) != 0
    return isMinimal ? Head(major: first >> 5, argument: argument, end: start + 1 + width, isSimple: false) : nil
  }
}
