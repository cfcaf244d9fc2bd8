import ATProto
import FrameKit
import Foundation
import Osprey
import Testing

@testable import Rules

/// `--directory FILE`.
struct DirectoryTests {
  private let did = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"

  private func load(_ text: String) throws -> AccountDirectory { try load(Array(text.utf8)) }

  private func load(_ bytes: [UInt8]) throws -> AccountDirectory {
    let path = NSTemporaryDirectory() + "directory-\(UUID().uuidString).jsonl"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try AccountDirectory.load(path)
  }

  private func errors(_ text: String) -> [String] { errors(Array(text.utf8)) }

  private func errors(_ bytes: [UInt8]) -> [String] {
    do {
      _ = try load(bytes)
      return []
    } catch let error as DirectoryError {
      return zip(error.lines, error.whats).map { "\($0): \($1)" }
    } catch {
      return ["\(error)"]
    }
  }

  private func judge(_ when: String, _ text: String) throws -> Judge {
    let host = try RuleHost.load(
      ruleFiles(["r.lua": ruleSource("Probe", when)]), options: RuleOptions(directory: try load(text)))
    return Judge(host: host)
  }

  @Test func `rules and verdicts know what the directory knows`() throws {
    let line =
      #"{"did":"\#(did)","handle":"amara.example","created_at":"2026-07-01T14:38:07.918Z","pds":"https://PDS.example:443/x","#
      + #""followers":3,"follows":9,"posts":null,"profile":{"displayName":"Amara \ud83d\ude00","labels":[1,0.5,true,null],"deep":{"a":{"b":"c"}}},"unknown":[{"x":1}]}"#
    let judge = try judge(
      "return true, { Value = event.handle .. event.account_age .. event.pds_host .. event.followers .. event.follows .. tostring(event.posts) "
        + ".. event.profile.displayName .. event.profile.deep.a.b .. #event.profile.labels .. tostring(event.profile.labels[2]) "
        + ".. tostring(event.profile.nothing.at.all) .. event.text .. tostring(young(event, days(4))) .. tostring(young(event, days(3))) }",
      line + "\r\n\n" + #"{"did":"did:plc:other"}"#)
    let json = judge.json(.post("x"))
    #expect(
      json.contains(
        "\"UserId\":\"\(did)\",\"Handle\":\"amara.example\",\"PdsHost\":\"pds.example\",\"AccountCreatedAt\":\"2026-07-01T14:38:07.918Z\",\"AccountAgeSeconds\":259200,\"Collection\""
      ), "\(json)")
    #expect(
      judge.value(.post("x")) == "amara.example259200pds.example39nilAmara 😀c40.5nilxtruefalse", "\(judge.faults)")
  }

  @Test func `what is not known is nil, and an identity event's own handle comes first`() throws {
    let judge = try judge(
      "return true, { Value = tostring(event.handle) .. tostring(event.account_age) .. tostring(event.followers) .. tostring(event.profile) .. tostring(young(event, days(7))) }",
      #"{"did":"\#(did)","handle":"old.example"}"#)
    var event = TestEvent(name: .identity)
    event.record = nil
    event.handle = "new.example"
    #expect(judge.value(event) == "new.examplenilnilnilfalse")
    #expect(judge.json(event).contains("\"Handle\":\"new.example\",\"Value\"") == true)
    event.handle = ""
    #expect(judge.value(event) == "old.examplenilnilnilfalse")
    event.did = "did:plc:stranger"
    #expect(judge.value(event) == "nilnilnilnilfalse")
    let without = try Judge(when: "return event.account_age == nil and event.profile.x == nil")
    #expect(without.judge(TestEvent()).hits == 1)
    #expect(!without.json(TestEvent()).contains("AccountAgeSeconds"))
  }

  @Test func `an account from the future is new, and the last line about an account stands`() throws {
    let judge = try judge(
      "return true, { Value = event.account_age .. '/' .. event.followers }",
      #"{"did":"\#(did)","created_at":"2020-01-01T00:00:00Z","followers":1}"# + "\n"
        + #"{"did":"\#(did)","created_at":"2030-01-01T00:00:00Z","followers":99999999999}"#)
    #expect(judge.value(TestEvent()) == "0/4294967294")
  }

  @Test(arguments: [
    ("x", "1: '{' is missing at byte 1"), ("{}\n{\"did\":\"a\"}", "1: there is no \"did\" that is a DID"),
    ("{\"did\":\"did:plc:a\"} x", "1: something follows the object at byte 21"),
    ("\n\n{\"did\":\"did:plc:a\",\"followers\":-1}", "3: \"followers\" is not a whole number from 0 on"),
    ("{\"did\":\"did:plc:a\",\"followers\":1.5}", "1: \"followers\" is not a whole number"),
    ("{\"did\":\"did:plc:a\",\"posts\":99999999999999999999}", "1: \"posts\" is not a whole number"),
    ("{\"did\":\"did:plc:a\",\"posts\":}", "1: \"posts\" is not a whole number"),
    ("{\"did\":\"did:plc:a\",\"handle\":5}", "1: '\"' is missing at byte 29"),
    ("{\"did\":\"did:plc:a\",\"created_at\":\"yesterday\"}", "1: \"created_at\" is not a time"),
    ("{\"did\":\"did:plc:a\",\"profile\":\"x\"}", "1: \"profile\" is not an object"),
    ("{\"did\":\"did:plc:a\",\"x\":[[[[[[[[[1]]]]]]]]]}", "1: it is nested deeper than 8"),
    ("{\"did\":\"did:plc:a\",\"x\":\"\\q\"}", "1: a text has an escape"),
    ("{\"did\":\"did:plc:a", "1: a text does not end"),
    ("{\"did\":\"did:plc:a\",}", "1: '\"' is missing"),
    ("{\"did\":\"did:plc:a\",\"x\":+1}", "1: a value is missing or is none"),
    ("{\"did\":\"did:plc:a\",\"x\":\"\u{1}\"}", "1: a text has a control character"),
  ])
  func `a line that is wrong is named with its number`(text: String, message: String) {
    #expect(errors(text).first?.hasPrefix(message) == true, "\(errors(text))")
  }

  @Test func `lines too long, texts that are not UTF-8 and endless errors stay bounded`() throws {
    let good = #"{"did":"did:plc:a"}"#
    let long = "{\"did\":\"" + String(repeating: "x", count: 3 << 20) + "\"}"
    #expect(errors([good, long, good].joined(separator: "\n")) == ["2: the line is longer than 262144 bytes"])
    #expect(errors(good + "\n" + long).count == 1)
    #expect(errors(Array("{\"did\":\"did:plc:".utf8) + [0xff, 0x22, 0x7d]).first?.contains("not UTF-8") == true)
    #expect(errors(String(repeating: "x\n", count: 5000)).count == RuleLimits.directoryErrorsMax)
    let profile = "{\"did\":\"did:plc:a\",\"profile\":{\"x\":\"" + String(repeating: "y", count: 40_000) + "\"}}"
    #expect(errors(profile).first?.contains("\"profile\" is longer than 32768 bytes") == true)
    #expect(throws: DirectoryError.self) { try AccountDirectory.load("/nowhere/at/all") }
  }

  @Test func `a hundred thousand accounts are found again and take less than a hundred bytes each`() throws {
    var text = ""
    for number in 0..<100_000 {
      text +=
        #"{"did":"did:plc:\#(number)","handle":"user\#(number).example","created_at":"2024-01-01T00:00:00Z","pds":"pds\#(number % 50).example","followers":\#(number)}"#
        + "\n"
    }
    let directory = try load(text)
    #expect(directory.count == 100_000)
    for number in stride(from: 0, to: 100_000, by: 997) {
      let account = withBytes(Array("did:plc:\(number)".utf8)) { directory.account($0) }
      #expect(account?.followers == Int64(number) && account?.handle.string == "user\(number).example")
      #expect(account?.pdsHost.string == "pds\(number % 50).example" && account?.profile.isEmpty == true)
    }
    #expect(withBytes(Array("did:plc:x".utf8)) { directory.account($0) } == nil)
    #expect(directory.memoryBytes < 100_000 * 100, "\(directory.memoryBytes)")
  }

  @Test func `how many faults set a rule aside can be said`() throws {
    let host = try RuleHost.load(
      ruleFiles(["r.lua": ruleSource("Probe", "error('x')")]), options: RuleOptions(faultsMax: 3))
    let judge = Judge(host: host)
    let evaluated = (0..<5).map { _ in judge.judge(TestEvent()).evaluated }
    #expect(evaluated == [1, 1, 1, 0, 0])
  }
}
