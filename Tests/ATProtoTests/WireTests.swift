import ATProto
import Testing

/// What CONTRACT.md ("decode") makes of each frame of `wire/`. Where the vectors' own `class` says otherwise, the contract
/// stands: a float, invalid UTF-8 or an unsorted map is not a rejection, a bad record still delivers its operation.
private let expected: [String: String] = [
  "commit_create_ok": "accept",
  "commit_create_update_delete": "accept",
  "commit_since_null": "accept",
  "commit_no_prevData": "accept",
  "commit_missing_blobs": "accept",
  "commit_blobs_null": "accept +blobs_null",
  "commit_extra_unknown_field": "accept",
  "commit_tooBig_no_blocks": "reject bad_car +too_big_flag",
  "commit_rebase_true": "accept +rebase_flag",
  "commit_blocks_empty": "reject bad_car",
  "car_zero_roots": "reject bad_car",
  "car_two_roots_commit_first": "accept",
  "car_root_not_in_blocks": "reject commit_missing",
  "car_version_2": "reject bad_car",
  "car_commit_first_order": "accept",
  "car_reverse_order": "accept",
  "car_unrelated_extra_block": "accept",
  "car_raw_codec_extra_block": "accept",
  "car_truncated_mid_block": "reject bad_car",
  "car_truncated_mid_varint": "reject bad_car",
  "car_block_shorter_than_cid": "reject bad_car",
  "car_nonminimal_varint": "reject bad_car",
  "op_cid_null_on_create": "reject no_operation_left op 0 cid_missing",
  "op_cid_not_in_blocks": "reject no_operation_left op 0 record_missing",
  "op_action_unknown": "skip unknown_action op 0 unknown_action",
  "op_path_no_slash": "reject no_operation_left op 0 bad_path",
  "op_path_empty": "reject no_operation_left op 0 bad_path",
  "op_path_bad_nsid": "reject no_operation_left op 0 bad_path",
  "op_path_rkey_space": "reject no_operation_left op 0 bad_path",
  "op_unknown_field": "accept",
  "op_delete_with_cid": "reject no_operation_left op 0 cid_on_delete",
  "ops_201": "reject too_many_ops",
  "ops_missing": "reject missing_field",
  "record_float64": "accept",
  "record_not_map": "partial record 0 not_a_map",
  "record_trailing_bytes": "partial record 0 trailing_bytes",
  "record_invalid_utf8": "accept +record_utf8",
  "record_no_type": "accept",
  "record_indefinite_map": "partial record 0 indefinite_length",
  "record_deep_200": "partial record 0 too_deep",
  "rev_mismatch": "reject commit_mismatch",
  "rev_not_tid": "reject bad_field",
  "time_not_datetime": "accept +bad_time",
  "commit_link_mismatch": "reject commit_mismatch",
  "seq_negative": "reject bad_field",
  "seq_2^53-1": "accept",
  "seq_2^63": "reject bad_field",
  "seq_string": "reject bad_field",
  "seq_float": "reject bad_field",
  "sync_ok": "skip sync",
  "sync_rev_mismatch": "reject commit_mismatch",
  "sync_blocks_over_10000": "reject too_large",
  "identity_handle": "accept",
  "identity_handle_invalid": "accept",
  "identity_missing_did": "reject missing_field",
  "identity_bad_did": "reject bad_field",
  "account_inactive_takendown": "accept",
  "account_inactive_suspended": "accept",
  "account_inactive_deactivated": "accept",
  "account_inactive_desynchronized": "accept",
  "account_inactive_someday": "accept",
  "account_inactive_no_status": "accept",
  "account_active_desynchronized": "accept",
  "account_missing_active": "reject missing_field",
  "info_outdated_cursor": "accept",
  "info_no_message": "accept",
  "info_message_null": "accept",
  "error_future_cursor": "skip error_frame",
  "error_no_message": "skip error_frame",
  "error_message_empty": "skip error_frame",
  "error_unknown_name": "skip error_frame",
  "error_without_error_field": "skip error_frame",
  "migrate_deprecated": "skip deprecated_type",
  "tombstone_deprecated": "skip deprecated_type",
  "unknown_type_full_nsid": "skip unknown_type",
  "header_unknown_op_0": "skip unknown_op",
  "header_extra_field": "accept",
  "header_op_first_unsorted": "accept +unsorted_keys",
  "header_missing_op": "reject missing_field",
  "header_missing_t": "reject missing_field",
  "header_array": "reject bad_field",
  "frame_empty": "reject empty",
  "frame_trailing_byte": "reject trailing_bytes",
  "frame_two_messages": "reject trailing_bytes",
  "frame_payload_truncated": "reject truncated",
  "frame_json_text": "reject text_message",
  "payload_unsorted": "accept +unsorted_keys",
  "commit_2MB_blocks": "accept",
  "commit_blocks_over_2000000": "reject too_large",
]

@Test(.enabled(if: Vectors.arePresent, "\(Vectors.reason)"))
func `every hand-made frame comes out as the contract grades it`() throws {
  var seen: Set<String> = []
  for line in try Vectors.objects("wire/wire_frames.jsonl") {
    let name = try #require(line["name"] as? String)
    seen.insert(name)
    #expect(report(Vectors.hex(line["hex"] as? String ?? "")) == expected[name], "\(name)")
  }
  for line in try Vectors.objects("wire/wire_frames_large.jsonl") {
    let name = try #require(line["name"] as? String)
    seen.insert(name)
    #expect(report(try Vectors.data("wire/\(line["file"] as? String ?? "")")) == expected[name], "\(name)")
  }
  #expect(seen == Set(expected.keys))
}

@Test(.enabled(if: Vectors.arePresent, "\(Vectors.reason)"))
func `strict CBOR refuses exactly the frames that are not canonical`() throws {
  var strict = DecodeOptions()
  strict.strictCBOR = true
  let refused = ["header_op_first_unsorted", "payload_unsorted"]
  for line in try Vectors.objects("wire/wire_frames.jsonl") {
    let name = try #require(line["name"] as? String)
    let outcome = report(Vectors.hex(line["hex"] as? String ?? ""), strict)
    if refused.contains(name) {
      #expect(outcome == "reject unsorted_keys +unsorted_keys", "\(name)")
    } else {
      #expect(outcome == expected[name], "\(name)")
    }
  }
}

@Test(.enabled(if: Vectors.arePresent, "\(Vectors.reason)"))
func `an event of a hand-made frame has the type, account and sequence that its fields say`() throws {
  for line in try Vectors.objects("wire/wire_frames.jsonl") {
    let name = try #require(line["name"] as? String)
    decode(Vectors.hex(line["hex"] as? String ?? "")) { frame, decoded, _ in
      guard decoded.eventCount > 0, decoded.type != .info else { return }
      #expect(decoded.sequence >= 1, "\(name)")
      #expect(frame[decoded.did].string.hasPrefix("did:"), "\(name)")
      #expect(!frame[decoded.time].isEmpty, "\(name)")
    }
  }
}

@Test(
  .enabled(if: Vectors.arePresent, "\(Vectors.reason)"),
  arguments: [
    "account_lifecycle", "deactivation", "firehose_commit_4621317030", "firehose_commit_4623075231", "legacy",
    "post_lifecycle",
  ])
func `relay scenarios: every frame is accepted, and a sync skipped`(name: String) throws {
  for (index, frame) in try Vectors.frames("relay_scenarios/\(name).frames.bin").enumerated() {
    decode(frame) { _, decoded, _ in
      #expect(report(decoded) == (decoded.type == .sync ? "skip sync" : "accept"), "\(name) \(index)")
    }
  }
}
