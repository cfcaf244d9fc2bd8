import ATProto
import Foundation
import FrameKit
import Testing

/// What the contract (grade 4) makes of the record probes, where it is not plain acceptance.
private let probes: [String: String] = [
  "uint64_2^63": "integer_range", "negint_below_int64_min": "integer_range",
  "nonminimal_int_16": "ok +nonminimal_head", "nonminimal_len_string": "ok +nonminimal_head",
  "tag_42_nonminimal_tag": "ok +nonminimal_head", "unsorted_keys": "ok +unsorted_keys",
  "unsorted_keys_bytewise_order": "ok +unsorted_keys", "float16_1.5": "ok +short_float", "float64_inf": "bad_float",
  "undefined": "bad_simple", "simple_20_in_two_bytes": "bad_simple", "indef_bytes": "indefinite_length",
  "indef_array": "indefinite_length", "break_alone": "indefinite_length", "tag_0_datetime": "bad_tag",
  "tag_2_bignum": "bad_tag", "tag_42_prefix_01": "bad_cid", "tag_42_text": "bad_cid",
  "tag_42_truncated_digest": "bad_cid", "double_tag_42": "bad_cid", "invalid_utf8_key": "ok +record_utf8",
  "utf8_surrogate_half": "ok +record_utf8", "utf8_truncated_multibyte": "ok +record_utf8",
  "trailing_bytes": "trailing_bytes", "truncated": "truncated", "toplevel_array": "not_a_map",
  "toplevel_string": "not_a_map", "nest_arrays_64": "too_deep", "nest_arrays_126": "too_deep",
  "nest_arrays_128": "too_deep", "nest_arrays_256": "too_deep", "nest_maps_126": "too_deep",
  "nest_maps_1000": "too_deep", "huge_map_header": "truncated", "huge_string_header": "truncated",
]

/// A reason, or `ok` with defects.
private func outcome(_ text: RecordText) -> String {
  if let reason = text.reason { return reason.rawValue }
  let names = Defects.names.enumerated().filter { text.defects.contains(Defects(rawValue: 1 << UInt16($0.offset))) }
  return (["ok"] + names.map(\.element)).joined(separator: " +")
}

private func json(_ path: String) throws -> [[String: Any]] {
  try #require(try JSONSerialization.jsonObject(with: Data(Vectors.data(path))) as? [[String: Any]])
}

@Test(.enabled(if: Vectors.arePresent, "\(Vectors.reason)"))
func `record probes are graded as the contract says, and print as at-kafka prints them`() throws {
  var seen: Set<String> = []
  for line in try Vectors.objects("cbor/record_probes.jsonl") {
    let name = try #require(line["name"] as? String)
    seen.insert(name)
    let record = Vectors.hex(line["hex"] as? String ?? "")
    let text = recordText(record, onlyMap: true, escaping: .html)
    #expect(outcome(text) == probes[name] ?? "ok", "\(name)")
    let reference = try #require(line["atkafka"] as? [String: Any])
    if text.reason == nil, reference["ok"] as? Bool == true {
      #expect(text.json == reference["json"] as? String, "\(name)")
    }
    // The same inside a frame: a bad record keeps its operation.
    var graded = text
    graded.reason = nil
    let expected =
      text.reason.map { outcome(graded).replacing("ok", with: "partial") + " record 0 " + $0.rawValue }
      ?? outcome(text).replacing("ok", with: "accept")
    let inFrame = report(CommitFrame(record: record).encoded)
    #expect(inFrame == expected, "\(name)")
  }
  #expect(Set(probes.keys).isSubset(of: seen))
}

@Test(.enabled(if: Vectors.arePresent, "\(Vectors.reason)"))
func `the codec fixtures: canonical data without defects, links of any form, the reference's JSON and CIDs`() throws {
  for line in try Vectors.objects("cbor/codec_fixtures.jsonl") {
    let name = try #require(line["name"] as? String)
    let item = Vectors.hex(line["hex"] as? String ?? "")
    let text = recordText(item)
    // The fixtures differ from what we take in integers beyond 64 bits only: links of other forms are fine in records.
    #expect(outcome(text) == (name == "int-18446744073709551615" ? "integer_range" : "ok"), "\(name)")
    if line["strict_accepts"] as? Bool == true, let expected = line["atproto_json"] as? String {
      #expect(recordText(item, escaping: .html).json == expected, "\(name)")
    }
    #expect(cidText(cid(item)) == line["cid"] as? String, "\(name)")
  }
  for line in try json("cbor/codec_fixtures_negative_duplicate_keys.json") {
    let text = recordText(Vectors.hex(line["hex"] as? String ?? ""))
    #expect(text.reason == .duplicateKey && text.defects.isEmpty)
  }
}

/// Where we are more or less tolerant than the DASL suite's "dag-cbor" and "basic", on purpose.
private let dasl: [String: String] = [
  "negative zero float64": "ok", "largest CBOR integer, 2^64-1": "integer_range",
  "smallest CBOR integer, -(2^64)": "integer_range",
]

@Test(
  .enabled(if: Vectors.arePresent, "\(Vectors.reason)"),
  arguments: [
    "cid", "concat", "floats", "indefinite", "integer_range", "map_keys", "numeric_reduction", "short_form", "simple",
    "tags", "utf8",
  ])
func `DASL fixtures: what is invalid is refused or counted as a defect, what is valid is neither`(file: String) throws {
  for line in try json("cbor/dasl/\(file).json") {
    let name = try #require(line["name"] as? String)
    let tags = line["tags"] as? [String] ?? []
    guard tags.contains("dag-cbor") || tags.contains("basic") else { continue }
    let result = outcome(recordText(Vectors.hex(line["data"] as? String ?? "")))
    if let expected = dasl[name] {
      #expect(result == expected, "\(name)")
    } else {
      #expect((result == "ok") == (line["type"] as? String == "roundtrip"), "\(name): \(result)")
    }
  }
}

/// RFC 8949 appendix A is general CBOR: what DAG-CBOR has of it is read, and nothing of the rest.
@Test(.enabled(if: Vectors.arePresent, "\(Vectors.reason)"))
func `RFC 8949's examples are read as far as DAG-CBOR has them`() throws {
  for line in try json("cbor/rfc8949-vectors.json") {
    let hex = try #require(line["hex"] as? String)
    let item = Vectors.hex(hex)
    let result = recordText(item)
    let first = try #require(item.first)
    #expect(!(first & 0x1f == 31 && result.reason != .indefiniteLength), "\(hex)")
    #expect(!(first >> 5 == 6 && result.reason == nil), "\(hex)")
    #expect(!(first == 0xf7 && result.reason != .badSimple), "\(hex)")
    if let diagnostic = line["diagnostic"] as? String, diagnostic == "NaN" || diagnostic.hasSuffix("Infinity") {
      #expect(result.reason == .badFloat, "\(hex)")
    } else if let diagnostic = line["diagnostic"] as? String, let number = Int64(diagnostic), first >> 5 < 2 {
      #expect(result.json == String(number), "\(hex)")
    }
  }
}

@Test(.enabled(if: Vectors.arePresent, "\(Vectors.reason)"))
func `the data model fixtures give their JSON and their CIDs`() throws {
  for line in try json("interop/data-model/data-model-fixtures.json") {
    var text = line["cbor_base64"] as? String ?? ""
    text += String(repeating: "=", count: (4 - text.count % 4) % 4)
    let item = [UInt8](try #require(Data(base64Encoded: text)))
    #expect(cidText(cid(item)) == line["cid"] as? String)
    let result = recordText(item)
    #expect(outcome(result) == "ok")
    let ours = try JSONSerialization.jsonObject(with: Data(result.json.utf8)) as? NSDictionary
    #expect(ours == line["json"] as? NSDictionary)
  }
}

/// Thousands of nested lists: refused by depth, read without recursion.
@Test(.enabled(if: Vectors.arePresent, "\(Vectors.reason)"))
func `the torture file of nested lists is too deep and no more than that`() throws {
  let item = try Vectors.data("cbor/bench/semi_torture_nested_lists.dagcbor")
  #expect(recordText(item).reason == .tooDeep)
  #expect(report(CommitFrame(record: Item.map([("a", .raw(item))]).encoded).encoded) == "partial record 0 too_deep")
  #expect(report(message("#identity", identityFields().with("x", .raw(item)))) == "reject too_deep")
}

/// Jetstream v1's lines for the same frames; its order is its own, so events are matched by what names them.
@Test(.enabled(if: Vectors.arePresent, "\(Vectors.reason)"))
func `real frames are all accepted, and their records are Jetstream's bytes`() throws {
  var expected: [String: String] = [:]
  for line in try Vectors.lines("frames/expected_jetstream_v1_000_099.jsonl") {
    let event = try Vectors.object(line)
    guard let commit = event["commit"] as? [String: Any] else { continue }
    let key = [event["did"], commit["rev"], commit["collection"], commit["rkey"], commit["operation"]]
      .map { $0 as? String ?? "" }.joined(separator: " ")
    if let start = line.range(of: "\"record\":"), let end = line.range(of: ",\"cid\":\"", options: .backwards) {
      expected[key] = String(line[start.upperBound..<end.lowerBound])
    } else {
      expected[key] = ""
    }
  }
  var options = DecodeOptions()
  options.escaping = .html
  options.verifyAllBlocks = true
  var sequence: Int64 = 31_527_015_322
  for frame in try Vectors.frames("frames/frames_000_099.bin") {
    decode(frame, options) { bytes, decoded, decoder in
      #expect(report(decoded) == "accept")
      #expect(decoded.sequence == sequence)
      for operation in decoded.operations {
        let key = [
          bytes[decoded.did].string, bytes[decoded.rev].string, bytes[operation.collection].string,
          bytes[operation.rkey].string, String(describing: operation.kind),
        ].joined(separator: " ")
        #expect(expected.removeValue(forKey: key) == decoder.json[operation.json].string, "\(key)")
      }
    }
    sequence += 1
  }
  #expect(expected.isEmpty)
}
