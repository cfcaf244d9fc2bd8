import Signatures

/// One line of the ground truth: an event that belongs to a campaign.
package struct TruthEntry: Sendable, Equatable {
  /// `at://…`; nil where the event has no record (identity events, malformed frames).
  package var uri: String?
  package var did: String
  /// The campaign's name, or `malformed`.
  package var campaign: String
  package var seq: Int64
  /// Malformed frames only: what a decoder should say about it, by CONTRACT.md's names.
  package var expectation: MalformedExpectation?

  /// The line as JSON, without a newline. No value needs escaping: all are ours.
  package var json: String {
    let uri = uri.map { "\"\($0)\"" } ?? "null"
    var line = "{\"uri\":\(uri),\"did\":\"\(did)\",\"campaign\":\"\(campaign)\",\"seq\":\(seq)"
    if let expectation {
      line += ",\"kind\":\"\(expectation.kind)\",\"outcome\":\"\(expectation.outcome)\""
      line += ",\"reason\":\(expectation.reason.map { "\"\($0)\"" } ?? "null")"
    }
    return line + "}"
  }
}

/// What is known about a frame besides its bytes.
package struct FrameInfo: Sendable {
  /// The frame's message type.
  package enum Kind: String, Sendable, CaseIterable {
    case commit, identity, account, sync, malformed
  }

  package var seq: Int64 = 0
  /// The event's `time`, microseconds since 1970; the frame has its milliseconds.
  package var time: UInt64 = 0
  package var kind = Kind.commit
  /// The account's number.
  package var account = 0
  /// Where the eight bytes of seq stand; -1 in malformed frames, which are not patched.
  package var seqOffset = -1
  /// Where the 24 characters of `time` stand; -1 in malformed frames.
  package var timeOffset = -1
  /// Where the CAR stands; empty where there is none.
  package var blocks = 0..<0
  /// The play this frame belongs to, abuse or not; nil for everyday traffic.
  package var play: PlayKind?
  /// One entry per abusive event.
  package var truth: [TruthEntry] = []
}

/// A frame that is complete but for its signature. Drafts must be made in order; they may be finished in any order,
/// on any thread: the next commit of an account needs the last one's tree and rev, never its signature.
package struct FrameDraft: Sendable {
  /// What is left to do.
  struct Unsigned: Sendable {
    var key: SigningKey
    /// Of the commit object without `sig`.
    var digest: Digest
    /// Where the 64 bytes of `sig` stand.
    var signature: Int
    /// The commit block.
    var block: Range<Int>
    /// Where the 32 bytes of the commit's digest stand: in the CAR's header, before its block and in the payload.
    var links: [Int]
  }

  /// The frame. Its signature and the CID of its commit are zeros until `finish`.
  package var bytes: [UInt8] = []
  package var info = FrameInfo()
  var unsigned: Unsigned?

  package init() {}

  /// Signs. Does nothing to frames without a commit, or a second time.
  package mutating func finish() {
    guard let unsigned else { return }
    self.unsigned = nil
    bytes.withUnsafeMutableBytes { frame in
      let signature = unsigned.signature..<unsigned.signature + 64
      unsigned.key.sign(unsigned.digest, into: UnsafeMutableRawBufferPointer(rebasing: frame[signature]))
      let digest = Digest(sha256: UnsafeRawBufferPointer(rebasing: frame[unsigned.block]))
      digest.withBytes { digest in
        for link in unsigned.links {
          UnsafeMutableRawBufferPointer(rebasing: frame[link..<link + 32]).copyMemory(from: digest)
        }
      }
    }
  }
}
