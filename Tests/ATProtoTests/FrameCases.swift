import ATProto
import FrameKit
import Testing

/// A frame built by hand and what the contract makes of it.
struct Case: CustomTestStringConvertible, Sendable {
  let name: String
  let expected: String
  let frame: [UInt8]
  var testDescription: String { name }

  init(_ name: String, _ expected: String, _ frame: [UInt8]) {
    self.name = name
    self.expected = expected
    self.frame = frame
  }
}

private let identity = identityFields()
private let head = Item.map([("op", .int(1)), ("t", .text("#identity"))])

private func identity(_ name: String, _ value: Item?) -> [UInt8] { message("#identity", identity.with(name, value)) }
private func account(_ name: String, _ value: Item?) -> [UInt8] {
  message("#account", accountFields().with(name, value))
}
private func header(_ fields: [(String, Item)]) -> [UInt8] { frame(.map(fields), .map(identity)) }

/// Framing, headers, and DAG-CBOR in places where any message has it.
let framingCases: [Case] = [
  Case("no bytes", "reject empty", []),
  Case("JSON text", "reject text_message", Array(##"{"op":1,"t":"#commit"}"##.utf8)),
  Case("a header alone", "reject not_two_items", head.encoded),
  Case("half a header", "reject truncated", Array(head.encoded.dropLast(3))),
  Case("three items", "reject trailing_bytes", frame(head, .map(identity)) + [0]),
  Case("payload cut short", "reject truncated", Array(frame(head, .map(identity)).dropLast(1))),
  Case("every field in place", "accept", frame(head, .map(identity))),
  Case("header is text", "reject bad_field", frame(.text("x"), .map(identity))),
  Case("payload is an array", "reject bad_field", frame(head, .array([]))),
  Case("payload of an unknown type is an array", "reject bad_field", message("#new", []).dropLast(1) + [0x80]),
  Case("unknown type", "skip unknown_type", message("#new", [("x", .nested(63))])),
  Case("old handle message", "skip deprecated_type", message("#handle", [])),
  Case("op 2", "skip unknown_op", header([("op", .int(2)), ("t", .text("#identity"))])),
  Case("op is text", "reject bad_field", header([("op", .text("1")), ("t", .text("#identity"))])),
  Case("op beyond 64 bits", "reject bad_field", header([("op", .unsigned(.max)), ("t", .text("#identity"))])),
  Case("t is a number", "reject bad_field", header([("op", .int(1)), ("t", .int(1))])),
  Case("no t", "reject missing_field", header([("op", .int(1))])),
  Case("no op", "reject missing_field", header([("t", .text("#identity"))])),
  Case("error frame", "skip error_frame", frame(.map([("op", .int(-1))]), .map([("error", .text("FutureCursor"))]))),
  Case("error frame without payload", "reject not_two_items", Item.map([("op", .int(-1))]).encoded),
  Case("error frame that is not well-formed", "reject bad_tag", Item.map([("op", .int(-1))]).encoded + [0xc1, 0]),
  Case("reserved head", "reject reserved_head", identity("x", .raw([0x1c]))),
  Case("indefinite text", "reject indefinite_length", identity("x", .raw([0x7f, 0x61, 0x61, 0xff]))),
  Case("indefinite map", "reject indefinite_length", identity("x", .raw([0xbf, 0xff]))),
  Case("a break alone", "reject indefinite_length", identity("x", .raw([0xff]))),
  Case("key twice, side by side", "reject duplicate_key", message("#identity", identity + [("handle", .text("b"))])),
  Case(
    "key twice, apart", "reject duplicate_key +unsorted_keys",
    frame(head, .rawMap([(.text("x"), .int(1))] + identity.map { (.text($0.0), $0.1) } + [(.text("x"), .int(2))]))),
  Case("key twice in a nested map", "reject duplicate_key", identity("x", .raw([0xa2, 0x61, 0x61, 1, 0x61, 0x61, 2]))),
  Case(
    "key twice and apart in a nested map", "reject duplicate_key +unsorted_keys",
    identity("x", .raw([0xa3, 0x61, 0x62, 1, 0x61, 0x61, 2, 0x61, 0x62, 3]))),
  Case(
    "key twice in the header", "reject duplicate_key",
    header([("op", .int(1)), ("t", .text("#identity")), ("t", .null)])),
  Case("key is a number", "reject key_not_text", identity("x", .rawMap([(.int(1), .int(2))]))),
  Case("key is bytes, in the payload itself", "reject key_not_text", frame(head, .rawMap([(.bytes([1]), .int(2))]))),
  Case("key is no CBOR", "reject bad_tag", frame(head, .rawMap([(.raw([0xc1, 0]), .int(2))]))),
  Case("tag 0", "reject bad_tag", identity("x", .raw([0xc0, 0x61, 0x61]))),
  Case("tag 42 twice", "reject bad_cid", identity("x", .raw([0xd8, 0x2a] + Item.link(cid([])).encoded))),
  Case("tag 43 in place of a field", "reject bad_tag", identity("did", .raw([0xd8, 0x2b, 0x61, 0x61]))),
  Case("tag 42 around text", "reject bad_cid", identity("x", .raw([0xd8, 0x2a, 0x61, 0x61]))),
  Case("CID without its zero", "reject bad_cid", identity("x", .raw([0xd8, 0x2a] + Item.bytes(cid([])).encoded))),
  Case("CID of nothing", "reject bad_cid", identity("x", .link([]))),
  Case("CID with a short digest", "reject bad_cid", identity("x", .link(Array(cid([]).dropLast())))),
  Case("CID with a byte behind it", "reject bad_cid", identity("x", .link(cid([]) + [0]))),
  Case("CID of another form in an unknown field", "accept", identity("x", .link([1, 0x55, 0, 2, 7, 7]))),
  Case("NaN", "reject bad_float", identity("x", .double(.nan))),
  Case("infinity", "reject bad_float", identity("x", .double(-.infinity))),
  Case("half NaN", "reject bad_float +short_float", identity("x", .raw([0xf9, 0x7e, 0]))),
  Case("single infinity", "reject bad_float +short_float", identity("x", .raw([0xfa, 0x7f, 0x80, 0, 0]))),
  Case("NaN in place of a field", "reject bad_float", identity("seq", .double(.nan))),
  Case("undefined", "reject bad_simple", identity("x", .raw([0xf7]))),
  Case("undefined in place of a field", "reject bad_simple", identity("did", .raw([0xf7]))),
  Case("false in two bytes", "reject bad_simple", identity("x", .raw([0xf8, 20]))),
  Case("simple value 0", "reject bad_simple", identity("x", .raw([0xe0]))),
  Case("simple value 32", "reject bad_simple", identity("x", .raw([0xf8, 32]))),
  Case("text that is not UTF-8", "reject bad_utf8", identity("handle", .raw([0x62, 0xc3, 0x28]))),
  Case("text that is not UTF-8 in an unknown field", "reject bad_utf8", identity("x", .raw([0x63, 0xed, 0xa0, 0x80]))),
  Case("key that is not UTF-8", "reject bad_utf8", identity("x", .raw([0xa1, 0x61, 0xff, 1]))),
  Case("type name that is not UTF-8", "reject bad_utf8", header([("op", .int(1)), ("t", .raw([0x61, 0xff]))])),
  Case("depth 64", "accept", identity("x", .nested(63))),
  Case("depth 65", "reject too_deep", identity("x", .nested(64))),
  Case("depth 64 in the header", "accept", header([("op", .int(1)), ("t", .text("#identity")), ("x", .nested(63))])),
  Case(
    "depth 65 in the header", "reject too_deep",
    header([("op", .int(1)), ("t", .text("#identity")), ("x", .nested(64))])),
  Case("depth 64 under an unknown type", "skip unknown_type", message("#new", [("x", .nested(63))])),
  Case("depth 65 under an unknown type", "reject too_deep", message("#new", [("x", .nested(64))])),
  Case("a hundred thousand levels", "reject too_deep", identity("x", .nested(100_000))),
  Case("array of 2^63 items", "reject truncated", identity("x", .raw(Item.head(4, 1 << 63)))),
  Case("map of 2^64 - 1 entries", "reject truncated", identity("x", .raw(Item.head(5, .max)))),
  Case("bytes of 2^64 - 1", "reject truncated", identity("x", .raw(Item.head(2, .max)))),
  Case(
    "integers of the whole range in unknown fields", "accept",
    identity("x", .array([.unsigned(.max), .negative(.max)]))),
  Case("long head for a small number", "accept +nonminimal_head", identity("x", .raw([0x18, 1]))),
  Case("long length of a field", "accept +nonminimal_head", identity("handle", .raw([0x79, 0, 1, 0x61]))),
  Case("long tag", "accept +nonminimal_head", identity("x", .raw([0xd9, 0, 42] + Item.bytes([0] + cid([])).encoded))),
  Case("half", "accept +short_float", identity("x", .raw([0xf9, 0x3e, 0]))),
  Case("single", "accept +short_float", identity("x", .raw([0xfa, 0x3f, 0xc0, 0, 0]))),
  Case("double", "accept", identity("x", .double(1.5))),
  Case(
    "keys out of order", "accept +unsorted_keys", frame(head, .rawMap(identity.reversed().map { (.text($0.0), $0.1) }))),
  Case(
    "keys out of order and long heads in a nested map", "accept +unsorted_keys +nonminimal_head",
    identity("x", .raw([0xa2, 0x61, 0x62, 0x18, 1, 0x61, 0x61, 2]))),
]

/// Fields of the small messages.
let fieldCases: [Case] =
  [
    Case("no seq", "reject missing_field", identity("seq", nil)),
    Case("seq 0", "reject bad_field", identity("seq", .int(0))),
    Case("seq 1", "accept", identity("seq", .int(1))),
    Case("seq 2^53 - 1", "accept", identity("seq", .int(1 << 53 - 1))),
    Case("seq 2^53", "reject bad_field", identity("seq", .int(1 << 53))),
    Case("seq -1", "reject bad_field", identity("seq", .int(-1))),
    Case("seq 2^64 - 1", "reject bad_field", identity("seq", .unsigned(.max))),
    Case("seq null", "reject bad_field", identity("seq", .null)),
    Case("seq as text", "reject bad_field", identity("seq", .text("1003"))),
    Case("seq as a float", "reject bad_field", identity("seq", .double(1003))),
    Case("no did", "reject missing_field", identity("did", nil)),
    Case("did null", "reject bad_field", identity("did", .null)),
    Case("did bytes", "reject bad_field", identity("did", .bytes(Array("did:plc:a".utf8)))),
    Case("no time", "reject missing_field", identity("time", nil)),
    Case("time null", "reject bad_field", identity("time", .null)),
    Case("time is a number", "reject bad_field", identity("time", .int(1))),
    Case("time is no date", "accept +bad_time", identity("time", .text("yesterday"))),
    Case("time empty", "accept +bad_time", identity("time", .text(""))),
    Case("time without zone", "accept +bad_time", identity("time", .text("2026-08-01T00:00:00"))),
    Case("time of February 30", "accept +bad_time", identity("time", .text("2026-02-30T00:00:00Z"))),
    Case("time with an offset", "accept", identity("time", .text("2026-08-01T02:00:00+02:00"))),
    Case("no handle", "accept", identity("handle", nil)),
    Case("handle null", "accept", identity("handle", .null)),
    Case("handle is a number", "reject bad_field", identity("handle", .int(1))),
    Case("no active", "reject missing_field", account("active", nil)),
    Case("active null", "reject bad_field", account("active", .null)),
    Case("active is a number", "reject bad_field", account("active", .int(1))),
    Case("status null", "accept", account("status", .null)),
    Case("status unknown", "accept", account("status", .text("resting"))),
    Case("status is a list", "reject bad_field", account("status", .array([]))),
    Case("account without seq", "reject missing_field", account("seq", nil)),
    Case("account without time", "reject missing_field", account("time", nil)),
    Case("account without did", "reject missing_field", account("did", nil)),
    Case("info", "accept", message("#info", [("name", .text("OutdatedCursor"))])),
    Case("info without name", "reject missing_field", message("#info", [("message", .text("x"))])),
    Case("info with a number for a name", "reject bad_field", message("#info", [("name", .int(1))])),
    Case(
      "info with a number for a message", "reject bad_field",
      message("#info", [("name", .text("x")), ("message", .int(1))])),
  ]
  + [
    "did:plc:", "did:", "DID:plc:a", "did:Plc:a", "did:plc:a:", "did:plc:a%", "did:plc:ä", "did:plc:a b", "plc:a", "",
    "did::a", "did:p1c:a", "did:plc:" + String(repeating: "a", count: 2041),
  ].map { Case("did \($0.prefix(40))", "reject bad_field", identity("did", .text($0))) }
  + ["did:web:example.com", "did:x:%41._:-9", "did:plc:" + String(repeating: "a", count: 2040)]
  .map { Case("did \($0.prefix(40))", "accept", identity("did", .text($0))) }
