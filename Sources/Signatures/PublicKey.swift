/// A public key as text and bytes: did:key and multikey, both curves that atproto uses.
/// https://atproto.com/specs/cryptography
package struct PublicKey: Sendable, Hashable {
  /// The curve, known by its multicodec.
  package enum Curve: Sendable, Hashable, CaseIterable {
    case secp256k1, p256

    /// The unsigned-varint multicodec that stands before the point.
    var multicodec: [UInt8] {
      switch self {
      case .secp256k1: [0xe7, 0x01]
      case .p256: [0x80, 0x24]
      }
    }
  }

  package let curve: Curve
  /// The point: 33 bytes, compressed. That it lies on the curve is checked by `VerifyingKey`.
  package let point: [UInt8]

  /// A key from its compressed point.
  package init(curve: Curve, point: [UInt8]) throws(SignatureError) {
    guard point.count == 33, point[0] == 2 || point[0] == 3 else { throw .badKey }
    self.curve = curve
    self.point = point
  }

  /// A key that the library itself wrote in compressed form.
  init(trusted curve: Curve, point: [UInt8]) {
    self.curve = curve
    self.point = point
  }

  /// A key from a multikey, the `publicKeyMultibase` of a verification method of type Multikey.
  package init(multikey: String) throws(SignatureError) {
    guard multikey.utf8.first == UInt8(ascii: "z"), let bytes = Base58.decode(multikey.dropFirst()) else {
      throw .badKey
    }
    for curve in Curve.allCases where bytes.starts(with: curve.multicodec) {
      try self.init(curve: curve, point: Array(bytes.dropFirst(curve.multicodec.count)))
      return
    }
    throw .badKey
  }

  /// A key from a did:key.
  package init(didKey: String) throws(SignatureError) {
    guard didKey.hasPrefix("did:key:") else { throw .badKey }
    try self.init(multikey: String(didKey.dropFirst(8)))
  }

  /// A key from the bare point that older DID documents carry, whose curve is told by the method's type
  /// (`EcdsaSecp256k1VerificationKey2019`, `EcdsaSecp256r1VerificationKey2019`).
  package init(legacyMultibase text: String, suite: String) throws(SignatureError) {
    guard text.utf8.first == UInt8(ascii: "z"), var bytes = Base58.decode(text.dropFirst()) else { throw .badKey }
    if bytes.count == 65, bytes[0] == 4 { bytes = [2 | bytes[64] & 1] + bytes[1...32] }
    switch suite {
    case "EcdsaSecp256k1VerificationKey2019": try self.init(curve: .secp256k1, point: bytes)
    case "EcdsaSecp256r1VerificationKey2019": try self.init(curve: .p256, point: bytes)
    default: throw .badKey
    }
  }

  /// `z…`, as DID documents carry it.
  package var multikey: String { "z" + Base58.encode(curve.multicodec + point) }

  /// `did:key:z…`.
  package var didKey: String { "did:key:" + multikey }
}
