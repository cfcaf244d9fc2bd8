import FrameKit
import Osprey
import Testing

@testable import Rules

/// lib/, labels.lua, quotas.lua, features.lua and local/.
struct FilesTests {
  @Test func `use gives what a file of lib returns, run once and frozen`() throws {
    let judge = try Judge([
      "lib/words.lua": "local bad = { casino = true } return { bad = bad, count = function(t) return #t end }",
      "lib/deep/twice.lua": "local words = use 'lib/words' return function(t) return words.count(t) * 2 end",
      "a.lua": "local words, twice = use 'lib/words', use 'lib/deep/twice'\n"
        + ruleSource("A", "return words.bad[event.text], { Value = twice(event.text) }"),
      "b.lua": "local words = use 'lib/words'\n" + ruleSource("B", "words.bad.x = true"),
    ])
    #expect(judge.value(.post("casino")) == "12")
    #expect(judge.faults.map(\.rule) == ["B"] && judge.faults[0].message.contains("cannot be changed"))
  }

  @Test(arguments: [
    ("use 'lib/nmaes'", "r.lua:1: there is no 'lib/nmaes', did you mean 'lib/names'?"),
    ("use 'other'", "r.lua:1: there is no 'other'; shared functions stand in lib/"), ("use(5)", "there is no '5'"),
    ("use 'lib/a'", "lib/b.lua:1: files use each other in a circle: 'lib/a' is not done yet"),
    ("use 'lib/self'", "lib/self.lua:1: files use each other in a circle"),
    ("use 'lib/broken'", "lib/broken.lua:2: "), ("use 'lib/empty'", "lib/empty.lua:1: the file returns nothing to use"),
    ("use 'lib/keeper'", "lib/keeper.lua:2: an inner function assigns a variable of an outer one"),
    ("local ok = pcall(use, 'lib/a') use 'lib/nmaes'", "did you mean 'lib/names'?"),
    ("use 'lib/endless'", "lib/endless.lua:1: used up its instructions"),
  ])
  func `use that goes wrong is an error with its place`(line: String, message: String) {
    let errors = loadErrors([
      "lib/names.lua": "return {}", "lib/a.lua": "return use 'lib/b'", "lib/b.lua": "return use 'lib/a'",
      "lib/self.lua": "return { use 'lib/self' }", "lib/broken.lua": "\nretrun {}", "lib/empty.lua": "local x = 1",
      "lib/keeper.lua": "local n = 0\nreturn function() n = n + 1 end", "lib/endless.lua": "while true do end",
      "r.lua": line + "\n" + ruleSource("R", "return true"),
    ])
    #expect(errors.contains { $0.contains(message) }, "\(errors)")
    // Each is said once, however many files stumble over it.
    #expect(Set(errors).count == errors.count)
  }

  @Test func `files that use each other too deep are an error, and use has no place in when`() throws {
    var files = ["r.lua": ruleSource("R", "use 'lib/l0'")]
    for depth in 0..<20 { files["lib/l\(depth).lua"] = "return { use 'lib/l\(depth + 1)' }" }
    files["lib/l20.lua"] = "return {}"
    #expect(loadErrors(files).contains { $0.contains("more than 16 deep") })
    let judge = try Judge(["lib/a.lua": "return {}", "r.lua": ruleSource("R", "use 'lib/a'")])
    _ = judge.judge(TestEvent())
    #expect(judge.faults.first?.message.contains("use belongs outside of `when`") == true)
  }

  // MARK: labels.lua

  @Test(arguments: [
    ("label 'spma'", "r.lua:1: there is no label 'spma' in labels.lua, did you mean 'spam'?\n  try: label \"spam\""),
    ("label { 'spam', on = 'uri' }", "the label 'spam' is not for uri, says labels.lua"),
    ("unlabel 'unheard-of'", "there is no label 'unheard-of' in labels.lua\n"),
    ("label { 'spam', on = { 'Domain', feature = 'Site' } }", "is not for Domain"),
  ])
  func `a label that does not exist, or not for this, is an error`(effect: String, message: String) {
    let errors = loadErrors([
      "labels.lua": "return labels { spam = { on = {'did'}, about = 'x' }, shady = { on = {'Domain'} } }",
      "r.lua": ruleSource("R", "return true", effects: "{ \(effect) }"),
    ])
    #expect(errors.count == 1 && errors[0].contains(message), "\(errors)")
  }

  @Test func `without labels.lua any label goes, with it those in it`() throws {
    let rule = ruleSource(
      "R", "return true, { Site = 'x' }",
      effects:
        "{ label { 'shady', on = { 'Domain', feature = 'Site' } }, label { 'spam', on = { 'UserId', feature = 'Site' } } }"
    )
    #expect(loadErrors(["r.lua": rule]).isEmpty)
    let host = try loadRules([
      "labels.lua": "return labels { spam = { on = {'did'}, about = 'Adverts.' }, shady = { on = {'Domain'} } }",
      "r.lua": rule,
    ])
    #expect(host.labels?.map(\.name) == ["shady", "spam"] && host.labels?.last?.about == "Adverts.")
  }

  @Test(arguments: [
    ("labels.lua", "return {}", "does not say `return labels { … }`"),
    ("labels.lua", "return quotas {}", "returns something else than its name says"),
    ("labels.lua", "return labels { 'spam' }", "a label looks like this"),
    ("labels.lua", "return labels { spam = { on = {'cid'} } }", "the label 'spam' cannot be for 'cid'"),
    ("labels.lua", "return labels { spam = { about = 'x' } }", "does not say what it is for"),
    ("quotas.lua", "return quotas { takedwon = { day = 5 } }", "did you mean 'takedown'?"),
    ("quotas.lua", "return quotas { acknowledge = { day = 5 } }", "it counts as 'escalate'"),
    ("quotas.lua", "return quotas { report = 5 }", "'report' is not a quota"),
    ("features.lua", "return features { word_count = function() end }", "the feature 'word_count' is not PascalCase"),
    ("features.lua", "return features { UserId = function() end }", "a feature every verdict has"),
    ("features.lua", "return features { Words = 5 }", "a feature looks like this"),
    ("features.lua", "return features { R = function() end }", "'R' is taken by a feature"),
    ("x.lua", "return features { Words = function() end }", "features { … } belongs in features.lua"),
    ("x.lua", "return { labels {} }", "labels { … } belongs in labels.lua"),
  ])
  func `a file with a fixed name says what belongs there`(path: String, source: String, message: String) {
    let errors = loadErrors([path: source, "r.lua": ruleSource("R", "return true")])
    #expect(errors.contains { $0.contains(message) }, "\(errors)")
  }

  @Test func `quotas lua replaces what is built in`() throws {
    let judge = try Judge([
      "quotas.lua": "return quotas { takedown = { day = 2 }, label = { hour = 3 } }",
      "r.lua": ruleSource("R", "return true", effects: "{ takedown {} }"),
    ])
    #expect(judge.host.quotas == [.takedown: Quota(day: 2), .label: Quota(hour: 3)])
    let hits = (0..<4).map { number in
      var event = TestEvent.post("x")
      event.did = "did:plc:\(number)"
      return judge.judge(event).hits
    }
    #expect(hits == [1, 1, 0, 0])
  }

  // MARK: local/

  @Test func `a rule in local takes the place of the one with its name`() throws {
    let judge = try Judge([
      "local/a.lua": ruleSource("A", "return true, { Value = 'local' }"),
      "spam/a.lua": ruleSource("A", "return true, { Value = 'theirs' }"),
      "spam/b.lua": ruleSource("B", "return false"),
    ])
    #expect(judge.value(TestEvent()) == "local")
    #expect(judge.host.rules.map(\.file) == ["spam/b.lua", "local/a.lua"])
    #expect(judge.host.overridden.map(\.file) == ["spam/a.lua"])
    let twice = ["local/a.lua": ruleSource("A", "return true"), "local/b.lua": ruleSource("A", "return true")]
    #expect(loadErrors(twice).contains { $0.contains("the name 'A' is taken by local/a.lua:1") })
  }
}

/// features.lua: once per event, shared.
struct SharedFeatureTests {
  private func judge(_ features: String, _ bodies: String...) throws -> Judge {
    var files = ["features.lua": "return features { \(features) }"]
    for (index, body) in bodies.enumerated() { files["r\(index).lua"] = ruleSource("R\(index)", body) }
    return try Judge(files)
  }

  @Test func `a feature is worked out once per event, when it is first asked for, and stands in the verdict`() throws {
    let judge = try judge(
      "Calls = function(event) return count('calls', event.did, hours(1)):add() end, Never = function() error('asked') end",
      "return features.Calls > 0, { Own = features.Calls }", "return features.Calls > 0, { Other = features.Calls }")
    #expect(judge.json(TestEvent()).contains("\"Calls\":1,\"Own\":1,\"Other\":1,"))
    #expect(judge.json(TestEvent()).contains("\"Calls\":2,\"Own\":2,\"Other\":2,"))
    #expect(judge.faults.isEmpty)
  }

  @Test
  func
    `a feature whose name begins with an underscore serves rules, comments and effects and stays out of the verdict`()
    throws
  {
    let judge = try Judge([
      "features.lua":
        "return features { _Core = function(event) return text.fold(event.text) end, Calls = function(event) return #features._Core end }",
      "r.lua": ruleSource(
        "R", "return features._Core == 'secret', { _Site = 'a.example', Own = features.Calls }",
        effects: "{ label { 'spam', on = { 'Domain', feature = '_Site' }, comment = '{_Core} of {_Site}' } }"),
    ])
    let json = judge.json(.post("SECRET"))
    #expect(json.contains("\"Calls\":6,\"Own\":6,\"R\":true"), "\(json)")
    #expect(json.contains("a.example") && json.contains("secret of a.example"), "\(json)")
    #expect(!json.contains("\"_Core\":") && !json.contains("\"_Site\":"), "\(json)")
    #expect(judge.faults.isEmpty)
  }

  @Test(arguments: ["_core", "__Core", "_", "_Core_"])
  func `an underscore stands before a PascalCase name only`(name: String) {
    let errors = loadErrors([
      "features.lua": "return features { \(name) = function() return 1 end }", "r.lua": ruleSource("R", "return true"),
    ])
    #expect(errors.count == 1 && errors[0].contains("the feature '\(name)' is not PascalCase"), "\(errors)")
  }

  @Test func `features may ask each other, be nil, a list or a list of the event`() throws {
    let judge = try judge(
      "Words = function(event) return { 'a', event.text } end, Tags = function(event) return event.tags end, "
        + "Nothing = function() end, Sum = function(event) return #features.Words + #features.Tags end",
      "return true, { Value = features.Sum .. tostring(features.Nothing) .. features.Words[2] .. features.Tags[1] }",
      "features.Words[1] = 'changed'", "return true, { Own = features.Words }")
    let json = judge.json(.post("x", [("tags", .array([.text("t")]))]))
    #expect(json.contains("\"Value\":\"3nilxt\"") && json.contains("\"Own\":[\"a\",\"x\"]"), "\(json)")
    #expect(
      json.contains("\"Words\":[\"a\",\"x\"],\"Tags\":[\"t\"],\"Sum\":3,") && !json.contains("Nothing"), "\(json)")
    #expect(judge.faults.map(\.rule) == ["R1"])
  }

  @Test(arguments: [
    ("Bad = function(event) return event.txt end", "features.lua:1: event has no 'txt', did you mean 'text'?"),
    ("Bad = function() return features.Bad end", "features.lua:1: the feature 'Bad' asks for itself"),
    (
      "Bad = function() return features.Other end, Other = function() return features.Bad end",
      "features.lua:1: the feature 'Bad' asks for itself"
    ),
    ("Bad = function() return function() end end", "the feature 'Bad' must be text, a number"),
    ("Bad = function() return { 1 } end", "the feature 'Bad' is a list, but not of texts"),
    ("Bad = function(event) return event.record end", "must be text, a number, a boolean or a list of texts"),
    ("Bad = function() return 0/0 end", "the feature 'Bad' is not a finite number"),
    ("Bad = function() error({}) end", "the feature 'Bad' failed"),
    ("Bda = function() return 1 end", "features has no 'Bad', did you mean 'Bda'?"),
    (
      "Bad = function() local t = {} for i = 1, 101 do t[i] = 'x' end return t end",
      "the feature 'Bad' has more than 100 texts"
    ),
  ])
  func `a feature that fails makes each rule that asks fail, and no other`(features: String, message: String) throws {
    let judge = try judge(
      features, "return features.Bad", "local ok = pcall(function() return features.Bad end) return ok",
      "return features.Bad",
      "return true")
    for _ in 0..<2 {
      judge.faults = []
      var event = TestEvent()
      event.clockMs += 10_000
      #expect(judge.judge(event).errors == 2)
      #expect(judge.verdict.rules.filter { $0.outcome == .hit }.count == 1)
    }
    #expect(judge.host.counters.statistics(0).errors == 2)
    let fresh = try self.judge(features, "return features.Bad")
    _ = fresh.judge(TestEvent())
    #expect(fresh.faults.first?.message.contains(message) == true, "\(fresh.faults)")
  }

  @Test func `a feature keeps its type from event to event`() throws {
    let judge = try judge(
      "Value = function(event) if event.text == 'odd' then return 'text' end return 1 end", "return features.Value == 1"
    )
    #expect(judge.judge(.post("x")).hits == 1)
    #expect(judge.judge(.post("odd")).errors == 1)
    #expect(
      judge.faults.first?.message.contains("the feature 'Value' was a whole number before and is text now") == true)
  }

  @Test func `a feature ended by one rule's budget is worked out for the next`() throws {
    let judge = try judge(
      "Inner = function() local n = 0 for i = 1, 20000 do n = n + 1 end return n end, Outer = function() return features.Inner end",
      "for i = 1, 185000 do end return features.Outer > 0", "return features.Outer > 0", "return features.Outer > 0")
    for _ in 0..<3 {
      let result = judge.judge(TestEvent())
      #expect(result.errors == 1 && result.hits == 2)
    }
    #expect(judge.faults.allSatisfy { $0.isKill })
  }

  @Test func `a long chain of features ends in a value or an error, never worse; there are at most 255`() throws {
    let chain = { (length: Int) in
      (0..<length).map { "F\($0) = function() return (features.F\($0 + 1) or 0) + 1 end" }.joined(separator: ", ")
        + ", F\(length) = function() return 0 end"
    }
    let short = try judge(chain(40), "return true, { Value = features.F0 }", "return true")
    #expect(short.value(TestEvent()) == "40", "\(short.faults)")
    let long = try judge(chain(254), "return features.F0 > 0", "return features.F254 == 0")
    for _ in 0..<3 { #expect(long.judge(TestEvent()).errors == 1 && long.judge(TestEvent()).hits == 1) }
    #expect(long.faults.first?.message.contains("stack overflow") == true, "\(long.faults)")
    #expect(
      loadErrors(["features.lua": "return features { \(chain(255)) }"]).contains {
        $0.contains("more than 255 features")
      })
  }

  @Test func `features cannot be asked for while files load, nor be written`() {
    #expect(
      loadErrors(["r.lua": "local x = features.Words\n" + ruleSource("R", "return true")]).contains {
        $0.contains("inside `when` only")
      })
    #expect(
      loadErrors(["r.lua": "features.Words = 1\n" + ruleSource("R", "return true")]).contains {
        $0.contains("made in features.lua")
      })
  }
}

/// cache and entity.
struct MemoryTests {
  private let hour: Int64 = 3_600_000

  @Test func `the cache keeps texts, numbers and booleans until they are over`() throws {
    let judge = try Judge(
      when: """
        if event.text == 'set' then
          cache.set('t', 'words', hours(1)) cache.set('i', 7, hours(1)) cache.set('d', 0.5, hours(2))
          cache.set('b', false, hours(1)) cache.set('e', '', hours(1)) cache.set(nil, 1, 1)
        end
        if event.text == 'clear' then cache.set('d', nil) end
        return true, { Value = tostring(cache.get('t')) .. tostring(cache.get('i')) .. tostring(cache.get('d'))
          .. tostring(cache.get('b')) .. tostring(cache.get('e')) .. tostring(cache.get(nil)) }
        """)
    var event = TestEvent.post("ask")
    #expect(judge.value(event) == "nilnilnilnilnilnil")
    #expect(judge.value(.post("set")) == "words70.5falsenil")
    event.clockMs += hour - 1
    #expect(judge.value(event) == "words70.5falsenil")
    event.clockMs += 1
    #expect(judge.value(event) == "nilnil0.5nilnilnil")
    #expect(judge.value(.post("clear"))?.contains("0.5") == false)
  }

  @Test(arguments: [
    ("cache.set('k', {}, 5)", "text, a number or a boolean"),
    ("cache.set('k', event, 5)", "text, a number or a boolean"),
    ("cache.set('k', ('x'):rep(513), 5)", "a text of at most 512 bytes"), ("cache.set('k', 1)", "number expected"),
    ("cache.set('k', 1, 0)", "from 1 second to 30 days"), ("cache.set('k', 1, 0/0)", "from 1 second to 30 days"),
    ("cache.get(('x'):rep(5000))", "at most 4096 bytes"), ("entity.has(event.did)", "string expected"),
    ("cache.gte('k')", "cache has no 'gte', did you mean 'get'?"), ("young(event.record, 5)", "the event, as in young"),
    ("while true do cache.set('k' .. count('n', 'k', 60):add(), ('x'):rep(500), 60) end", "used up its"),
    ("while true do entity.labels(('x'):rep(1000)) end", "used up its"),
    ("entity.labels(('x'):rep(1025))", "at most 1024 bytes"),
    ("while true do features = cache.get('k') end", "would be a global"),
  ])
  func `misuse of the cache ends with its reason`(body: String, message: String) throws {
    let judge = try Judge(when: body)
    #expect(judge.judge(TestEvent()).errors == 1)
    #expect(judge.faults.first?.message.contains(message) == true, "\(judge.faults)")
  }

  @Test func `the cache is bounded: keys not used for longest go first`() {
    var cache = CacheTable(entriesMax: 100)
    let text = Array(repeating: UInt8(ascii: "x"), count: 500)
    for number in 0..<5000 {
      let key = StateKey(high: UInt64(number), low: UInt64(number) &* 0x9e37_79b9_7f4a_7c15)
      text.withUnsafeBufferPointer { cache.set(key, .text, bits: 0, text: $0, expires: .max) }
      let first = cache.find(StateKey(high: 0, low: 0), clockMs: 0)
      #expect(first != nil)
    }
    let counts = [cache.keys.count, cache.entries.count, cache.texts.count]
    #expect(counts == [100, 100, 100])
  }

  @Test func `an entity has the labels live rules gave it, from the next event on, until they expire or are removed`()
    throws
  {
    let judge = try Judge([
      "a.lua": ruleSource(
        "Give", "return event.text == 'give'",
        effects: "{ label { 'spam', expires = hours(1) }, label { 'rude', on = 'uri' }, label 'bot' }"),
      "b.lua": ruleSource("Take", "return event.text == 'take'", effects: "{ unlabel 'bot' }"),
      "c.lua": ruleSource("Shadow", "return true", more: "mode = 'shadow',", effects: "{ label 'shade' }"),
      "d.lua": ruleSource(
        "Ask",
        "return true, { Value = table.concat(entity.labels(event.did), '+') .. '/' .. table.concat(entity.labels(event.uri), '+') "
          + ".. tostring(entity.has(event.did, 'bot')) .. #entity.labels(nil) .. #entity.labels('did:plc:other') }"),
    ])
    #expect(judge.value(.post("give")) == "/false00")
    #expect(judge.value(.post("x")) == "bot+spam/rudetrue00")
    _ = judge.value(.post("take"))
    var later = TestEvent.post("x")
    #expect(judge.value(later) == "spam/rudefalse00")
    later.clockMs += hour
    #expect(judge.value(later) == "/rudefalse00")
    let reloaded = try Judge(
      ["d.lua": ruleSource("Ask", "return true, { Value = #entity.labels(event.uri) }")], replacing: judge.host)
    #expect(reloaded.value(later) == "1")
  }

  @Test func `a named entity has labels too`() throws {
    let judge = try Judge([
      "a.lua": ruleSource(
        "A", "return true, { Site = 'a.example', Value = tostring(entity.has('a.example', 'shady', 'Domain')) }",
        effects: "{ label { 'shady', on = { 'Domain', feature = 'Site' } } }")
    ])
    #expect(judge.value(TestEvent()) == "false")
    #expect(judge.value(TestEvent()) == "true")
  }
}
