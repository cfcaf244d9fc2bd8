/// What became of a frame (CONTRACT.md, "decode").
package enum Outcome: String, CaseIterable, Sendable {
  case accept, partial, skip, reject
}

/// Why a valid frame has nothing to deliver.
package enum SkipReason: String, CaseIterable, Sendable {
  case errorFrame = "error_frame"
  case unknownOp = "unknown_op"
  case unknownType = "unknown_type"
  case deprecatedType = "deprecated_type"
  case sync
  case noOperations = "no_operations"
  case unknownAction = "unknown_action"
  /// The feeder's: the same (seq, DID, rev) came before.
  case repeated
}

/// What an operation does to its record.
package enum OperationKind: UInt8, Sendable {
  case create, update, delete, unknown

  package var text: StaticString {
    switch self {
    case .create: "create"
    case .update: "update"
    case .delete: "delete"
    case .unknown: "unknown"
    }
  }
}

/// One entry of a commit's `ops`. Slices point into the frame, but for `json`.
package struct Operation {
  package var kind: OperationKind = .unknown
  package var path = Slice.none
  package var collection = Slice.none
  package var rkey = Slice.none
  /// 36 bytes; empty for null.
  package var cid = Slice.none
  /// The record's DAG-CBOR; empty on delete.
  package var record = Slice.none
  /// The record's JSON in the decoder's `json` writer; empty on delete and for a bad record.
  package var json = Slice.none
  /// Set where the operation is not delivered.
  package var dropped: Reason?
  /// Set where it is delivered with a bad record.
  package var recordError: Reason?

  package init() {}

  /// An unknown action is dropped, but nobody's fault.
  var isFaulty: Bool { recordError != nil || (dropped != nil && dropped != .unknownAction) }
}

/// The message types of com.atproto.sync.subscribeRepos.
package enum FrameType: UInt8, Sendable {
  case commit, sync, identity, account, info, error, other
}

/// Everything known about one frame after `FrameDecoder.decode`. Slices point into the frame's bytes.
package struct DecodedFrame {
  package var outcome = Outcome.reject
  /// Set where `outcome` is `reject`.
  package var reason: Reason?
  /// Set where `outcome` is `skip`.
  package var skipped: SkipReason?
  /// Where in the frame the reason was found.
  package var offset = 0
  package var type = FrameType.other
  /// The header's `t`, such as `#commit`; empty where there is none.
  package var typeName = Slice.none
  /// 0 where the frame has none or it was not read.
  package var sequence: Int64 = 0
  package var did = Slice.none
  package var rev = Slice.none
  /// `rev` as a number; 0 where there is none.
  package var revTID: UInt64 = 0
  /// The rev's timestamp, milliseconds since 1970; nil where there is no rev.
  package var revMs: Int64? { revTID == 0 ? nil : Syntax.tidMilliseconds(revTID) }
  package var time = Slice.none
  /// `time` in milliseconds since 1970, nil where it is no date.
  package var timeMs: Int64?
  package var defects: Defects = []
  package var operations: [Operation] = []
  /// The signed commit object, once found.
  package var commitBlock = Slice.none
  /// Identity.
  package var handle = Slice.none
  /// Account.
  package var isActive = false
  /// Account; empty where absent.
  package var status = Slice.none
  /// Info: its name; error frame: its code.
  package var name = Slice.none
  /// Info or error frame.
  package var message = Slice.none
  package var hasMessage = false

  package init() { operations.reserveCapacity(8) }

  mutating func reset() {
    var kept = operations
    kept.removeAll(keepingCapacity: true)
    operations = []
    self = DecodedFrame(reusing: kept)
  }

  /// Takes back what was read of blocks that turned out not to be what their CIDs say.
  mutating func forgetProof(defects: Defects) {
    self.defects = defects
    commitBlock = .none
    for index in operations.indices {
      operations[index].collection = .none
      operations[index].rkey = .none
      operations[index].record = .none
      operations[index].dropped = nil
    }
  }

  private init(reusing operations: [Operation]) { self.operations = operations }

  /// Events this frame delivers.
  package var eventCount: Int {
    guard outcome == .accept || outcome == .partial else { return 0 }
    return type == .commit ? operations.count { $0.dropped == nil } : 1
  }
}

extension DecodedFrame {
  /// Rejects a message that never was a frame.
  package mutating func refuse(_ reason: Reason) {
    reset()
    outcome = .reject
    self.reason = reason
  }
}
