// Signatures: who signed these bytes?
// In come public keys (did:key, multikey), commit blocks and SHA-256 digests; out comes yes or a typed no.
// Also signs, for the simulator. Owns libsecp256k1's context; P-256 goes through libcrypto.
// Start at VerifyingKey.verify, then CommitSignature.
