import COpenSSL
import CSecp256k1

/// A public key made ready for verification: the point is decompressed and checked once.
/// `@unchecked` is true because nothing changes after `init`, and both libraries only read the key while verifying.
package final class VerifyingKey: @unchecked Sendable {
  private enum Point {
    case secp256k1(secp256k1_pubkey)
    case p256(OpaquePointer)  // EC_KEY, freed in deinit
  }

  /// What the key was made from.
  package let publicKey: PublicKey
  private let point: Point

  /// Refuses a point that is not on its curve.
  package init(_ publicKey: PublicKey) throws(SignatureError) {
    self.publicKey = publicKey
    switch publicKey.curve {
    case .secp256k1:
      var key = secp256k1_pubkey()
      let context = Secp256k1.shared.context
      guard secp256k1_ec_pubkey_parse(context, &key, publicKey.point, publicKey.point.count) == 1 else {
        throw .badKey
      }
      point = .secp256k1(key)
    case .p256:
      guard let key = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1) else { throw .badKey }
      guard EC_KEY_oct2key(key, publicKey.point, publicKey.point.count, nil) == 1 else {
        EC_KEY_free(key)
        ERR_clear_error()
        throw .badKey
      }
      point = .p256(key)
    }
  }

  deinit {
    if case .p256(let key) = point { EC_KEY_free(key) }
  }

  /// Checks the 64 bytes `r‖s` over `digest`; refuses high S.
  package func verify(_ signature: UnsafeRawBufferPointer, over digest: Digest) throws(SignatureError) {
    guard signature.count == 64, let bytes = signature.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
      throw .badSignature
    }
    switch point {
    case .secp256k1(var key): try verifySecp256k1(bytes, digest, &key)
    case .p256(let key): try verifyP256(bytes, digest, key)
    }
  }

  /// Checks the 64 bytes `r‖s` over `digest`; refuses high S.
  package func verify(_ signature: [UInt8], over digest: Digest) throws(SignatureError) {
    try signature.span.bytes.withUnsafeBytes { (bytes) throws(SignatureError) in try verify(bytes, over: digest) }
  }

  private func verifySecp256k1(
    _ bytes: UnsafePointer<UInt8>, _ digest: Digest, _ key: inout secp256k1_pubkey
  ) throws(SignatureError) {
    let context = Secp256k1.shared.context
    var raw = secp256k1_ecdsa_signature()
    guard secp256k1_ecdsa_signature_parse_compact(context, &raw, bytes) == 1 else { throw .badSignature }
    // normalize answers 1 if s was in the upper half; secp256k1_ecdsa_verify itself only says "no" to those.
    guard secp256k1_ecdsa_signature_normalize(context, nil, &raw) == 0 else { throw .highS }
    let valid = digest.withBytes {
      secp256k1_ecdsa_verify(context, &raw, $0.baseAddress!.assumingMemoryBound(to: UInt8.self), &key)
    }
    guard valid == 1 else { throw .mismatch }
  }

  private func verifyP256(
    _ bytes: UnsafePointer<UInt8>, _ digest: Digest, _ key: OpaquePointer
  ) throws(SignatureError) {
    guard !Self.isHighP256(UnsafeBufferPointer(start: bytes + 32, count: 32)) else { throw .highS }
    guard let signature = ECDSA_SIG_new() else { throw .badSignature }
    defer { ECDSA_SIG_free(signature) }
    guard let r = BN_bin2bn(bytes, 32, nil), let s = BN_bin2bn(bytes + 32, 32, nil) else { throw .badSignature }
    // From here on the signature owns both numbers (ECDSA_SIG_set0(3)).
    guard ECDSA_SIG_set0(signature, r, s) == 1 else { throw .badSignature }
    let valid = digest.withBytes {
      ECDSA_do_verify($0.baseAddress!.assumingMemoryBound(to: UInt8.self), 32, signature, key)
    }
    guard valid == 1 else {
      ERR_clear_error()
      throw .mismatch
    }
  }

  /// Half of P-256's group order, rounded down: the largest s that is low.
  private static let halfOrderP256: [UInt8] = [
    0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b, 0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8,
  ]

  private static func isHighP256(_ s: UnsafeBufferPointer<UInt8>) -> Bool {
    halfOrderP256.lexicographicallyPrecedes(s)
  }
}
