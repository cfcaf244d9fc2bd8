import ATProto

/// Base58 in Bitcoin's alphabet, the `z` of multibase. Only for short strings (keys): the work is quadratic.
enum Base58 {
  private static let alphabet = Array("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".utf8)
  /// Longer texts are refused before the quadratic work: a P-256 key in uncompressed form needs 91 characters.
  private static let charactersMax = 128

  static func encode(_ bytes: [UInt8]) -> String {
    let out = ByteWriter(capacity: 128)
    withBytes(bytes) { appendBase58($0, to: out) }
    return out.bytes.string
  }

  static func decode(_ text: Substring) -> [UInt8]? {
    let characters = Array(text.utf8)
    guard characters.count <= charactersMax else { return nil }
    var bytes: [UInt8] = []
    for character in characters {
      guard let digit = alphabet.firstIndex(of: character) else { return nil }
      var carry = digit
      for index in bytes.indices {
        carry += Int(bytes[index]) * 58
        bytes[index] = UInt8(carry & 0xff)
        carry >>= 8
      }
      while carry > 0 {
        bytes.append(UInt8(carry & 0xff))
        carry >>= 8
      }
    }
    let zeros = characters.prefix { $0 == alphabet[0] }.count
    return [UInt8](repeating: 0, count: zeros) + bytes.reversed()
  }
}
