import Testing

@testable import Rules

/// What `rules check` says of these files, `severity file:line: what`.
private func check(_ files: [String: String]) -> [String] {
  RuleCheck(ruleFiles(files)).problems.map { "\($0.severity) \($0.file):\($0.line): \($0.what)" }
}

/// The same for one rule with this `when`.
private func check(when body: String, before: String = "") -> [String] {
  check(["r.lua": "\(before)\n" + ruleSource("Probe", body)])
}

@Suite struct CheckTests {
  @Test func `a set without faults has no problems`() {
    #expect(check(when: "local n = #event.links return n > 8, { LinkCount = n }") == [])
  }

  @Test func `misspelt names are found in code that a load does not run`() {
    #expect(
      check(when: "local a = text.flod(event.txt)\nif a then return cuont('x', event.did, 60):ad() end\nx = 1 return a")
        == [
          "error r.lua:3: event has no 'txt', did you mean 'text'?",
          "error r.lua:3: text has no 'flod', did you mean 'fold'?",
          "error r.lua:4: 'cuont' does not exist here, did you mean 'count'?",
          "error r.lua:5: 'x' would be a global: write `local x`",
        ])
    #expect(
      check(when: "return count('x', event.did, 60):ad() > 3") == [
        "error r.lua:3: a counter has no 'ad', did you mean 'add'?"
      ])
    #expect(check(when: "return string.match(event.text, 'x')")[0].contains("'match' is not in the rule language"))
  }

  @Test func `a misspelt local variable is taken for a global and names the nearest local`() {
    #expect(
      check(when: "local links = #event.links return linkz > 3")
        == ["error r.lua:3: 'linkz' does not exist here, did you mean 'links'?"])
  }

  @Test func `the event is followed into functions inside and helpers beside the rule`() {
    #expect(
      check(
        when: "local function many() return #event.liks > 3 end return many() or young(event)",
        before: "local function young(event) return event.acton == 'x' end") == [
          "error r.lua:1: event has no 'acton', did you mean 'action'?",
          "error r.lua:3: event has no 'liks', did you mean 'links'?",
        ])
    #expect(check(when: "event = event.record return event.anything") == [])
    #expect(
      check(["r.lua": "return rule { name = 'Probe', about = 'A.', when = function(e) return e.txt == 'a' end }"]).count
        == 1)
  }

  @Test func `a counter kept in a local is known across branches`() {
    #expect(
      check(when: "local c = count('x', event.did, 60)\nif event.is_reply then return nil end\nreturn c:crosed(3)") == [
        "error r.lua:5: a counter has no 'crosed', did you mean 'crossed'?"
      ])
    #expect(
      check(when: "local c = count('x', event.did, 60) if event.is_reply then c = { ad = 1 } end return c.ad == 1")
        == [])
  }

  @Test func `lists and patterns are tried where a load does not come by`() {
    let problems = check([
      "lists/words.txt": "casino\n",
      "r.lua": "local words = list 'words'\n" + ruleSource("Probe", "return words:any_wrod(event.text)"),
      "s.lua": ruleSource("Other", "return list('wrods'):contains(event.did)"),
      "t.lua": ruleSource("Third", "return re('a(b'):match(event.text)"),
    ])
    #expect(problems.count == 5, "\(problems)")
    #expect(problems.first == "error r.lua:3: a list has no 'any_wrod', did you mean 'any_word'?")
    #expect(problems.dropFirst().first == "error s.lua:2: 'list' belongs outside of `when`")
    #expect(problems.contains { $0.hasPrefix("error s.lua:2: there is no list 'wrods'") })
    #expect(problems.contains { $0.hasPrefix("error t.lua:2: the pattern 'a(b' is wrong") })
    #expect(
      check(when: "local function mark() verdict 'x' end return mark()") == [
        "error r.lua:3: 'verdict' belongs outside of `when`"
      ])
  }

  @Test func `a list or pattern that is wrong does not hide what else is wrong in its file`() {
    let problems = check([
      "lib/words.lua": "return { bad = list 'slurz', good = 1 }",
      "r.lua": "local words = list 'nothing'\nlocal open = re'(a'\n" + ruleSource("lower", "return words ~= open"),
      "s.lua": "local words = list 'nothing'\nlocal hit = words:contains('x')\n" + ruleSource("Asks", "return hit"),
      "t.lua": "local words = use 'lib/words'\n" + ruleSource("Fine", "return words.good == 2"),
    ])
    for wanted in [
      "error lib/words.lua:1: there is no list 'slurz'", "error r.lua:1: there is no list 'nothing'",
      "error r.lua:2: the pattern '(a' is wrong", "'lower' is not PascalCase",
      "error s.lua:1: there is no list 'nothing'", "error s.lua:2: this list does not exist",
    ] {
      #expect(problems.contains { $0.contains(wanted) }, "\(wanted) is not in \(problems)")
    }
  }

  @Test func `a feature with the name of a rule or of a default feature is named before any test runs`() {
    #expect(
      check([
        "a.lua": ruleSource("First", "return true, { Second = 1, First = 'x', UserId = event.did, Own = 2 }"),
        "b.lua": ruleSource("Second", "return true"),
        "c.lua": ruleSource("Third", "return features.Shared == 1"),
        "features.lua": "return features { Shared = function(event) return 1 end }",
      ]) == [
        "error a.lua:2: 'UserId' is the name of a feature every verdict has",
        "error a.lua:2: the feature 'First' has the name of a rule, a.lua:1: that is a column already",
        "error a.lua:2: the feature 'Second' has the name of a rule, b.lua:1: that is a column already",
      ])
    #expect(
      check([
        "b.lua": ruleSource("Second", "return true"),
        "features.lua": "return features { Second = function(event) return 1 end }",
      ]).first?.contains("'Second' is taken by a feature of features.lua") == true)
  }

  @Test func `features that stay out of the verdict are features to the check`() {
    #expect(
      check([
        "a.lua": ruleSource(
          "First", "return features._Core == 1, { _Own = 1 }",
          effects: "{ label { 'spam', comment = '{_Own} {_Core}' } }"),
        "features.lua": "return features { _Core = function() return 1 end }",
      ]) == [])
    #expect(check(when: "return true, { _own = 1 }") == ["error r.lua:3: the feature '_own' is not PascalCase"])
  }

  @Test func `a name that does not exist does not hide what else is wrong in its file`() {
    let problems = check([
      "r.lua": """
      local week, decode = dais(7), require("json").decode
      local known = decode("[]")
      return {
        rule { name = "First", about = "A.", when = function(event) return event.txt == "a" and young(event, week) end,
          effects = { lable { "spam", on = "nobody" }, verdikt "review", deplatform { "now" }, tag "x" } },
        rule { name = "second", about = "B.", when = function(event) return true end },
      }
      """
    ])
    #expect(
      problems == [
        "error r.lua:1: 'dais' does not exist here, did you mean 'days'?",
        "error r.lua:1: 'require' is not in the rule language: "
          + "use \"lib/names\" gives what lib/names.lua returns",
        "error r.lua:4: 'on' does not say what the effect is for",
        "error r.lua:4: event has no 'txt', did you mean 'text'?",
        "error r.lua:5: 'deplatform' does not exist here",
        "error r.lua:5: 'lable' does not exist here, did you mean 'label'?",
        "error r.lua:5: 'verdikt' does not exist here, did you mean 'verdict'?",
        "error r.lua:6: 'second' is not PascalCase",
      ])
  }

  @Test(arguments: ["for k, v in next, {} do local x = k end", "for _, w in ipairs(wrods_abc) do local x = w end"])
  func `a loop over what does not exist ends`(loop: String) {
    let problems = check(["r.lua": loop + "\n" + ruleSource("lower", "return true")])
    #expect(problems.count == 2, "\(problems)")
    #expect(problems.last == "error r.lua:2: 'lower' is not PascalCase")
  }

  @Test func `a name that does not exist is told of so many times and not for ever`() {
    let loop = "for n = 1, 1000000 do local x = nothing_like_it end\n"
    let problems = check(["r.lua": loop + ruleSource("lower", "return true")])
    #expect(problems == ["error r.lua:1: 'nothing_like_it' does not exist here"])
  }

  @Test func `one run tells of every file`() {
    let problems = check([
      "a.lua": "return rule {", "b.lua": ruleSource("lower", "return true"),
      "c.lua": "local x = texx.fold('a')\n" + ruleSource("Third", "return true"),
      "d.lua": ruleSource("Fine", "return event.txt == 'a'"),
      "e.lua": ruleSource("Fine", "return true", more: "colections = {},"),
    ])
    #expect(problems.count == 6, "\(problems)")
    #expect(
      problems.map { $0.prefix { $0 != ":" } } == [
        "error a.lua", "error b.lua", "error c.lua", "error d.lua", "error e.lua", "error e.lua",
      ])
  }

  @Test func `rules that can never fire are named`() {
    #expect(
      check(when: "if event.is_reply then return false end\nreturn nil").first?.contains("Probe can never fire") == true
    )
    #expect(check(when: "local n = #event.links").first?.contains("can never fire") == true)
    #expect(check(when: "if event.is_reply then return true end return false") == [])
    #expect(check(when: "return event.text == 'x' and 3 > 2") == [])
    #expect(
      check([
        "r.lua": ruleSource(
          "Probe", "return true", more: "actions = { 'identity' }, collections = { 'app.bsky.feed.*' },")
      ])
      .first?.contains("its actions have none") == true)
    #expect(
      check(["r.lua": ruleSource("Probe", "return true", more: "actions = {},")]).first?.contains("`actions` is empty")
        == true)
  }

  @Test func `a feature of two types, and a comment of a feature nobody returns`() {
    #expect(
      check([
        "a.lua": ruleSource("First", "return true, { Links = #event.links, Site = event.external }"),
        "b.lua": ruleSource("Second", "return true, { Links = 'many' }"),
      ]) == ["error b.lua:2: the feature 'Links' is text here and a whole number in a.lua:2"])
    #expect(
      check([
        "a.lua": ruleSource(
          "First", "return true, { LinkCount = #event.links }",
          effects: "{ label { 'spam', comment = '{LinkCuont} of {UserId} on {LinkCount}' } }")
      ]) == ["warning a.lua:1: a comment of First names the feature 'LinkCuont', which nothing returns"])
  }

  @Test func `files nobody uses are named`() {
    let problems = check([
      "r.lua": ruleSource("Probe", "return true"), "lists/words.txt": "casino\n", "lib/names.lua": "return {}",
    ])
    #expect(problems.contains("warning lists/words.txt:1: no rule uses this list"))
    #expect(problems.contains("warning lib/names.lua:1: no file uses this one"))
  }

  @Test func `five hundred rules are checked within a second`() {
    var files: [String: String] = [:]
    for index in 0..<500 {
      files["r\(index).lua"] = ruleSource(
        "Rule\(index)",
        "local n = #event.links local c = count('x\(index)', event.did, minutes(10)):add()\n"
          + "if text.contains(event.text, 'casino') and c > 3 then return true, { Links\(index) = n } end return n > 8")
    }
    let files500 = ruleFiles(files)
    var problems = 0
    let time = milliseconds { problems = RuleCheck(files500).problems.count }
    #expect(problems == 0)
    #expect(time < 5000 * slowness, "\(time) ms of a debug build")
    print("500 rules checked in \(time) ms")
  }

  @Test func `the report is JSON`() {
    let json = RuleCheck(ruleFiles(["r.lua": ruleSource("Probe", "return event.txt == \"a\"")])).json
    #expect(
      json
        == "{\"problems\":[{\"severity\":\"error\",\"file\":\"r.lua\",\"line\":2,\"what\":\"event has no 'txt', did you mean "
        + "'text'?\",\"try\":\"\"}],\"rules\":1,\"files\":1,\"errors\":1,\"warnings\":0}")
  }
}
