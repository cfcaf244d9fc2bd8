import ATProto

/// A SHA-256 digest, held in four words so that it is a plain value without heap memory.
package struct Digest: Sendable, Hashable {
  private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  /// Thirty-two zeros.
  package init() {}

  /// The SHA-256 of `bytes`.
  package init(sha256 bytes: UnsafeRawBufferPointer) {
    withUnsafeMutableBytes(of: &words) { out in
      SHA256Digest.compute(Bytes(bytes), into: out.baseAddress!.assumingMemoryBound(to: UInt8.self))
    }
  }

  /// The SHA-256 of `bytes`.
  package init(sha256 bytes: [UInt8]) {
    self = bytes.withUnsafeBytes { Digest(sha256: $0) }
  }

  /// The thirty-two bytes at the start of `bytes`.
  package init(copying bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count >= 32, "a digest has 32 bytes")
    withUnsafeMutableBytes(of: &words) { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<32])) }
  }

  /// Calls `body` with the thirty-two bytes.
  package func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var copy = words
    // withUnsafeBytes(of:) is generic over its error, so what `body` throws keeps its type.
    return try withUnsafeBytes(of: &copy) { (bytes) throws(Failure) -> Result in try body(bytes) }
  }

  /// The thirty-two bytes.
  package var bytes: [UInt8] { withBytes { Array($0) } }

  package static func == (left: Digest, right: Digest) -> Bool {
    left.words.0 == right.words.0 && left.words.1 == right.words.1 && left.words.2 == right.words.2
      && left.words.3 == right.words.3
  }

  package func hash(into hasher: inout Hasher) {
    // The digest is evenly spread already; one word tells two apart.
    hasher.combine(words.0)
  }
}
