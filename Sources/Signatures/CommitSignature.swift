/// A commit block taken apart for verification: the bytes that were signed, and the signature.
///
/// A commit is signed without its `sig` field: the signature covers the DAG-CBOR of the map of the other fields
/// (https://atproto.com/specs/repository#commit-objects). One of these is made per worker and reused, so that a
/// commit costs no allocation.
package struct CommitSignature: Sendable {
  private var unsigned: [UInt8] = []
  private var entries: [CBORScan.Entry] = []

  package init() {
    unsigned.reserveCapacity(512)
    entries.reserveCapacity(16)
  }

  /// Checks `block`'s signature with `key`.
  package mutating func verify(
    commit block: UnsafeRawBufferPointer, with key: VerifyingKey
  ) throws(SignatureError) {
    let signature = try prepare(block)
    let digest = unsigned.withUnsafeBytes { Digest(sha256: $0) }
    try key.verify(UnsafeRawBufferPointer(rebasing: block[signature]), over: digest)
  }

  /// Checks `block`'s signature with `key`.
  package mutating func verify(commit block: [UInt8], with key: VerifyingKey) throws(SignatureError) {
    try block.span.bytes.withUnsafeBytes { (bytes) throws(SignatureError) in try verify(commit: bytes, with: key) }
  }

  /// Leaves the signed bytes in `unsigned` and answers where the 64 bytes of the signature stand in `block`.
  private mutating func prepare(_ block: UnsafeRawBufferPointer) throws(SignatureError) -> Range<Int> {
    entries.removeAll(keepingCapacity: true)
    guard CBORScan.map(block, at: 0, into: &entries) == block.count, entries.count <= 24 else { throw .badCommit }
    guard let index = entries.firstIndex(where: { Self.isSig(block[$0.key]) }) else { throw .badCommit }
    let value = entries[index].value
    // 0x58 0x40: a byte string of 64 bytes in its shortest form.
    guard value.count == 66, block[value.lowerBound] == 0x58, block[value.lowerBound + 1] == 0x40 else {
      throw .badCommit
    }
    entries.remove(at: index)
    unsigned.removeAll(keepingCapacity: true)
    unsigned.append(0xa0 | UInt8(entries.count))
    // Canonical blocks are in order already; the sort then only looks.
    entries.sort { left, right in
      let left = block[left.key]
      let right = block[right.key]
      return left.count == right.count ? left.lexicographicallyPrecedes(right) : left.count < right.count
    }
    for entry in entries {
      unsigned.append(0x60 | UInt8(entry.key.count))
      unsigned.append(contentsOf: block[entry.key])
      unsigned.append(contentsOf: block[entry.value])
    }
    return value.lowerBound + 2..<value.upperBound
  }

  private static func isSig(_ key: Slice<UnsafeRawBufferPointer>) -> Bool {
    key.count == 3 && key.elementsEqual("sig".utf8)
  }
}
