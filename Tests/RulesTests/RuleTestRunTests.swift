import ATProto
import FrameKit
import Osprey
import Testing

@testable import Rules

private let linkRule = ruleSource(
  "LinkFlood",
  "local n = #event.links local posts = count('links', event.did, minutes(1)):add(n)\n"
    + "if event.langs[1] == 'xx' then return nil end return posts > 8, { LinkCount = n, LinkTotal = posts, Domains = event.domains }",
  more: "collections = { 'app.bsky.feed.post' },",
  effects: "{ verdict 'review', label { 'spam', on = 'uri', expires = hours(24), comment = '{LinkCount} links' } }")

private func run(_ cases: String, rule: String = linkRule, only: String? = nil) -> RuleTestRun {
  RuleTestRun(
    ruleFiles(["spam/link_flood.lua": rule, "spam/link_flood_test.lua": "return tests \"LinkFlood\" {\n\(cases)\n}"]),
    only: only)
}

private func failures(_ cases: String, rule: String = linkRule) -> [String] {
  let tests = run(cases, rule: rule)
  return tests.problems.map { "\($0.line): \($0.what)" } + tests.results.flatMap(\.failures)
}

/// What the probe `body` returns as the feature `Value` for the event of a test.
private func probe(_ event: String, _ body: String) -> String {
  let tests = RuleTestRun(
    ruleFiles([
      "p.lua": ruleSource("Probe", "return true, { Value = \(body) }"),
      "p_test.lua": "return tests 'Probe' { case 'x' { \(event), features = { Value = '?' } } }",
    ]))
  let text = tests.problems.first?.what ?? tests.results.first?.failures.first ?? "passed"
  return text.split(separator: "got: ").last.map(String.init) ?? text
}

@Suite struct RuleTestRunTests {
  @Test func `a case passes that says what the rule does`() {
    #expect(
      failures(
        """
        case "nine links" {
          post { text = "a", links = { "https://a.example", "https://b.example/x", "https://c.example/1", "https://d.example",
            "https://e.example", "https://f.example", "https://g.example", "https://h.example", "https://i.example" } },
          hits = true, features = { LinkCount = 9 },
          effects = { verdict = "review", label = "spam" } },
        case "in the words of a rule" {
          every(seconds(2), 10, post { links = "https://a.example" }),
          hits = { "LinkFlood" }, effects = { label { "spam", on = "uri", expires = hours(24), comment = "1 links" } } },
        case "two links" { post { links = { "https://a.example", "https://b.example" } }, silent = "LinkFlood", effects = {} },
        """) == [])
  }

  @Test func `what verdicts leave out can be expected`() {
    func failures(_ value: Int) -> [String] {
      let run = RuleTestRun(
        ruleFiles([
          "features.lua": "return features { _Words = function(event) return #event.tokens end }",
          "p.lua": ruleSource("Probe", "return features._Words > 1, { _Twice = features._Words * 2 }"),
          "p_test.lua":
            "return tests 'Probe' { case 'x' { post { text = 'two words' }, hits = true, features = { _Words = \(value), _Twice = 4 } } }",
        ]))
      return run.problems.map(\.what) + run.results.flatMap(\.failures)
    }
    #expect(failures(2) == [])
    #expect(failures(3) == ["expected the feature _Words = 3, got: 2"])
  }

  @Test func `a private feature that no verdict could say is in tests what it is in a run`() throws {
    let files = [
      "features.lua":
        "return features { _Ratio = function(event) return #event.links / #event.tags end,\n"
        + "_Odd = function(event) return event.text == 'a' and 'text' or 1 end }",
      "p.lua": ruleSource("Probe", "return features._Ratio > 0.5 or features._Odd == 1"),
    ]
    let judge = try Judge(files)
    #expect(judge.judge(.post("a")).hits == 0 && judge.judge(.post("b")).hits == 1 && judge.faults.isEmpty)
    let cases =
      "return tests 'Probe' { case 'a' { post { text = 'a' }, silent = true, features = { _Odd = 'text' } },\n"
      + "case 'b' { post { text = 'b' }, hits = true, features = { _Odd = 1 } } }"
    let run = RuleTestRun(ruleFiles(files.merging(["p_test.lua": cases]) { $1 }))
    #expect(run.problems.map(\.what) + run.results.flatMap(\.failures) == [])
  }

  @Test func `each case begins with empty counters, and time passes between its events`() {
    let nine = "every(seconds(1), 8, post { links = { 'https://a.example' } })"
    #expect(failures("case 'a' { \(nine), silent = true }, case 'b' { \(nine), silent = true }") == [])
    #expect(failures("case 'a' { sequence { \(nine), post { links = { 'https://a.example' } } }, hits = true }") == [])
    #expect(
      failures(
        "case 'a' { sequence { \(nine), at(minutes(3), post { links = { 'https://a.example' } }) }, silent = true }")
        == [])
    #expect(
      failures(
        "case 'a' { sequence { every(seconds(1), 9, post { did = 'user{n}', links = 'https://a.example' }) }, silent = true }"
      )
        == [])
    #expect(
      failures(
        "case 'a' { sequence { at(0, post { links = 'https://a.example' }, { silent = true, features = { LinkTotal = 1 } }),\n"
          + "at(5, post { links = 'https://a.example' }, { features = { LinkTotal = 3 } }) }, silent = true }")
        == ["expected the feature LinkTotal = 3, got: 2"])
  }

  @Test func `failures name what was expected and what came`() {
    let tests = run(
      """
      case "two" { post { text = "look", links = { "https://a.example", "https://b.example" } }, hits = true,
        features = { LinkCount = 3, Missing = "x", Domains = { "a.example" } }, effects = { label = "spam" } },
      case "other collection" { follow "bob", hits = true },
      case "does not apply" { post { langs = { "xx" } }, hits = true },
      """)
    #expect(
      tests.results[0].failures == [
        "expected LinkFlood to hit, got: no hit\n  Domains = { \"a.example\", \"b.example\" }\n  LinkCount = 2\n  LinkTotal = 2",
        "expected the feature Domains = { \"a.example\" }, got: { \"a.example\", \"b.example\" }",
        "expected the feature LinkCount = 3, got: 2",
        "expected the feature Missing = \"x\", got: none of that name",
        "expected the effect label \"spam\", got: none",
      ])
    #expect(tests.results[0].event.contains("text = \"look\""))
    #expect(tests.results[0].line == 2)
    #expect(tests.results[1].failures[0].contains("not asked: its collections are app.bsky.feed.post"))
    #expect(tests.results[2].failures[0].contains("`when` returned nil"))
    #expect(tests.results[0].explanations.first?.reads.contains { $0.name == "event.links" } == true)
    #expect(!tests.hasPassed && tests.failureCount == 3)
  }

  @Test func `a rule that fails makes its case fail and leaves the next one alone`() {
    let rule = ruleSource("LinkFlood", "if event.is_reply then error('no') end return event.text == 'x'")
    let tests = run("case 'a' { reply 'x', silent = true }, case 'b' { post 'x', hits = true }", rule: rule)
    #expect(tests.results[0].failures[0].contains("spam/link_flood.lua:2: no"))
    #expect(tests.results[1].failures == [])
  }

  @Test func `misspelt words, keys and rules are errors with a place`() {
    #expect(
      failures("case 'a' { psot { text = 'x' }, hits = true }")[0]
        == "2: 'psot' does not exist here, did you mean 'post'?")
    #expect(failures("case 'a' { post { txt = 'x' }, hits = true }")[0] == "2: post has no 'txt', did you mean 'text'?")
    #expect(failures("case 'a' { post 'x', hit = true }")[0].contains("case has no 'hit', did you mean 'hits'?"))
    #expect(failures("case 'a' { post 'x', hits = 'LinkFlod' }")[0].contains("did you mean 'LinkFlood'?"))
    #expect(failures("case 'a' { post 'x' }")[0].contains("expects nothing"))
    #expect(failures("case 'a' { hits = true }")[0].contains("has no event"))
    #expect(
      failures("case 'a' { post { text = print } , hits = true }")[0].contains("'print' is not in the rule language"))
    #expect(failures("while true do end")[0].contains("unexpected symbol") || failures("while true do end").count == 1)
    #expect(run("case 'a' { post 'x', silent = true }", only: "Nothing").problems.count == 1)
  }

  @Test func `short fields become a record that the decoder's reader understands`() {
    #expect(
      probe(
        "post { text = 'see a.example @bob #x', links = 'https://z.example', domains = 'a.example', mentions = 'bob', tags = 'x' }",
        "event.links[1] .. event.domains[2] .. event.mentions[1] .. event.tags[1]")
        == "\"https://z.examplea.exampledid:plc:bobaaaaaaaaaaaaaaaaaaaaax\"")
    #expect(
      probe(
        "post { text = 'ü a.example', domains = 'a.example' }",
        "event.record.facets[1].index.byteStart .. '-' .. event.record.facets[1].index.byteEnd") == "\"3-12\"")
    #expect(
      probe(
        "post { text = '', quote = 'at://q', images = { 'a cat' }, external = 'https://e.example', langs = { 'de' } }",
        "event.quote .. event.images .. event.langs[1]") == "\"at://q1de\"")
    #expect(
      probe(
        "post { external = { uri = 'https://e.example', title = 'T' } }",
        "event.external .. event.record.embed.external.title") == "\"https://e.exampleT\"")
    #expect(
      probe("reply { text = 'x', to = 'at://p', root = 'at://r' }", "event.reply_parent .. event.reply_root")
        == "\"at://pat://r\"")
    #expect(
      probe("follow 'bob'", "event.collection .. event.record.subject")
        == "\"app.bsky.graph.followdid:plc:bobaaaaaaaaaaaaaaaaaaaaa\"")
    #expect(
      probe(
        "update(profile { display_name = 'N', avatar = true })",
        "event.action .. event.rkey .. event.display_name .. event.record.avatar.mimeType")
        == "\"operation#updateselfNimage/jpeg\"")
    #expect(
      probe("delete(post 'x')", "event.action .. tostring(event.record) .. event.collection")
        == "\"operation#deletenilapp.bsky.feed.post\"")
    #expect(
      probe("list { name = 'L', purpose = 'modlist' }", "event.record.name .. event.record.purpose")
        == "\"Lapp.bsky.graph.defs#modlist\"")
    #expect(probe("listitem { subject = 'bob', list = 'at://l' }", "event.record.list") == "\"at://l\"")
    #expect(probe("identity 'alice.example'", "event.action .. event.handle") == "\"identityalice.example\"")
    #expect(probe("account { status = 'takendown' }", "event.status .. tostring(event.active)") == "\"takendownfalse\"")
    #expect(probe("like 'at://x'", "event.record.subject.uri") == "\"at://x\"")
    #expect(
      probe("record { collection = 'app.bsky.feed.post', error = 'too_deep' }", "event.record_error") == "\"too_deep\"")
    #expect(
      probe(
        "record { ['$type'] = 'a.b.c', n = 1.5, deep = { { on = true } }, ref = link 'bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku' }",
        "event.collection .. event.record.n .. tostring(event.record.deep[1].on) .. event.record.ref")
        == "\"a.b.c1.5truebafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku\"")
    #expect(
      probe(
        "post { text = 'x', with = { labels = { a = 1 } }, created_at = '2020-01-01T00:00:00Z' }",
        "event.record.createdAt .. event.record.labels.a") == "\"2020-01-01T00:00:00Z1\"")
  }

  @Test func `a case says what is known about accounts`() {
    let rule = ruleSource(
      "LinkFlood", "return young(event, days(7)), { Handle2 = event.handle, Fans = event.followers }")
    #expect(
      failures(
        """
        case "young" { post 'x', account = { age = days(6), handle = "a.example", followers = 3 }, hits = true,
          features = { Handle2 = "a.example", Fans = 3 } },
        case "old" { post 'x', account = { age = days(8) }, silent = true },
        case "unknown" { post 'x', silent = true },
        case "by name" { sequence { post { did = 'old' }, post { did = 'alice' } }, hits = true,
          account = { age = days(30) }, accounts = { alice = { age = hours(1) } } },
        """, rule: rule) == [])
    #expect(failures("case 'a' { post 'x', account = { aeg = 1 }, hits = true }")[0].contains("did you mean 'age'?"))
  }

  @Test func `an event of a test has all a real one has`() throws {
    let event = try EventSketch(.map([("$make", .text("post")), ("text", .text("hi"))]))
    event.withAction(number: 3, clockMs: TestFile.defaultStartMs) { action in
      #expect(Syntax.isDID(action.did) && Syntax.isNSID(action.collection) && Syntax.isRecordKey(action.rkey))
      #expect(action.time.string == "2026-07-04T12:00:00.000Z")
      #expect(Syntax.tid(action.rkey) != nil && Syntax.tid(action.rev) != nil)
      #expect(action.cid.string.hasPrefix("bafyrei") && action.cid.count == CID.blessedTextCount)
      #expect(action.uri.string == "at://\(action.did.string)/app.bsky.feed.post/\(action.rkey.string)")
      let view = RecordView()
      view.reset(action.record)
      guard case .text(let text) = view.get(view.root, "createdAt") else { return #expect(Bool(false)) }
      #expect(text == action.time)
    }
  }

  @Test func `it says which rules no test makes fire or stay silent`() {
    let tests = RuleTestRun(
      ruleFiles([
        "a.lua": linkRule, "b.lua": ruleSource("Other", "return true"), "c.lua": ruleSource("Third", "return false"),
        "x_test.lua": "return { tests 'Other' { case 'a' { post 'x', hits = true, silent = 'Third' } } }",
      ]))
    #expect(tests.problems == [])
    #expect(tests.neverFired == ["LinkFlood", "Third"])
    #expect(tests.neverSilent == ["LinkFlood", "Other"])
  }

  @Test func `JUnit has every case and the text of each failure`() {
    let xml = run("case 'a <b>' { post 'x', hits = true }, case 'c' { post 'x', silent = true }").junit
    #expect(
      xml.hasPrefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"2\" failures=\"1\" errors=\"0\""))
    #expect(xml.contains("classname=\"LinkFlood\" name=\"a &lt;b&gt;\" file=\"spam/link_flood_test.lua\" line=\"2\""))
    #expect(xml.contains("<failure message=\"expected LinkFlood to hit, got: no hit"))
    #expect(run("case 'a' { post 'x', hit = true }").junit.contains("<error message=\"case has no &apos;hit") == false)
    #expect(run("case 'a' { post 'x', hit = true }").junit.contains("errors=\"2\""))
  }

  @Test func `tests cannot leave the sandbox`() {
    for attack in [
      "case 'a' { post(string.rep('x', 1e9)), hits = true }",
      "case 'a' { post { text = 'x', with = setmetatable({}, {}) }, hits = true }",
      "case 'a' { every(1, 1e9, post 'x'), hits = true }",
      "case 'a' { sequence { every(1, 9999, post 'x'), every(1, 9999, post 'x') }, hits = true }",
      "(function() while true do end end)()", "(function() local t = {} t.t = t return t end)()",
      "(function() local t = {} for i = 1, 100 do t = { t } end return case 'a' { post { with = t }, hits = true } end)()",
    ] {
      #expect(!run(attack).problems.isEmpty, "\(attack)")
    }
  }
}
