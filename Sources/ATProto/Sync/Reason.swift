/// Why a frame, an operation or a record was not (fully) usable. The raw value is the name in reports, metrics, dead letters
/// and `record_error` (CONTRACT.md, "decode").
package enum Reason: String, CaseIterable, Sendable {
  // Rejected frames (and, inside a record, bad records).
  case empty
  case textMessage = "text_message"
  case notTwoItems = "not_two_items"
  case trailingBytes = "trailing_bytes"
  case truncated
  case reservedHead = "reserved_head"
  case indefiniteLength = "indefinite_length"
  case duplicateKey = "duplicate_key"
  case keyNotText = "key_not_text"
  case badTag = "bad_tag"
  case badCID = "bad_cid"
  case badFloat = "bad_float"
  case badSimple = "bad_simple"
  case badUTF8 = "bad_utf8"
  case tooDeep = "too_deep"
  case tooLarge = "too_large"
  case missingField = "missing_field"
  case badField = "bad_field"
  case tooManyOps = "too_many_ops"
  case badCAR = "bad_car"
  case commitMissing = "commit_missing"
  case commitMismatch = "commit_mismatch"
  case badSignature = "bad_signature"
  case noOperationLeft = "no_operation_left"
  // Under `--strict-cbor` three defects reject a frame under their own names.
  case unsortedKeys = "unsorted_keys"
  case nonminimalHead = "nonminimal_head"
  case shortFloat = "short_float"
  // Dropped operations.
  case badPath = "bad_path"
  case cidMissing = "cid_missing"
  case cidOnDelete = "cid_on_delete"
  case recordMissing = "record_missing"
  case mstMissing = "mst_missing"
  case notInTree = "not_in_tree"
  case notDeleted = "not_deleted"
  case unknownAction = "unknown_action"
  // Bad records only.
  case notAMap = "not_a_map"
  case integerRange = "integer_range"
  // A capture file that ends inside a frame.
  case tornFile = "torn_file"

  /// What is wrong, for a person.
  package var message: String {
    switch self {
    case .empty: "the message has no bytes"
    case .textMessage: "a text message; the stream speaks binary"
    case .notTwoItems: "not a header followed by a payload"
    case .trailingBytes: "bytes after the end of the last item"
    case .truncated: "the bytes end inside an item"
    case .reservedHead: "a reserved CBOR head (additional information 28 to 30)"
    case .indefiniteLength: "an indefinite length, which DAG-CBOR forbids"
    case .duplicateKey: "a map has the same key twice"
    case .keyNotText: "a map key is not text"
    case .badTag: "a tag other than 42"
    case .badCID: "not a CID of the required form"
    case .badFloat: "NaN or infinity"
    case .badSimple: "a simple value other than false, true, null"
    case .badUTF8: "text that is not UTF-8"
    case .tooDeep: "nested deeper than \(Limits.depthMax)"
    case .tooLarge: "larger than the limit"
    case .missingField: "a required field is missing"
    case .badField: "a field has the wrong type, range or syntax"
    case .tooManyOps: "more than \(Limits.operationsMax) operations"
    case .badCAR: "the blocks are not a CAR v1 file with a root"
    case .commitMissing: "the commit block is absent or does not match its CID"
    case .commitMismatch: "the commit's did, rev or CID is not the envelope's"
    case .badSignature: "the commit's signature does not verify"
    case .noOperationLeft: "no operation of the commit could be used"
    case .unsortedKeys: "map keys out of canonical order"
    case .nonminimalHead: "a CBOR head longer than it needs to be"
    case .shortFloat: "a half or single precision float"
    case .badPath: "the path is not collection/rkey"
    case .cidMissing: "no CID on a create or update"
    case .cidOnDelete: "a CID on a delete"
    case .recordMissing: "the record's block is absent or does not match its CID"
    case .mstMissing: "a tree node on the path is absent or does not match its CID"
    case .notInTree: "the tree does not hold this record at this path"
    case .notDeleted: "the tree still holds the deleted path"
    case .unknownAction: "an action other than create, update, delete"
    case .notAMap: "the record is not a map"
    case .integerRange: "an integer outside signed 64 bits"
    case .tornFile: "the capture file ends inside a frame"
    }
  }
}

/// A `Reason` and the byte where it was found.
package struct DecodeError: Error, Equatable {
  package var reason: Reason
  /// Offset in the bytes that were being read.
  package var offset: Int

  package init(_ reason: Reason, at offset: Int) {
    self.reason = reason
    self.offset = offset
  }
}

/// Imperfections that do not stop an event (CONTRACT.md grade 2 and `record_utf8`).
package struct Defects: OptionSet, Sendable {
  package let rawValue: UInt16
  package init(rawValue: UInt16) { self.rawValue = rawValue }

  package static let unsortedKeys = Defects(rawValue: 1 << 0)
  package static let nonminimalHead = Defects(rawValue: 1 << 1)
  package static let shortFloat = Defects(rawValue: 1 << 2)
  package static let badTime = Defects(rawValue: 1 << 3)
  package static let clockSkew = Defects(rawValue: 1 << 4)
  package static let tooBigFlag = Defects(rawValue: 1 << 5)
  package static let rebaseFlag = Defects(rawValue: 1 << 6)
  package static let blobsNull = Defects(rawValue: 1 << 7)
  package static let recordUTF8 = Defects(rawValue: 1 << 8)

  /// Names in bit order.
  package static let names = [
    "unsorted_keys", "nonminimal_head", "short_float", "bad_time", "clock_skew", "too_big_flag", "rebase_flag",
    "blobs_null", "record_utf8",
  ]
}

/// Limits of what is decoded. Sources: com.atproto.sync.subscribeRepos lexicon (blocks, ops), sync spec (frame), CONTRACT.md.
package enum Limits {
  package static let frameBytesMax = 5 << 20
  package static let commitBlocksBytesMax = 2_000_000
  package static let syncBlocksBytesMax = 10_000
  package static let operationsMax = 200
  package static let depthMax = 64
  package static let recordBytesMax = 1 << 20
  package static let sequenceMax: Int64 = (1 << 53) - 1
  /// Bytes of tree nodes read for one frame, a node once for each operation that passes it. 200 operations in a real tree
  /// need under 10 MB; past this the frame is an attack.
  package static let treeBytesMax = 32 << 20
}
