import ATProto
import FrameKit
import FuzzKit
import Rules

/// libFuzzer runs one input at a time on one thread.
nonisolated(unsafe) private let folder = RuleFolder()
nonisolated(unsafe) private let bench = RuleBench()

private let rich = Item.map([
  ("$type", .text("app.bsky.feed.post")), ("text", .text("Ｆree casino 😀 https://example.com/x @alice #tag")),
  ("createdAt", .text("2026-07-04T14:38:07.918Z")), ("langs", .array([.text("en")])),
  ("tags", .array([.text("news")])),
  ("embed", .map([("external", .map([("uri", .text("https://shop.example.co.uk/a"))]))])),
]).encoded

/// A post, a delete, a profile, an account, an identity: what rules are asked about.
private let frames: [[UInt8]] = [
  CommitFrame(record: rich).encoded,
  CommitFrame([Op("delete", "app.bsky.graph.follow/3l6oveex3ii2k", nil)]).encoded,
  CommitFrame([
    Op(
      "update", "app.bsky.actor.profile/self",
      Item.map([("$type", .text("app.bsky.actor.profile")), ("displayName", .text("Alice"))]).encoded)
  ]).encoded,
  message("#account", accountFields()), message("#identity", identityFields()),
]

/// Any bytes as a rule file: it is refused with a reason, or it runs within its budgets and its verdicts are JSON.
func fuzzRuleFiles(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  folder.write("rule.lua", UnsafeRawBufferPointer(start: data, count: count))
  let host: RuleHost
  do throws(RuleErrors) {
    host = try RuleHost.load(directory: folder.path)
  } catch {
    law(!"\(error)".isEmpty, "refused without a reason")
    return 0
  }
  for round in 0..<2 {
    for (index, frame) in frames.enumerated() {
      _ = bench.judge(frame, host, clockMs: 1_783_175_954_000 + Int64(round * 10 + index) * 1000)
    }
  }
  return 0
}
