import ATProto
import Foundation
import Osprey
import Testing

/// The bytes of verdicts (CONTRACT.md, "Verdicts topic").
struct VerdictTests {
  private let writer = VerdictWriter(rulesetHash: "sha256:feed", mode: .live)
  private let out = ByteWriter()

  private func withAction<Result>(_ body: (Action) -> Result) -> Result {
    var action = Action(
      name: .operationCreate, id: 1_573_487_100_794_241_024, sequence: 7, did: Bytes("did:plc:abc"),
      time: Bytes("2026-07-04T14:38:07.918Z"), clockMs: 1_783_175_887_918, receivedAtMicros: 1_783_175_888_123_456)
    action.collection = Bytes("app.bsky.feed.post")
    action.rkey = Bytes("3lxyz")
    action.uri = Bytes("at://did:plc:abc/app.bsky.feed.post/3lxyz")
    action.cid = Bytes("bafyreicid")
    return body(action)
  }

  private func addLabel(
    _ verdict: Verdict, rule: StaticString = "LinkFlood", shadow: Bool = false, value: StaticString = "spam",
    expires: Int64? = 86_400, comment: StaticString = "Nine links in one post"
  ) {
    verdict.addEffect(
      rule: Bytes(rule), ruleHash: Bytes("c0de"), isShadow: shadow, type: .label, entityType: Bytes("UserId"),
      entity: Bytes("did:plc:abc"), value: Bytes(value), expiresSeconds: expires, comment: Bytes(comment),
      actionID: 1_573_487_100_794_241_024, clockMs: 1_783_175_887_918)
  }

  private func addVerdict(_ verdict: Verdict, _ value: StaticString, rule: StaticString = "LinkFlood") {
    verdict.addEffect(
      rule: Bytes(rule), ruleHash: Bytes("c0de"), isShadow: false, type: .verdict, entityType: Bytes("UserId"),
      entity: Bytes("did:plc:abc"), value: Bytes(value), expiresSeconds: nil, comment: .empty,
      actionID: 1_573_487_100_794_241_024, clockMs: 1_783_175_887_918)
  }

  private func write(_ verdict: Verdict, _ writer: VerdictWriter? = nil, bytesMax: Int = 1_000_000) -> String {
    withAction { action in
      (writer ?? self.writer).write(verdict, on: action, into: out, bytesMax: bytesMax)
      return out.bytes.string
    }
  }

  @Test func `a verdict with everything is written byte for byte`() throws {
    let verdict = Verdict()
    verdict.evaluationMicros = 41
    verdict.addRule(name: Bytes("LinkFlood"), outcome: .hit, isShadow: false)
    verdict.addRule(name: Bytes("Quiet"), outcome: .miss, isShadow: false)
    verdict.addRule(name: Bytes("NotForThis"), outcome: .notApplicable, isShadow: false)
    verdict.addRule(name: Bytes("Watching"), outcome: .hit, isShadow: true)
    verdict.addRule(name: Bytes("Asleep"), outcome: .miss, isShadow: true)
    verdict.addFeature(Bytes("PostText"), Bytes("a \"quoted\" <text>"))
    verdict.addFeature(Bytes("LinkCount"), Int64(9))
    verdict.addFeature(Bytes("Share"), 0.5)
    verdict.addFeature(Bytes("Whole"), 5.0)
    verdict.addFeature(Bytes("IsNew"), true)
    verdict.addListFeature(Bytes("Hosts"))
    verdict.addItem(Bytes("a.example"))
    verdict.addItem(Bytes("b.example"))
    addVerdict(verdict, "review")
    addLabel(verdict)
    addLabel(verdict, rule: "Watching", shadow: true, value: "odd", expires: nil, comment: "")
    let expected =
      #"{"__action_id":1573487100794241024,"__timestamp":"2026-07-04T14:38:08.123456+00:00","__error_count":0,"#
      + #""__verdicts":["review"],"__entity_label_mutations":["UserId/spam/1"],"#
      + #""__atproto_label":["did:plc:abc|spam|Nine links in one post|24"],"#
      + #""__ruleset":"sha256:feed","__mode":"live","__rules_hit":["LinkFlood"],"__rules_shadow":["Watching"],"__eval_us":41,"#
      + #""__effects":"[{\"id\":\"ID0\",\"rule\":\"LinkFlood\",\"rule_hash\":\"c0de\",\"mode\":\"live\",\"type\":\"verdict\","#
      + #"\"entity\":{\"type\":\"UserId\",\"id\":\"did:plc:abc\"},\"value\":\"review\"},"#
      + #"{\"id\":\"ID1\",\"rule\":\"LinkFlood\",\"rule_hash\":\"c0de\",\"mode\":\"live\",\"type\":\"label\","#
      + #"\"entity\":{\"type\":\"UserId\",\"id\":\"did:plc:abc\"},\"value\":\"spam\",\"expires_at\":\"2026-07-05T14:38:07.918Z\","#
      + #"\"comment\":\"Nine links in one post\"},"#
      + #"{\"id\":\"ID2\",\"rule\":\"Watching\",\"rule_hash\":\"c0de\",\"mode\":\"shadow\",\"type\":\"label\","#
      + #"\"entity\":{\"type\":\"UserId\",\"id\":\"did:plc:abc\"},\"value\":\"odd\"}]","#
      + #""ActionName":"operation#create","UserId":"did:plc:abc","Collection":"app.bsky.feed.post","OperationKind":"create","#
      + #""AtUri":"at://did:plc:abc/app.bsky.feed.post/3lxyz","RecordKey":"3lxyz","Cid":"bafyreicid","#
      + #""PostText":"a \"quoted\" <text>","LinkCount":9,"Share":0.5,"Whole":5.0,"IsNew":true,"Hosts":["a.example","b.example"],"#
      + #""LinkFlood":true,"Quiet":false}"#
    func id(_ rule: String, _ type: String, _ value: String) -> String {
      let text = ["1573487100794241024", rule, type, "UserId", "did:plc:abc", value].joined(separator: "\0")
      return withBytes(Array(text.utf8)) { SHA256Digest.of($0) }.prefix(16).map { String(format: "%02x", $0) }.joined()
    }
    let filled = expected.replacingOccurrences(of: "ID0", with: id("LinkFlood", "verdict", "review"))
      .replacingOccurrences(of: "ID1", with: id("LinkFlood", "label", "spam"))
      .replacingOccurrences(of: "ID2", with: id("Watching", "label", "odd"))
    #expect(write(verdict) == filled)
    #expect((try? JSONSerialization.jsonObject(with: Data(filled.utf8))) is [String: Any])
    // The writer's and the verdict's buffers are used again.
    #expect(write(verdict) == filled)
  }

  @Test func `a verdict nobody hit has no column of effects`() {
    let verdict = Verdict()
    verdict.addRule(name: Bytes("Quiet"), outcome: .miss, isShadow: false)
    verdict.addRule(name: Bytes("Broken"), outcome: .failed, isShadow: false)
    verdict.errorCount = 1
    #expect(
      write(verdict).hasPrefix(
        #"{"__action_id":1573487100794241024,"__timestamp":"2026-07-04T14:38:08.123456+00:00","__error_count":1,"__ruleset":"#
          + #""sha256:feed","__mode":"live","__rules_hit":[],"__rules_shadow":[],"__eval_us":0,"ActionName":"#))
    #expect(write(verdict).hasSuffix(#""Cid":"bafyreicid","Quiet":false}"#))
  }

  @Test func `the mode says when only shadow rules hit, and a dry run says so always`() {
    let verdict = Verdict()
    verdict.addRule(name: Bytes("Watching"), outcome: .hit, isShadow: true)
    addLabel(verdict, rule: "Watching", shadow: true)
    let text = write(verdict)
    #expect(text.contains(#""__mode":"shadow""#))
    #expect(!text.contains("__atproto_label") && !text.contains("__entity_label") && text.contains("__effects"))
    #expect(write(verdict, VerdictWriter(rulesetHash: "x", mode: .dryRun)).contains(#""__mode":"dry_run""#))
    verdict.addRule(name: Bytes("Live"), outcome: .hit, isShadow: false)
    #expect(write(verdict).contains(#""__mode":"live""#))
  }

  @Test func `bars in parts become slashes, hours are rounded up, no expiry is None`() {
    let verdict = Verdict()
    verdict.addRule(name: Bytes("LinkFlood"), outcome: .hit, isShadow: false)
    addLabel(verdict, value: "a", expires: 3601, comment: "one|two|three")
    addLabel(verdict, value: "b", expires: nil, comment: "")
    addLabel(verdict, value: "c", expires: 1, comment: "\u{0}")
    #expect(
      write(verdict).contains(
        #""__atproto_label":["did:plc:abc|a|one/two/three|2","did:plc:abc|b||None","did:plc:abc|c| |1"]"#))
  }

  @Test func `equal effects of one rule are one, equal columns of two rules are one`() {
    let verdict = Verdict()
    verdict.addRule(name: Bytes("LinkFlood"), outcome: .hit, isShadow: false)
    addLabel(verdict)
    addLabel(verdict)
    #expect(verdict.effects.count == 1)
    addLabel(verdict, rule: "Other")
    addVerdict(verdict, "review")
    addVerdict(verdict, "review", rule: "Other")
    #expect(verdict.effects.count == 4)
    let text = write(verdict)
    #expect(
      text.contains(
        #""__verdicts":["review"],"__entity_label_mutations":["UserId/spam/1"],"__atproto_label":["did:plc:abc|spam|Nine links in one post|24"],"#
      ))
  }

  @Test func `a verdict over the limit loses its longest features first and says so`() {
    let verdict = Verdict()
    verdict.addRule(name: Bytes("LinkFlood"), outcome: .hit, isShadow: false)
    withBytes(Array(repeating: UInt8(ascii: "x"), count: 5000)) { verdict.addFeature(Bytes("Long"), $0) }
    withBytes(Array(repeating: UInt8(ascii: "y"), count: 3000)) { verdict.addFeature(Bytes("Middle"), $0) }
    verdict.addFeature(Bytes("Short"), Bytes("z"))
    let text = write(verdict, bytesMax: 4000)
    #expect(text.utf8.count <= 4000)
    #expect(!text.contains("\"Long\"") && text.contains("\"Middle\"") && text.contains("\"Short\""))
    #expect(text.contains(#","__truncated":true,"ActionName":"#))
    #expect((try? JSONSerialization.jsonObject(with: Data(text.utf8))) is [String: Any])
  }

  @Test func `text that is not UTF-8 leaves valid JSON`() throws {
    let verdict = Verdict()
    withBytes([0x61, 0xff, 0x0a, 0x22, 0xc3]) { verdict.addFeature(Bytes("PostText"), $0) }
    let object = try JSONSerialization.jsonObject(with: Data(write(verdict).utf8)) as? [String: Any]
    #expect(object?["PostText"] as? String == "a\u{fffd}\n\"\u{fffd}")
  }

  @Test(arguments: [
    (0, "1970-01-01T00:00:00.000000"), (951_782_400_000_000, "2000-02-29T00:00:00.000000"),
    (1_783_175_888_123_456, "2026-07-04T14:38:08.123456"), (-1, "1969-12-31T23:59:59.999999"),
    (4_107_542_399_999_999, "2100-02-28T23:59:59.999999"), (4_107_542_400_000_000, "2100-03-01T00:00:00.000000"),
    (Int64.max, "9999-12-31T23:59:59.999999"),
  ])
  func `times are printed in UTC`(micros: Int64, expected: String) {
    let text = withAction { action in
      var action = action
      action.receivedAtMicros = micros
      writer.write(Verdict(), on: action, into: out)
      return out.bytes.string
    }
    #expect(text.contains("\"__timestamp\":\"\(expected)+00:00\""))
  }
}
