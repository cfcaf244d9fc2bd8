/// Why a key, a signature or a signed commit is refused.
package enum SignatureError: Error, Sendable, Equatable {
  /// Not a multibase text, multikey or did:key of a curve that atproto uses.
  case badKey
  /// Not 64 bytes, or numbers outside the curve's range.
  case badSignature
  /// `s` lies in the upper half: anybody could have derived it from the valid one. atproto refuses it.
  case highS
  /// Well formed, but not made by this key over these bytes.
  case mismatch
  /// The commit block is not one canonical DAG-CBOR map, or has no `sig` of 64 bytes.
  case badCommit
  /// A secret key outside 1 ..< n.
  case badSecret
}
