/// Content identifiers in binary (multiformats CID specification; the blessed form is in the atproto data model).
package enum CID {
  /// Length of a blessed binary CID: version, codec, hash function, hash length, 32 bytes of SHA-256.
  package static let blessedCount = 36
  /// Length of its text: `b` and 58 base32 characters.
  package static let blessedTextCount = 59

  /// CIDv1, dag-cbor or raw, SHA-256.
  @inline(__always)
  package static func isBlessed(_ bytes: Bytes) -> Bool {
    bytes.count == blessedCount && bytes.base[0] == 1 && (bytes.base[1] == 0x71 || bytes.base[1] == 0x55)
      && bytes.base[2] == 0x12 && bytes.base[3] == 0x20
  }

  /// Whether two blessed CIDs are the same.
  @inline(__always)
  static func isEqual(_ left: UnsafePointer<UInt8>, _ right: UnsafePointer<UInt8>) -> Bool {
    let (left, right) = (UnsafeRawPointer(left), UnsafeRawPointer(right))
    return left.loadUnaligned(as: UInt32.self) == right.loadUnaligned(as: UInt32.self)
      && isDigestEqual(left + 4, right + 4)
  }

  /// Whether two times 32 bytes are the same.
  @inline(__always)
  static func isDigestEqual(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer) -> Bool {
    var difference: UInt64 = 0
    for at in stride(from: 0, to: 32, by: 8) {
      difference |=
        left.loadUnaligned(fromByteOffset: at, as: UInt64.self)
        ^ right.loadUnaligned(fromByteOffset: at, as: UInt64.self)
    }
    return difference == 0
  }

  /// A CIDv0 or CIDv1 whose digest has the length it announces, with nothing behind it.
  @inline(__always)
  package static func isWellFormed(_ bytes: Bytes) -> Bool {
    isBlessed(bytes) || length(of: bytes) == bytes.count
  }

  /// Length of the binary CID that `bytes` begin with, nil where they begin with none.
  package static func length(of bytes: Bytes) -> Int? {
    if bytes.count >= 34, bytes.base[0] == 0x12, bytes.base[1] == 0x20 { return 34 }
    var position = 0
    guard readVarint(bytes, &position) == 1, readVarint(bytes, &position) != nil, readVarint(bytes, &position) != nil,
      let digest = readVarint(bytes, &position), digest <= UInt64(bytes.count - position)
    else { return nil }
    return position + Int(digest)
  }

  /// Text of a well-formed CID: base32 lower case with its prefix for version 1, base58btc for version 0.
  package static func appendText(_ cid: Bytes, to out: ByteWriter) {
    if cid.count == 34 && cid.base[0] == 0x12 {
      appendBase58(cid, to: out)
    } else {
      out.append(0x62)
      appendBase32(cid, to: out)
    }
  }
}

/// An unsigned LEB128 number of at most nine bytes, minimal (multiformats unsigned-varint); nil where it is none.
@inline(__always)
func readVarint(_ bytes: Bytes, _ position: inout Int) -> UInt64? {
  var value: UInt64 = 0
  var shift: UInt64 = 0
  while position < bytes.count, shift < 63 {
    let byte = bytes.base[position]
    position += 1
    value |= UInt64(byte & 0x7f) << shift
    if byte < 0x80 { return byte == 0 && shift > 0 ? nil : value }
    shift += 7
  }
  return nil
}

private let base32Alphabet: StaticString = "abcdefghijklmnopqrstuvwxyz234567"
private let base58Alphabet: StaticString = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

/// RFC 4648 base32, lower case, without padding.
package func appendBase32(_ bytes: Bytes, to out: ByteWriter) {
  let alphabet = base32Alphabet.utf8Start
  let to = out.reserve((bytes.count * 8 + 4) / 5)
  var written = 0
  var at = 0
  while at + 5 <= bytes.count {
    let b = bytes.base + at
    let group =
      UInt64(b[0]) << 32 | UInt64(b[1]) << 24 | UInt64(b[2]) << 16 | UInt64(b[3]) << 8 | UInt64(b[4])
    to[written] = alphabet[Int(group >> 35)]
    to[written + 1] = alphabet[Int(group >> 30 & 31)]
    to[written + 2] = alphabet[Int(group >> 25 & 31)]
    to[written + 3] = alphabet[Int(group >> 20 & 31)]
    to[written + 4] = alphabet[Int(group >> 15 & 31)]
    to[written + 5] = alphabet[Int(group >> 10 & 31)]
    to[written + 6] = alphabet[Int(group >> 5 & 31)]
    to[written + 7] = alphabet[Int(group & 31)]
    written += 8
    at += 5
  }
  var bits = 0
  var pending: UInt64 = 0
  while at < bytes.count {
    pending = pending << 8 | UInt64(bytes.base[at])
    bits += 8
    at += 1
    while bits >= 5 {
      bits -= 5
      to[written] = alphabet[Int(pending >> UInt64(bits) & 31)]
      written += 1
    }
  }
  if bits > 0 {
    to[written] = alphabet[Int(pending << UInt64(5 - bits) & 31)]
    written += 1
  }
  out.advance(written)
}

/// Base58 with the Bitcoin alphabet. Quadratic; for CIDs and keys of a few dozen bytes.
package func appendBase58(_ bytes: Bytes, to out: ByteWriter) {
  var digits: [UInt8] = []
  for index in 0..<bytes.count {
    var carry = Int(bytes[index])
    for at in digits.indices {
      carry += Int(digits[at]) << 8
      digits[at] = UInt8(carry % 58)
      carry /= 58
    }
    while carry > 0 {
      digits.append(UInt8(carry % 58))
      carry /= 58
    }
  }
  var at = 0
  while at < bytes.count, bytes[at] == 0 {
    out.append(0x31)
    at += 1
  }
  for digit in digits.reversed() { out.append(base58Alphabet.utf8Start[Int(digit)]) }
}
