import CSecp256k1

/// libsecp256k1's context: one for the process, made once, never changed afterwards.
/// `@unchecked` is true because the library's header says that functions taking a const context may be called from
/// several threads at once, and only those are called here.
final class Secp256k1: @unchecked Sendable {
  static let shared = Secp256k1()

  let context: OpaquePointer

  private init() {
    guard let context = secp256k1_context_create(UInt32(SECP256K1_CONTEXT_NONE)) else {
      preconditionFailure("secp256k1_context_create returns null only when memory is exhausted")
    }
    self.context = context
  }

  deinit { secp256k1_context_destroy(context) }
}

/// A secp256k1 secret key that signs as atproto wants it: compact, low S, deterministic nonce (RFC 6979).
package struct SigningKey: Sendable {
  private let secret: Digest

  /// A key from 32 bytes; refused outside 1 ..< n.
  package init(_ secret: Digest) throws(SignatureError) {
    let valid = secret.withBytes {
      secp256k1_ec_seckey_verify(Secp256k1.shared.context, $0.baseAddress!.assumingMemoryBound(to: UInt8.self))
    }
    guard valid == 1 else { throw .badSecret }
    self.secret = secret
  }

  /// The public half.
  package var publicKey: PublicKey {
    var key = secp256k1_pubkey()
    var point = [UInt8](repeating: 0, count: 33)
    var count = 33
    let context = Secp256k1.shared.context
    let made = secret.withBytes {
      secp256k1_ec_pubkey_create(context, &key, $0.baseAddress!.assumingMemoryBound(to: UInt8.self))
    }
    precondition(made == 1, "the secret was checked when the key was made")
    secp256k1_ec_pubkey_serialize(context, &point, &count, &key, UInt32(SECP256K1_EC_COMPRESSED))
    return PublicKey(trusted: .secp256k1, point: point)
  }

  /// Writes the 64 bytes `r‖s` over `digest` to `signature`.
  package func sign(_ digest: Digest, into signature: UnsafeMutableRawBufferPointer) {
    precondition(signature.count == 64, "a compact signature has 64 bytes")
    let context = Secp256k1.shared.context
    var raw = secp256k1_ecdsa_signature()
    let signed = digest.withBytes { message in
      secret.withBytes { secret in
        secp256k1_ecdsa_sign(
          context, &raw, message.baseAddress!.assumingMemoryBound(to: UInt8.self),
          secret.baseAddress!.assumingMemoryBound(to: UInt8.self), nil, nil)
      }
    }
    precondition(signed == 1, "signing fails only for an invalid secret, which init refuses")
    secp256k1_ecdsa_signature_serialize_compact(
      context, signature.baseAddress!.assumingMemoryBound(to: UInt8.self), &raw)
  }

  /// The 64 bytes `r‖s` over `digest`.
  package func sign(_ digest: Digest) -> [UInt8] {
    var signature = [UInt8](repeating: 0, count: 64)
    signature.withUnsafeMutableBytes { sign(digest, into: $0) }
    return signature
  }
}
