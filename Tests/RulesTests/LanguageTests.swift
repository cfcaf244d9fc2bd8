import ATProto
import FrameKit
import Osprey
import Testing

@testable import Rules

/// What rules can ask and what they get.
struct LanguageTests {
  private func ask(_ expression: String, _ event: TestEvent = TestEvent()) throws -> String? {
    let judge = try Judge(when: "return true, { Value = \(expression) }")
    let value = judge.value(event)
    if let fault = judge.faults.first { return fault.message }
    return value
  }

  private var richPost: TestEvent {
    func feature(_ type: String, _ key: String, _ value: String) -> Item {
      .map([("$type", .text("app.bsky.richtext.facet#\(type)")), (key, .text(value))])
    }
    func facet(_ features: [Item]) -> Item {
      .map([("index", .map([("byteStart", .int(0)), ("byteEnd", .int(4))])), ("features", .array(features))])
    }
    return .post(
      "read here https://not.a.link.example",
      [
        ("langs", .array([.text("de"), .text("en")])), ("tags", .array([.text("outer")])),
        (
          "facets",
          .array([
            facet([feature("link", "uri", "https://User:x@WWW.Shop.Example:443/a?b#c")]),
            facet([feature("mention", "did", "did:plc:m1"), feature("tag", "tag", "inner")]),
            facet([feature("link", "uri", "http://shop.example./again")]),
          ])
        ),
        (
          "embed",
          .map([
            ("$type", .text("app.bsky.embed.recordWithMedia")),
            ("record", .map([("record", .map([("uri", .text("at://did:plc:q/app.bsky.feed.post/1"))]))])),
            (
              "media",
              .map([
                ("external", .map([("uri", .text("https://card.example/1"))])), ("images", .array([.int(1), .int(2)])),
              ])
            ),
          ])
        ),
        (
          "reply",
          .map([
            ("root", .map([("uri", .text("at://root"))])), ("parent", .map([("uri", .text("at://parent"))])),
          ])
        ),
      ])
  }

  @Test(arguments: [
    ("event.did", "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"), ("event.action", "operation#create"),
    ("event.id", "1573487100794241024"), ("event.seq", "7"), ("event.time", "2026-07-04T14:38:07.918Z"),
    ("event.operation", "create"), ("event.path", "app.bsky.feed.post/3l2ex6hfsom2u"), ("event.rev", "3l2ex6hfsom2u"),
    ("event.text", "hello"), ("event.is_reply", "false"), ("event.images", "0"), ("#event.links", "0"),
    ("event.record_error == nil", "true"), ("event.active == nil", "true"), ("event.handle == nil", "true"),
    ("event.record.text", "hello"), ("event.record['$type']", "app.bsky.feed.post"),
    ("event.record.embed.external.uri == nil", "true"), ("event.record.count < 3", "false"),
    ("#event.record.facets", "0"),
    ("event.record.count >= 0 or 0 <= event.record.count", "false"), ("type(event.record)", "table"),
    ("type(nil)", "nil"),
    ("tostring(event.record)", "table"), ("tostring({})", "table"),
  ])
  func `a plain event answers`(expression: String, expected: String) throws {
    #expect(try ask(expression) == expected)
  }

  @Test(arguments: [
    (
      "event.links",
      #"["https://User:x@WWW.Shop.Example:443/a?b#c","http://shop.example./again","https://card.example/1"]"#
    ),
    ("event.domains", #"["shop.example","card.example","not.a.link.example"]"#), ("event.mentions", #"["did:plc:m1"]"#),
    ("event.tags", #"["inner","outer"]"#), ("event.langs", #"["de","en"]"#), ("event.is_reply", "true"),
    ("event.reply_root", "at://root"), ("event.reply_parent", "at://parent"),
    ("event.quote", "at://did:plc:q/app.bsky.feed.post/1"), ("event.external", "https://card.example/1"),
    ("event.images", "2"), ("event.record.facets[2].features[1].did", "did:plc:m1"),
    ("event.record.facets[9].features[1].did == nil", "true"), ("event.record.facets[0] == nil", "true"),
    ("#event.record.facets", "3"), ("event.record.facets[1].index.byteEnd", "4"),
    ("table.concat(event.langs, '+')", "de+en"), ("select('#', table.unpack(event.langs))", "2"),
  ])
  func `a post with everything answers`(expression: String, expected: String) throws {
    #expect(try ask(expression, richPost) == expected)
  }

  @Test func `pairs of an empty table holds what it walks over, also when garbage is collected`() throws {
    let judge = try Judge(
      when: """
        local seen = 0
        for round = 1, 10 do
          for key in pairs({}) do seen = seen + 1 end
          local step, filler = pairs({}), {}
          for i = 1, 100 do filler[i] = { tostring(i) .. round } end
          if step() ~= nil then seen = seen + 1 end
        end
        return true, { Value = seen }
        """)
    for _ in 0..<5 { #expect(judge.value(TestEvent()) == "0", "\(judge.faults)") }
  }

  @Test func `names of counters that are put together at run time are told apart`() throws {
    let judge = try Judge(
      when: """
        local wrong = 0
        for round = 1, 3 do
          for i = 1, 100 do count("name " .. i, "key", 60):add(i) end
        end
        for i = 1, 100 do if count("name " .. i, "key", 60):get() ~= 3 * i then wrong = wrong + 1 end end
        return true, { Value = wrong }
        """)
    #expect(judge.value(TestEvent()) == "0", "\(judge.faults)")
  }

  @Test func `addresses in the text count where no facet has a link`() throws {
    let post = TestEvent.post(
      "(see https://a.example/x?y=1), HTTP://B.example! or httpx://no https:// http://ü.example")
    #expect(try ask("event.links", post) == #"["https://a.example/x?y=1","HTTP://B.example"]"#)
    #expect(try ask("event.domains", post) == #"["a.example","b.example"]"#)
  }

  @Test(arguments: [
    ("event.txt", "event has no 'txt', did you mean 'text'?"), ("event.zzzzzzzz", "event has no 'zzzzzzzz'"),
    ("event[1]", "event is indexed with a number"), ("text.folt('x')", "text has no 'folt', did you mean 'fold'?"),
    ("txet", "'txet' does not exist here, did you mean 'text'?"),
    ("string.fnd('x', 'y')", "string has no 'fnd', did you mean 'find'?"),
    ("count('a', 'b', 1):crossd(1)", "a counter has no 'crossd', did you mean 'crossed'?"),
    ("nil + 1", "attempt to perform arithmetic on a nil value"),
    ("text.fold(5, 6) .. nil", "attempt to concatenate a nil value"),
  ])
  func `a misspelt name raises and names the nearest`(expression: String, expected: String) throws {
    #expect(try ask(expression)?.hasSuffix(expected) == true)
  }

  @Test(arguments: [
    ("('abc'):sub(-2)", "bc"), ("('abc'):upper()", "ABC"), ("('a,b'):find(',')", "2"),
    ("('abc'):rep(2, '-')", "abc-abc"),
    ("('%d|%5.2f|%s|%%|%x'):format(3, 1.5, true, 255)", "3| 1.50|true|%|ff"), ("tonumber('0x10')", "16"),
    ("tonumber('z', 36)", "35"), ("tonumber('1e') == nil", "true"), ("math.floor(2.7)", "2"),
    ("math.max(1, 5, 3)", "5"),
    ("7 // 2 .. ''", "3"), ("minutes(10)", "600"), ("hours(1.5)", "5400.0"), ("days(2)", "172800"),
    ("text.len('äöü')", "3"), ("text.len(nil)", "0"), ("text.fold(nil) == nil", "true"),
    ("text.contains('The CATS are here', 'cats')", "true"), ("text.contains('concatenate', 'cat')", "false"),
    ("text.contains('ＣＡＴ!', 'cat')", "true"), ("text.contains(nil, 'cat')", "false"),
    ("select(2, pcall(error, 'x', 0))", "x"),
    (
      "(function() local s = '' for k, v in pairs({ b = 2, a = 1, 3 }) do s = s .. k .. v end return s end)()", "13a1b2"
    ),
    (
      "(function() local t = { 3, 1, 2 } table.sort(t, function(a, b) return a > b end) return table.concat(t) end)()",
      "321"
    ),
    (
      "(function() local t = {} table.insert(t, 'a') table.insert(t, 1, 'b') return table.concat(t) .. table.remove(t) end)()",
      "baa"
    ),
  ])
  func `the library answers`(expression: String, expected: String) throws {
    #expect(try ask(expression) == expected)
  }

  @Test func `pairs lists a record in its order and tables by key`() throws {
    let post = TestEvent.post("x", [("zeta", .int(1)), ("a", .int(2))])
    let listing = "(function() local s = '' for k in pairs(event.record) do s = s .. k .. ' ' end return s end)()"
    #expect(try ask(listing, post) == "a text zeta $type ")
  }

  @Test func `integers, floats, links, bytes and nulls of a record come as they are`() throws {
    let post = TestEvent.post(
      "x",
      [
        ("i", .int(-5)), ("big", .int(.max)), ("f", .double(0.5)), ("n", .null), ("b", .bool(true)),
        ("l", .link([1, 0x71, 0x12, 0x20] + [UInt8](repeating: 7, count: 32))), ("y", .bytes([1, 2, 3])),
        ("half", .raw([0xf9, 0x3c, 0x00])),
      ])
    #expect(try ask("event.record.i", post) == "-5")
    #expect(try ask("event.record.big", post) == "9223372036854775807")
    #expect(try ask("event.record.f", post) == "0.5")
    #expect(try ask("event.record.half", post) == "1.0")
    #expect(try ask("event.record.n == nil and event.record.b", post) == "true")
    #expect(try ask("#event.record.y", post) == "3")
    #expect(try ask("event.record.l:sub(1, 7)", post) == "bafyrei")
  }

  @Test func `other actions answer with what they have`() throws {
    var identity = TestEvent(name: .identity)
    identity.record = nil
    identity.handle = "alice.test"
    #expect(try ask("event.handle", identity) == "alice.test")
    #expect(
      try ask("event.collection == nil and event.record == nil and event.text == nil and not event.is_reply", identity)
        == "true")
    let account = TestEvent(name: .account, record: nil)
    #expect(try ask("event.active", account) == "true")
    var bad = TestEvent(record: nil)
    bad.recordError = .tooDeep
    #expect(try ask("event.record_error", bad) == "too_deep")
  }

  @Test func `a record with a thousand containers is walked in time`() throws {
    let facets: [Item] = (0..<200).map { index in
      .map([
        ("features", .array([.map([("$type", .text("app.bsky.richtext.facet#tag")), ("tag", .text("t\(index)"))])]))
      ])
    }
    let judge = try Judge(
      when:
        "local n = 0 for i, f in ipairs(event.record.facets) do n = n + #f.features end return true, { Value = n, Tags = #event.tags }"
    )
    let event = TestEvent.post("x", [("a", .array((0..<5000).map { .int(Int64($0)) })), ("facets", .array(facets))])
    let taken = milliseconds { _ = judge.judge(event) }
    #expect(judge.value(event) == "200", "\(judge.faults)")
    // Slow without optimisation; what counts is that it does not grow with the square of the containers.
    #expect(taken < 200 * slowness)
  }

  @Test func `returning nil means the rule does not apply`() throws {
    let judge = try Judge(when: "if event.text == 'none' then return end return event.text == 'hit'")
    #expect(judge.json(.post("none")).contains("\"Probe\":") == false)
    #expect(judge.json(.post("miss")).contains("\"Probe\":false"))
    #expect(judge.json(.post("hit")).contains("\"Probe\":true"))
    #expect(judge.host.counters.statistics(0).skips == 1)
  }

  @Test func `what a rule uses of its budget does not depend on what was judged before`() throws {
    let body =
      "local made, deep = {}, nil for n = 1, 300 do made[n] = 'a text of thirty characters ' .. n % 100 .. n end "
      + "deep = function(n) if n == 0 then return 0 end return 1 + deep(n - 1) end return deep(#event.text) > 1000 or #made < 300"
    func peak(after texts: [String]) throws -> Int {
      let judge = try Judge(when: body)
      for text in texts { #expect(judge.judge(.post(text)).errors == 0, "\(judge.faults)") }
      return judge.host.counters.statistics(0).peakInstructions
    }
    let long = String(repeating: "x", count: 150)
    let alone = try peak(after: [long])
    #expect(try alone > 2_000 && peak(after: [long, long]) == alone && peak(after: ["a", "b", long]) == alone)
  }
}
