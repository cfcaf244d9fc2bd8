import ATProto
import FrameKit
import Osprey
import Testing

@testable import Rules

/// What the rule `name` did with `event`.
private func explain(_ judge: Judge, _ event: TestEvent, _ name: String = "Probe") -> RuleExplanation {
  event.withAction { judge.host.explain($0, into: judge.verdict) }.first { $0.rule.name == name }!
}

private func reads(_ told: RuleExplanation) -> [String] { told.reads.map { "\($0.name) = \($0.value)" } }

@Suite struct ExplainTests {
  @Test func `a trace names what a rule read and what it was answered`() throws {
    let judge = try Judge(
      when: """
        local n = count("probe", event.did, minutes(10)):add(3)
        local card = event.record.embed.external.uri
        for _, lang in ipairs(event.langs) do assert(lang) end
        return text.contains(event.text, "casino") and card == nil and n == 3, { Posts = n }
        """)
    let told = explain(judge, .post("Casino night", [("langs", .array([.text("de"), .text("en")]))]))
    #expect(told.status == .hit)
    #expect(
      reads(told) == [
        "event.did = \"did:plc:aaaaaaaaaaaaaaaaaaaaaaaa\"",
        "count(\"probe\", \"did:plc:aaaaaaaaaaaaaaaaaaaaaaaa\", 600):add(3) = 3",
        "event.record.embed = nil",
        "event.langs = { \"de\", \"en\" }",
        "event.text = \"Casino night\"",
        "text.contains(\"Casino night\", \"casino\") = true",
      ])
    #expect(told.features == [NamedValue(name: "Posts", value: "3")])
    #expect(told.effects == ["verdict \"review\" on UserId did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"])
  }

  @Test func `a trace shows the shared features and the memory a rule asked for`() throws {
    let judge = try Judge([
      "features.lua": "return features { Words = function(event) return #event.text end }",
      "r.lua": ruleSource(
        "Probe", "cache.set('k', event.text, 60) return features.Words == 3 and not entity.has(event.did, 'spam')"),
    ])
    let told = explain(judge, .post("abc"))
    #expect(told.status == .hit)
    for read in [
      "cache.set(\"k\", \"abc\", 60) = nothing", "features.Words = 3",
      "entity.has(\"did:plc:aaaaaaaaaaaaaaaaaaaaaaaa\", \"spam\") = false",
    ] { #expect(reads(told).contains(read), "\(reads(told))") }
  }

  @Test func `explaining counts an event once, as judging does`() throws {
    let judge = try Judge(when: "local n = count('probe', event.did, 60):add() return n > 0, { Value = n }")
    _ = judge.judge(.post("one"))
    #expect(explain(judge, .post("two")).features.first?.value == "2")
    #expect(judge.value(.post("three")) == "3")
  }

  @Test func `every rule of the set is told of, also those that were not asked`() throws {
    let judge = try Judge([
      "a.lua": ruleSource("OnLikes", "return true", more: "collections = { 'app.bsky.feed.like' },"),
      "b.lua": ruleSource("OnIdentity", "return true", more: "actions = { 'identity' },"),
      "c.lua": ruleSource("Fails", "local x = event.text + 1 return true"),
      "d.lua": ruleSource("Passes", "return nil"),
      "e.lua": ruleSource("Misses", "return false"),
    ])
    let told = TestEvent.post("x").withAction { judge.host.explain($0) }
    #expect(told.map(\.status) == [.otherCollection, .otherAction, .failed, .notApplicable, .miss])
    #expect(told[2].error?.contains("c.lua:2: attempt to perform arithmetic") == true)
    #expect(told[0].reason.contains("app.bsky.feed.like"))
  }

  @Test func `a rule that was set aside, and one the budget did not reach, say so`() throws {
    var files = ["z.lua": ruleSource("Last", "return true"), "A.lua": ruleSource("Fails", "error('no')")]
    for name in ["B", "C", "D", "E", "F", "G"] {
      files["\(name).lua"] = ruleSource("Loop\(name)", "while true do end")
    }
    let judge = try Judge(files)
    for _ in 0..<RuleLimits.ruleFaultsMax { _ = judge.judge(.post("x")) }
    #expect(explain(judge, .post("x"), "Fails").status == .setAside)
    let fresh = try Judge(files.filter { $0.key != "A.lua" })
    #expect(explain(fresh, .post("x"), "Last").status == .outOfBudget)
  }

  @Test func `judging after explaining is traced no more and finds the same`() throws {
    let judge = try Judge(when: "return #event.links > 0, { Value = #event.text }")
    let before = judge.json(.post("https://a.example"))
    _ = explain(judge, .post("https://a.example"))
    #expect(judge.host.tracer == nil)
    #expect(judge.json(.post("https://a.example")) == before)
  }

  @Test func `a trace is bounded however much a rule reads`() throws {
    let judge = try Judge(
      when:
        "local n = 0 for i = 1, 1000 do if text.len(tostring(i) .. event.text) > 2 then n = n + 1 end end return n > 0")
    let told = explain(judge, .post(String(repeating: "x", count: 300)))
    #expect(told.status == .hit)
    #expect(told.reads.count == 200)
    #expect(told.readsLeftOut > 700)
    #expect(told.reads.allSatisfy { $0.name.utf8.count < 300 && $0.value.utf8.count < 300 })
  }

  @Test func `pcall around a failing call leaves the trace in order`() throws {
    let judge = try Judge(
      when: "pcall(text.contains, 1, nil) pcall(function() text.fold({}) end) return text.len('ab') == 2")
    let told = explain(judge, .post("x"))
    #expect(told.status == .hit)
    #expect(reads(told) == ["text.len(\"ab\") = 2"])
  }

  @Test(arguments: attacks)
  func `an attack that is explained ends too, and the rules beside it are told of`(attack: Attack) throws {
    let judge = try Judge([
      "m_bad.lua": attack.prelude + ruleSource("Bad", attack.body),
      "z_good.lua": ruleSource("Good", "return #event.text > 0"),
    ])
    let told = TestEvent().withAction { judge.host.explain($0) }
    switch attack.ending {
    case .killed, .error: #expect(told[0].status == .failed, "\(told[0])")
    case .harmless: #expect(told[0].status != .failed, "\(told[0])")
    }
    #expect(told[1].status == .hit)
    #expect(judge.judge(.post("another")).evaluated == 2)
  }
}
