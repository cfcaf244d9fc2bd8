import ATProto

/// A CBOR item to be encoded, honest or not.
package indirect enum Item: Sendable {
  /// Encoded canonically.
  case int(Int64)
  /// An argument above Int64, or an explicit one.
  case unsigned(UInt64)
  /// −1 − argument.
  case negative(UInt64)
  case text(String)
  case bytes([UInt8])
  case array([Item])
  /// In canonical key order whatever order is given.
  case map([(String, Item)])
  /// In the order given, with any keys.
  case rawMap([(Item, Item)])
  /// Tag 42 around a binary CID.
  case link([UInt8])
  case double(Double)
  case bool(Bool)
  case null
  /// Bytes put there as they are.
  case raw([UInt8])

  /// `count` arrays around 0.
  package static func nested(_ count: Int) -> Item {
    .raw([UInt8](repeating: 0x81, count: count) + [0])
  }

  /// The encoding.
  package var encoded: [UInt8] {
    var out: [UInt8] = []
    encode(into: &out)
    return out
  }

  package func encode(into out: inout [UInt8]) {
    switch self {
    case .int(let value):
      out += value >= 0 ? Item.head(0, UInt64(value)) : Item.head(1, UInt64(-1 - value))
    case .unsigned(let value): out += Item.head(0, value)
    case .negative(let value): out += Item.head(1, value)
    case .text(let text): out += Item.head(3, UInt64(text.utf8.count)) + Array(text.utf8)
    case .bytes(let bytes): out += Item.head(2, UInt64(bytes.count)) + bytes
    case .array(let items):
      out += Item.head(4, UInt64(items.count))
      for item in items { item.encode(into: &out) }
    case .map(let entries):
      let sorted = entries.sorted {
        let (left, right) = (Array($0.0.utf8), Array($1.0.utf8))
        return left.count != right.count ? left.count < right.count : left.lexicographicallyPrecedes(right)
      }
      Item.rawMap(sorted.map { (.text($0.0), $0.1) }).encode(into: &out)
    case .rawMap(let entries):
      out += Item.head(5, UInt64(entries.count))
      for (key, value) in entries {
        key.encode(into: &out)
        value.encode(into: &out)
      }
    case .link(let cid): out += [0xd8, 0x2a] + Item.bytes([0] + cid).encoded
    case .double(let value):
      out.append(0xfb)
      for shift in stride(from: 56, through: 0, by: -8) {
        out.append(UInt8(truncatingIfNeeded: value.bitPattern >> UInt64(shift)))
      }
    case .bool(let value): out.append(value ? 0xf5 : 0xf4)
    case .null: out.append(0xf6)
    case .raw(let bytes): out += bytes
    }
  }

  /// A head in its shortest form.
  package static func head(_ major: UInt8, _ value: UInt64) -> [UInt8] {
    if value < 24 { return [major << 5 | UInt8(value)] }
    for (info, size) in [(24, 1), (25, 2), (26, 4)] as [(UInt8, Int)] where value >> UInt64(size * 8) == 0 {
      return head(major, value, info: info, size: size)
    }
    return head(major, value, info: 27, size: 8)
  }

  /// A head with an argument of `size` bytes, minimal or not.
  package static func head(_ major: UInt8, _ value: UInt64, info: UInt8, size: Int) -> [UInt8] {
    [major << 5 | info] + (0..<size).reversed().map { UInt8(truncatingIfNeeded: value >> UInt64($0 * 8)) }
  }
}
