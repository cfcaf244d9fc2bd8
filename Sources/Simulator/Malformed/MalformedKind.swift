/// How a frame may be damaged. The raw value is the name in the ground truth.
enum MalformedKind: String, CaseIterable {
  // The frame.
  case empty, headerOnly, trailingBytes, truncated, reservedHead, indefiniteLength, duplicateKey, keyNotText
  case badTag, badCID, badFloat, badSimple, badUTF8, tooDeep, missingRepo, badRepo, seqZero, tooManyOps, tooLargeBlocks
  // Its blocks and its commit.
  case carCutOff, carVersion, carEmpty, commitBlockMissing, commitBlockDamaged, revMismatch, commitCIDMismatch
  case badSignature
  // One of two operations.
  case badPath, cidMissing, cidOnDelete, recordBlockMissing, recordBlockDamaged, notInTree, notDeleted, unknownAction
  case treeRootMissing
  // The record.
  case recordNotMap, recordFloat, recordTrailing, recordCutOff, recordDeep, recordInteger, recordDuplicate, recordUTF8
  // Imperfect, yet accepted.
  case unsortedKeys, nonminimalHead, shortFloat, badTime, clockSkew, tooBigFlag, rebaseFlag, blobsNull
  // Nothing to deliver.
  case unknownType, unknownOp, deprecatedType

  /// Damaged frames that are far over the usual size come this rarely.
  static let largeOneIn = 400

  /// Operations that the frame needs before it is damaged.
  var operationCount: Int {
    switch self {
    case .badPath, .cidMissing, .cidOnDelete, .recordBlockMissing, .recordBlockDamaged, .notInTree, .notDeleted,
      .unknownAction:
      2
    default: 1
    }
  }

  /// What a decoder says under `--verify mst`: outcome, and reason or defect.
  var expectation: MalformedExpectation {
    let (outcome, reason) = answer
    return MalformedExpectation(kind: rawValue, outcome: outcome, reason: reason)
  }

  private var answer: (String, String?) {
    switch self {
    case .empty: ("reject", "empty")
    case .headerOnly: ("reject", "not_two_items")
    case .trailingBytes: ("reject", "trailing_bytes")
    case .truncated: ("reject", "truncated")
    case .reservedHead: ("reject", "reserved_head")
    case .indefiniteLength: ("reject", "indefinite_length")
    case .duplicateKey: ("reject", "duplicate_key")
    case .keyNotText: ("reject", "key_not_text")
    case .badTag: ("reject", "bad_tag")
    case .badCID: ("reject", "bad_cid")
    case .badFloat: ("reject", "bad_float")
    case .badSimple: ("reject", "bad_simple")
    case .badUTF8: ("reject", "bad_utf8")
    case .tooDeep: ("reject", "too_deep")
    case .missingRepo: ("reject", "missing_field")
    case .badRepo, .seqZero: ("reject", "bad_field")
    case .tooManyOps: ("reject", "too_many_ops")
    case .tooLargeBlocks: ("reject", "too_large")
    case .carCutOff, .carVersion, .carEmpty: ("reject", "bad_car")
    case .commitBlockMissing, .commitBlockDamaged: ("reject", "commit_missing")
    case .revMismatch, .commitCIDMismatch: ("reject", "commit_mismatch")
    // Only `--verify signature` sees it, and then rejects the frame.
    case .badSignature: ("accept", "bad_signature")
    case .badPath: ("partial", "bad_path")
    case .cidMissing: ("partial", "cid_missing")
    case .cidOnDelete: ("partial", "cid_on_delete")
    case .recordBlockMissing, .recordBlockDamaged: ("partial", "record_missing")
    case .notInTree: ("partial", "not_in_tree")
    case .notDeleted: ("partial", "not_deleted")
    case .unknownAction: ("accept", "unknown_action")
    case .treeRootMissing: ("reject", "no_operation_left")
    case .recordNotMap: ("partial", "not_a_map")
    case .recordFloat: ("partial", "bad_float")
    case .recordTrailing: ("partial", "trailing_bytes")
    case .recordCutOff: ("partial", "truncated")
    case .recordDeep: ("partial", "too_deep")
    case .recordInteger: ("partial", "integer_range")
    case .recordDuplicate: ("partial", "duplicate_key")
    case .recordUTF8: ("accept", "record_utf8")
    case .unsortedKeys: ("accept", "unsorted_keys")
    case .nonminimalHead: ("accept", "nonminimal_head")
    case .shortFloat: ("accept", "short_float")
    case .badTime: ("accept", "bad_time")
    case .clockSkew: ("accept", "clock_skew")
    case .tooBigFlag: ("accept", "too_big_flag")
    case .rebaseFlag: ("accept", "rebase_flag")
    case .blobsNull: ("accept", "blobs_null")
    case .unknownType: ("skip", "unknown_type")
    case .unknownOp: ("skip", "unknown_op")
    case .deprecatedType: ("skip", "deprecated_type")
    }
  }
}
