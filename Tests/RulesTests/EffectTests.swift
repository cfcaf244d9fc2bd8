import ATProto
import FrameKit
import Osprey
import Testing

@testable import Rules

/// Effects: columns, entities, "not twice", quotas.
struct EffectTests {
  private let did = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
  private let hour: Int64 = 3_600_000

  private func later(_ event: TestEvent, _ ms: Int64, id: Int64 = 0) -> TestEvent {
    var event = event
    event.clockMs += ms
    event.id += id
    return event
  }

  @Test func `each kind of effect has its column`() throws {
    let judge = try Judge(
      when: "return true, { Links = 9, Other = 'did:plc:other', Site = 'a.example', Gone = event.cid and '' }",
      effects: """
        { verdict "review", label { "spam", on = "uri", expires = 5400 }, unlabel { "ok" }, tag { "seen", comment = "a|b" },
          report { "reasonSpam", comment = "{Links} links" }, escalate { on = "uri" }, acknowledge { "later" },
          comment "{Links} links of {Site}", takedown { on = { "AtUri", feature = "AtUri" }, expires = days(7) },
          list { "at://did:plc:l/app.bsky.graph.list/1", on = { "UserId", feature = "Other" } }, flag "watch",
          email { "warning", comment = "hello" }, label { "shady", on = { "Domain", feature = "Site" } },
          tag { "nobody", on = { "UserId", feature = "Site" } }, tag { "nothing", on = { "Domain", feature = "Gone" } } }
        """)
    let json = judge.json(.post("x"))
    let uri = "at://\(did)/app.bsky.feed.post/3l2ex6hfsom2u"
    for column in [
      "\"__verdicts\":[\"review\"],\"__entity_label_mutations\":[\"AtUri/spam/1\",\"UserId/ok/0\"],",
      "\"__atproto_label\":[\"\(uri)|spam||2\",\"\(did)|neg:ok||None\"],",
      "\"__atproto_tag\":[\"\(did)|seen|a/b\"],\"__atproto_report\":[\"\(did)|reasonSpam|9 links\"],",
      "\"__atproto_escalate\":[\"\(uri)||\"],\"__atproto_acknowledge\":[\"\(did)|later|\"],",
      "\"__atproto_comment\":[\"\(did)||9 links of a.example\"],\"__atproto_takedown\":[\"\(uri)||\"],",
      "\"__atproto_email\":[\"\(did)|warning|hello\"],",
      "\"__atproto_list\":[\"did:plc:other|at://did:plc:l/app.bsky.graph.list/1\"],\"__flags\":[\"watch\"],\"__ruleset\"",
      #"\"type\":\"label\",\"entity\":{\"type\":\"Domain\",\"id\":\"a.example\"},\"value\":\"shady\""#,
    ] { #expect(json.contains(column), "\(column)\n\(json)") }
    // A feature that is no account's id labels nobody, and neither does an empty one.
    #expect(!json.contains("nobody") && !json.contains("nothing"))
    #expect(judge.faults.isEmpty)
  }

  @Test(arguments: [
    ("label { 'spam', on = 'cid' }", "'on' does not say what the effect is for"),
    ("label { 'spam', on = { 'domain', feature = 'Site' } }", "'on' does not say what the effect is for"),
    ("verdict { 'x', on = 'uri' }", "verdict has no 'on'"), ("report { 'x', expires = 5 }", "report has no 'expires'"),
    ("label { 'spam', expries = 5 }", "label has no 'expries', did you mean 'expires'?"),
    ("label { 'spam', dedupe = days(31) }", "'dedupe' is not a time of up to 30 days"), ("tag {}", "tag needs a value"),
    ("comment { on = 'did' }", "comment needs a text"), ("list { 'spam' }", "list needs the AT URI of a list"),
    ("list { 'at://did:plc:l/app.bsky.graph.list/1', on = 'uri' }", "only accounts can be put on a list"),
    ("takedown 'a|b'", "takedown needs a value"), ("label 'x', label 'x'", "the same label on the same entity twice"),
  ])
  func `an effect that makes no sense is an error of the file`(effect: String, message: String) {
    let errors = loadErrors(["r.lua": ruleSource("R", "return true", effects: "{ \(effect) }")])
    #expect(errors.count == 1 && errors[0].contains(message), "\(errors)")
  }

  @Test func `a verdict needs no account, a label does`() throws {
    let judge = try Judge(when: "return true", effects: "{ verdict 'review', label 'spam' }")
    var info = TestEvent(name: .info)
    info.did = ""
    info.record = nil
    let json = judge.json(info)
    #expect(json.contains("\"__verdicts\":[\"review\"]") && !json.contains("spam"), "\(json)")
  }

  // MARK: Not twice

  @Test func `an effect is not given again within its time, and the hit stays a hit`() throws {
    let judge = try Judge(when: "return true", effects: "{ verdict 'review', label { 'spam', dedupe = hours(2) } }")
    let event = TestEvent.post("x")
    #expect(judge.json(event).contains("|spam|"))
    let again = judge.json(later(event, 2 * hour - 1, id: 1))
    #expect(
      !again.contains("spam") && again.contains("\"__verdicts\":[\"review\"]") && again.contains("\"Probe\":true"))
    #expect(judge.json(later(event, 2 * hour, id: 2)).contains("|spam|"))
    var other = later(event, 1)
    other.did = "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb"
    #expect(judge.json(other).contains("bbb|spam|"))
    // A hit all of whose effects were given before is still one to publish.
    let quiet = try Judge(when: "return true", effects: "{ label 'spam' }")
    #expect(quiet.judge(event).hits == 1)
    #expect(quiet.judge(event).hits == 1 && quiet.verdict.effects.isEmpty)
    #expect(quiet.host.counters.statistics(0).suppressed == 1)
  }

  @Test func `what an effect was for is forgotten with its event, given or not`() throws {
    let judge = try Judge(when: "return true", effects: "{ label 'spam' }")
    let event = TestEvent.post("x")
    #expect(judge.judge(event).hits == 1)
    let held = judge.host.effects.entities.count
    for _ in 0..<100 { #expect(judge.judge(event).hits == 1) }
    #expect(held > 0 && judge.host.effects.entities.count == held)
  }

  @Test func `what has expired is given again, whatever dedupe says; 0 switches it off`() throws {
    let judge = try Judge(
      when: "return true", effects: "{ label { 'spam', expires = hours(1) }, tag { 'seen', dedupe = 0 } }")
    let event = TestEvent.post("x")
    #expect(judge.json(event).contains("|spam|"))
    let between = judge.json(later(event, hour - 1))
    #expect(!between.contains("|spam|") && between.contains("|seen|"))
    #expect(judge.json(later(event, hour)).contains("|spam|"))
  }

  @Test func `a label given again after a removal passes, as does the next removal`() throws {
    let judge = try Judge([
      "a.lua": ruleSource("Give", "return event.text == 'give'", effects: "{ label 'spam' }"),
      "b.lua": ruleSource("Take", "return event.text == 'take'", effects: "{ unlabel 'spam' }"),
    ])
    let results = ["give", "give", "take", "take", "give", "give", "take", "give"].map { text in
      judge.json(.post(text)).contains("spam")
    }
    #expect(results == [true, false, true, false, true, false, true, true])
  }

  @Test func `two rules give the same label each for itself; a shadow rule hides nothing from a live one`() throws {
    let source = { (mode: String) in
      [
        "a.lua": ruleSource("A", "return true", more: "mode = '\(mode)',", effects: "{ label 'spam' }"),
        "b.lua": ruleSource("B", "return event.text == 'both'", effects: "{ label 'spam' }"),
      ]
    }
    let shadow = try Judge(source("shadow"))
    #expect(!shadow.json(.post("x")).contains("__atproto_label"))
    #expect(shadow.json(.post("both")).contains("__atproto_label"))
    // The rule is promoted: what it only noted before has not been given.
    let live = try Judge(source("live"), replacing: shadow.host)
    #expect(live.json(.post("x")).contains("__atproto_label"))
    #expect(!live.json(.post("x")).contains("__atproto_label"))
  }

  @Test func `effects given are bounded, and a flood of others makes them forgotten, not the memory grow`() throws {
    var memory = EffectMemory(givenMax: 100, marksMax: 50)
    for number in 0..<10_000 {
      let key = StateKey(high: 1, low: UInt64(number) &* 0x9e37_79b9_7f4a_7c15)
      let isNew = memory.isNew(key, clockMs: 0)
      #expect(isNew)
      memory.note(key, untilMs: 10)
      memory.mark(key, gives: true, expires: .max)
      memory.remember(Array("label\(number)".utf8))
    }
    let counts = [memory.given.count, memory.givenUntil.count, memory.marked.count, memory.marks.count]
    #expect(counts == [100, 100, 50, 50])
    let names = memory.names.count
    #expect(names == RuleLimits.labelNamesMax)
  }
}

struct QuotaTests {
  private let start: Int64 = 1_783_173_600_000  // 14:00 UTC

  private func event(_ number: Int, at clockMs: Int64) -> TestEvent {
    var event = TestEvent.post("x")
    event.did = "did:plc:\(number)"
    event.id = Int64(number + 1)
    event.clockMs = clockMs
    return event
  }

  @Test func `past its quota a rule is shadow until the hour is over, and says so`() throws {
    let judge = try Judge([
      "r.lua": ruleSource(
        "Probe", "return event.text == 'x'", more: "quota = { hour = 3, day = 5 },",
        effects: "{ label 'spam', tag 'seen' }")
    ])
    var trips: [QuotaTrip] = []
    judge.host.onQuota = { trips.append($0) }
    for number in 0..<3 { #expect(judge.judge(event(number, at: start)).hits == 1) }
    #expect(judge.judge(event(3, at: start + 1)) == JudgeResult(evaluated: 1, shadowHits: 1))
    let json = judge.json(event(4, at: start + 2))
    #expect(
      json.contains(
        "\"__mode\":\"shadow\",\"__rules_hit\":[],\"__rules_shadow\":[\"Probe\"],\"__rules_over_quota\":[\"Probe\"]"))
    #expect(!json.contains("__atproto_label") && json.contains(#"\"mode\":\"shadow\",\"type\":\"label\""#))
    #expect(!json.contains("\"Probe\":true"))
    var silent = event(5, at: start + 3)
    silent.record = .map([("text", .text("y"))])
    #expect(!judge.json(silent).contains("Probe"))
    #expect(trips == [QuotaTrip(rule: "Probe", limit: 3, period: .hour, untilMs: start + 3_600_000)])
    #expect(
      trips.map(\.description) == [
        "the rule Probe is shadow until the end of the hour: it has acted on 3 events this hour, which is the quota"
      ])
    // The next hour; two more and the day is used up.
    for number in 10..<12 { #expect(judge.judge(event(number, at: start + 3_600_000)).hits == 1) }
    #expect(judge.judge(event(12, at: start + 3_600_000)).shadowHits == 1)
    #expect(judge.judge(event(13, at: start + 9 * 3_600_000)).shadowHits == 1)
    #expect(judge.judge(event(14, at: start + 10 * 3_600_000)).hits == 1)
    #expect(trips.count == 2 && trips.last?.period == .day)
    #expect(judge.host.counters.statistics(0).quotaTrips == 2)
  }

  @Test func `what was given before does not count against a quota`() throws {
    let judge = try Judge([
      "r.lua": ruleSource("Probe", "return true", more: "quota = { hour = 1 },", effects: "{ label 'spam' }")
    ])
    for _ in 0..<5 { #expect(judge.judge(event(1, at: start)).hits == 1) }
    #expect(judge.judge(event(2, at: start)).shadowHits == 1)
  }

  @Test func `takedowns stop at two hundred a day for all rules together, until the rules are loaded again`() throws {
    let files = [
      "a.lua": ruleSource("A", "return event.seq % 2 == 0", effects: "{ takedown {} }"),
      "b.lua": ruleSource("B", "return event.seq % 2 == 1", effects: "{ takedown { on = 'uri' } }"),
    ]
    let judge = try Judge(files)
    var trips: [QuotaTrip] = []
    judge.host.onQuota = { trips.append($0) }
    func run(_ judge: Judge, _ numbers: Range<Int>, at clockMs: Int64) -> Int {
      numbers.reduce(0) { sum, number in
        var event = event(number, at: clockMs)
        event.seq = Int64(number + 1)
        return sum + judge.judge(event).hits
      }
    }
    #expect(run(judge, 0..<300, at: start) == 200)
    #expect(trips.map(\.rule) == ["B", "A"] && trips.allSatisfy { $0.kind == .takedown && $0.untilMs == nil })
    // Tomorrow they are still shadow: somebody should look.
    #expect(run(judge, 300..<310, at: start + 86_400_000) == 0)
    let next = try Judge(files, replacing: judge.host)
    #expect(run(next, 310..<320, at: start + 86_400_000) == 10)
  }

  @Test func `escalating and acknowledging share a quota, and each effect counts`() throws {
    var book = QuotaBook()
    book.arrange([1], keepsTrips: false)
    var effects = [Int64](repeating: 0, count: EffectKind.allCases.count)
    effects[Int(EffectKind.acknowledge.quotaKind.rawValue)] = 1500
    let inAll = EffectKind.allCases.map { Quota.builtIn[$0] }
    let first = book.act(0, effects: effects, clockMs: 0, own: nil, inAll: inAll)
    #expect(first == nil)
    effects[Int(EffectKind.escalate.quotaKind.rawValue)] = 501
    let second = book.act(0, effects: effects, clockMs: 1, own: nil, inAll: inAll)
    #expect(second?.kind == .escalate)
    #expect(book.isOver(0, clockMs: 86_399_999) && !book.isOver(0, clockMs: 86_400_000))
  }

  @Test(arguments: [
    ("quota = 5,", "'quota' is not a quota"), ("quota = { week = 5 },", "a number for `hour`, `day` or both"),
    ("quota = { hour = -1 },", "a number for `hour`, `day` or both"),
  ])
  func `a quota that is none is an error of the file`(more: String, message: String) {
    let errors = loadErrors(["r.lua": ruleSource("R", "return true", more: more)])
    #expect(errors.count == 1 && errors[0].contains(message), "\(errors)")
  }
}
