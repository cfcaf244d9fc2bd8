import ATProto
import FrameKit
import Osprey
import Testing

@testable import Rules

struct RuleTests {
  @Test func `a rule that hits gives a verdict with its name, its features and its effects`() throws {
    let judge = try Judge([
      "spam/links.lua": ruleSource(
        "LinkFlood", "return #event.links > 1, { LinkCount = #event.links }",
        more: "collections = { \"app.bsky.feed.post\" },",
        effects:
          "{ verdict \"review\", label { \"spam\", on = \"did\", expires = hours(24), comment = \"{LinkCount} links\" } }"
      )
    ])
    let json = judge.json(.post("see https://a.example/x and https://b.example/y."))
    #expect(json.contains("\"__rules_hit\":[\"LinkFlood\"]"))
    #expect(json.contains("\"__atproto_label\":[\"did:plc:aaaaaaaaaaaaaaaaaaaaaaaa|spam|2 links|24\"]"))
    #expect(json.contains("\"LinkCount\":2,\"LinkFlood\":true"))
    #expect(judge.judge(.post("nothing")) == JudgeResult(evaluated: 1))
  }

  @Test func `an event no rule applies to never enters Lua`() throws {
    let judge = try Judge(["a.lua": ruleSource("A", "return true", more: "collections = { \"app.bsky.graph.*\" },")])
    #expect(judge.judge(.post("x")) == JudgeResult())
    var follow = TestEvent()
    follow.collection = "app.bsky.graph.follow"
    #expect(judge.judge(follow).hits == 1)
    #expect(judge.host.counters.statistics(0).evaluations == 1)
  }
}
