import COpenSSL

/// SHA-256 through libcrypto's low-level calls (the cheapest for our block sizes; docs/decisions).
package enum SHA256Digest {
  /// Writes the 32-byte digest of `bytes` to `digest`.
  @inline(__always)
  package static func compute(_ bytes: Bytes, into digest: UnsafeMutablePointer<UInt8>) {
    var context = SHA256_CTX()
    SHA256_Init(&context)
    SHA256_Update(&context, bytes.base, bytes.count)
    SHA256_Final(digest, &context)
  }

  /// Whether `bytes` hash to the digest of a blessed CID.
  @inline(__always)
  package static func matches(_ bytes: Bytes, cid: Bytes) -> Bool {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { digest in
      compute(bytes, into: digest.baseAddress!)
      return CID.isDigestEqual(digest.baseAddress!, cid.base + 4)
    }
  }

  /// The digest as an array. Cold paths only.
  package static func of(_ bytes: Bytes) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
      compute(bytes, into: buffer.baseAddress!)
      count = 32
    }
  }

  /// The digest in hexadecimal, lower case.
  package static func hex(_ bytes: Bytes) -> String {
    of(bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
