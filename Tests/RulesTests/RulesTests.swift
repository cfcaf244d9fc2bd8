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

struct DeterminismTests {
  /// The same few thousand events, made of a small generator; every rule uses some state or some order.
  private func verdicts() throws -> [String] {
    let judge = try Judge([
      "a.lua": ruleSource(
        "Order",
        "local t = {} for i = 1, 20 do t['k' .. i * 37 % 20] = i end local s = '' for k, v in pairs(t) do s = s .. k .. v end return true, { Listing = s, Zeta = 1, Alpha = 2.5, Mid = event.tags }"
      ),
      "b.lua": ruleSource(
        "Count",
        "return count('c', event.text, minutes(1)):add() > 3, { SameText = count('c', event.text, minutes(1)):get() }"),
      "c.lua": ruleSource(
        "Distinct", "local d = distinct('d', event.text, minutes(1)) d:add(event.did) return d:crossed(4)",
        effects: "{ label { 'x', on = 'uri', expires = 60 } }"),
      "d.lua": ruleSource(
        "Failing",
        "if event.seq % 7 == 0 then error('seven') end while event.seq % 11 == 0 do end return event.seq % 3 == 0"),
    ])
    var seed: UInt64 = 42
    return (0..<1500).map { number in
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      var event = TestEvent.post("text \(seed >> 60)", [("tags", .array([.text("t\(seed >> 61)"), .text("u")]))])
      event.did = "did:plc:\(seed >> 58 & 15)"
      event.seq = Int64(number + 1)
      event.id = Int64(number + 1)
      event.clockMs += Int64(number) * 400
      return judge.json(event)
    }
  }

  @Test func `the same events give the same verdicts byte for byte, from a new Lua state each time`() throws {
    let first = try verdicts()
    #expect(try verdicts() == first)
    #expect(first.contains { $0.contains("\"__error_count\":1") })
    for rule in ["Order", "Count", "Distinct", "Failing"] {
      #expect(first.contains { $0.contains("\"\(rule)\":true") }, "\(rule)")
    }
    #expect(Set(first).count == first.count)
  }

  @Test func `a feature keeps its type, a second rule's value of the same name is left out`() throws {
    let judge = try Judge([
      "a.lua": ruleSource(
        "A", "if event.text == 'odd' then return true, { Value = 'text' } end return true, { Value = 1 }"),
      "b.lua": ruleSource("B", "return true, { Value = 2, Other = event.text == 'half' and 0.5 or 3 }"),
    ])
    #expect(judge.value(.post("x")) == "1")
    #expect(judge.faults.isEmpty)
    #expect(judge.value(.post("odd")) == "2")
    #expect(judge.faults.map(\.message) == ["a.lua:1: the feature 'Value' was a whole number before and is text now"])
    _ = judge.value(.post("half"))
    #expect(judge.faults.last?.message.contains("'Other' was a whole number before and is not one now") == true)
  }

  @Test func `a feature may not have the name of a rule`() throws {
    let judge = try Judge(when: "return true, { Probe = 1 }")
    #expect(judge.judge(TestEvent()).errors == 1)
    #expect(judge.faults.first?.message.contains("'Probe' is the name of a rule") == true)
  }

  @Test func `every action can be written, also those no rule looked at`() throws {
    let judge = try Judge(when: "return event.text == 'x'")
    for name in ActionName.allCases {
      let json = judge.json(TestEvent(name: name), fillsAlways: true)
      #expect(json.contains("\"ActionName\":\"\(name.text)\""))
    }
    var like = TestEvent()
    like.collection = "app.bsky.feed.like"
    let silent = try Judge(["a.lua": ruleSource("A", "return true", more: "collections = { 'app.bsky.feed.post' },")])
    #expect(silent.judge(TestEvent()).hits == 1)
    #expect(silent.json(like, fillsAlways: true).contains("\"__rules_hit\":[],\"__rules_shadow\":[],"))
  }

  @Test func `counters can be read from another thread while the judge writes`() async throws {
    let judge = try Judge(when: "return #event.text > 0")
    let counters = judge.host.counters
    let reader = Task.detached {
      var last = 0
      while last < 200 { last = max(last, counters.statistics(0).evaluations) }
      return last
    }
    for _ in 0..<200 { _ = judge.judge(TestEvent()) }
    #expect(await reader.value == 200)
    let statistics = counters.statistics(0)
    #expect(statistics.hits == 200 && statistics.histogram.reduce(0, +) == 200 && statistics.nanoseconds > 0)
  }
}
