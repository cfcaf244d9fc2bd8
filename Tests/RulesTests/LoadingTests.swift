import ATProto
import FrameKit
import Osprey
import Testing

@testable import Rules

struct LoadingTests {
  private let when = "when = function(event) return true end"

  @Test(arguments: [
    (
      "return rule { name = 'A', about = 'x', whn = 1, when = function() end }",
      "a rule has no 'whn', did you mean 'when'?"
    ),
    (
      "return rule { name = 'link_flood', about = 'x', when = function() end }",
      "'link_flood' is not PascalCase\n  try: name = \"LinkFlood\""
    ),
    ("return rule { about = 'x', when = function() end }", "the rule has no name"),
    ("return rule { name = 'A', when = function() end }", "does not say what it is about"),
    ("return rule { name = 'A', about = 'x' }", "the rule has no `when`"),
    ("return rule { name = 'A', about = 'x', when = text.fold }", "the rule has no `when`"),
    ("return rule { name = 'UserId', about = 'x', when = function() end }", "a feature every verdict has"),
    ("return rule { name = 'A', about = 'x', mode = 'dead', when = function() end }", "mode is \"live\" or \"shadow\""),
    (
      "return rule { name = 'A', about = 'x', actions = { 'operation#creat' }, when = function() end }",
      "did you mean 'operation#create'?"
    ),
    (
      "return rule { name = 'A', about = 'x', collections = 'app.bsky.feed.post', when = function() end }",
      "'collections' is not a list of texts"
    ),
    (
      "return rule { name = 'A', about = 'x', collections = { 'app.bsky' }, when = function() end }",
      "'app.bsky' is not a collection"
    ),
    ("return rule { name = 'A', about = 'x', effects = verdict 'r', when = function() end }", "one effect, not a list"),
    ("return rule { name = 'A', about = 'x', effects = { 'r' }, when = function() end }", "is not an effect"),
    (
      "return rule { name = 'A', about = 'x', effects = { label { 'a', on = 'post' } }, when = function() end }",
      "'on' does not say what the effect is for"
    ),
    (
      "return rule { name = 'A', about = 'x', effects = { label { 'a', expire = 5 } }, when = function() end }",
      "did you mean 'expires'?"
    ),
    (
      "return rule { name = 'A', about = 'x', effects = { label { 'a/b' } }, when = function() end }",
      "without blanks, '/' and '|'"
    ),
    (
      "return rule { name = 'A', about = 'x', effects = { label { 'a', comment = '{n}' } }, when = function() end }",
      "not the name of a feature"
    ),
    ("return rule { name = 'A', about = 'x', when = function() end", "'}' expected"),
    ("return 5", "does not return a rule"), ("local x = 1", "does not return a rule"),
    ("return { 1 }", "is not a rule"),
    ("return { name = 'A' }", "does not return a rule"), ("retrun rule {}", "syntax error"),
    ("count('a', 'b', 1)", "inside `when` only"),
    (
      "local n = 0\nreturn rule { name = 'A', about = 'x',\nwhen = function()\nn = n + 1 end }",
      "a.lua:4: an inner function assigns"
    ),
    (
      "local f = (function() local n = 0 return function() n = n + 1 return n end end)()\nreturn rule { name = 'A', about = 'x', when = f }",
      "a.lua:1: an inner function assigns"
    ),
  ])
  func `a faulty rule file is refused with a reason`(source: String, reason: String) {
    let errors = loadErrors(["a.lua": source])
    #expect(errors.contains { $0.contains(reason) }, "\(errors)")
    #expect(errors.allSatisfy { $0.hasPrefix("a.lua:") })
  }

  @Test func `all errors of all files are reported, with their lines`() {
    let errors = loadErrors([
      "a.lua": "\n\nreturn rule { name = 'a', abuot = 'x', \(when) }", "b/b.lua": "return rule {",
      "c.lua": ruleSource("Same", ""),
      "d.lua": ruleSource("Same", ""),
    ])
    #expect(
      errors.sorted() == [
        "a.lua:3: 'a' is not PascalCase\n  try: name = \"A\"",
        "a.lua:3: a rule has no 'abuot', did you mean 'about'?\n  try: about = …",
        "a.lua:3: the rule does not say what it is about\n  try: about = \"Many links in one post.\"",
        "b/b.lua:1: unexpected symbol near <eof>",
        "d.lua:1: the name 'Same' is taken by c.lua:1\n  try: another name",
      ])
  }

  @Test func `one file may hold several rules; tests, lib and lists are no rule files; local comes last`() throws {
    let host = try loadRules([
      "local/z.lua": ruleSource("Local", ""),
      "b.lua": "return { rule { name = 'B', about = 'x', \(when) }, rule { name = 'C', about = 'x', \(when) } }",
      "a/a.lua": ruleSource("A", ""), "lib/names.lua": "return {}", "a/a_test.lua": "nor this",
      "lists/x.txt": "nor that",
    ])
    #expect(host.rules.map(\.name) == ["A", "B", "C", "Local"])
  }

  @Test func `the hash of a set names every file and every byte`() throws {
    let files = ["a.lua": ruleSource("A", "return true"), "lists/words.txt": "x"]
    let first = try loadRules(files).hash
    #expect(first.hasPrefix("sha256:") && first.utf8.count == 71)
    #expect(try loadRules(files).hash == first)
    var changed = files
    changed["lists/words.txt"] = "y"
    #expect(try loadRules(changed).hash != first)
    changed = files
    changed["b.lua"] = ruleSource("B", "return true")
    #expect(try loadRules(changed).hash != first)
  }

  @Test func `a missing directory is an error, not an empty set`() {
    #expect(throws: RuleErrors.self) { _ = try RuleHost.load(directory: "/nowhere/at/all") }
  }

  @Test func `tables of the file can be read inside when, also nested, listed and counted`() throws {
    let judge = try Judge([
      "r.lua":
        "local words = { 'a', 'b', nested = { deep = 'c' } }\nlocal function get() return words.nested.deep end\n"
        + ruleSource(
          "R",
          "local s = #words .. get() for i, w in ipairs(words) do s = s .. w end for k in pairs(words) do s = s .. tostring(k) end return true, { Value = s .. table.concat(words, '-') }"
        )
    ])
    #expect(judge.value(TestEvent()) == "2cab12nesteda-b", "\(judge.faults)")
  }

  @Test func `rules that share a table and a function keep both`() throws {
    let judge = try Judge([
      "r.lua": "local known = { x = { 'did:plc:a' } }\nlocal function has(t) return #t.x end\nlocal list = {}\n"
        + "list[1] = rule { name = 'A', about = 'x', when = function() return true, { ValueA = has(known) } end }\n"
        + "list[2] = rule { name = 'B', about = 'x', when = function() return #list == 2, { Value = has(known) + #list } end }\nreturn list"
    ])
    #expect(judge.host.rules.map(\.name) == ["A", "B"])
    #expect(judge.value(TestEvent()) == "3", "\(judge.faults)")
  }

  @Test func `a reload keeps counters and distinct values`() throws {
    let source = ["r.lua": ruleSource("R", "return true, { Value = count('c', event.did, hours(1)):add() }")]
    let first = try Judge(source)
    #expect(first.value(TestEvent()) == "1")
    let second = try Judge(source, replacing: first.host)
    #expect(second.value(TestEvent()) == "2")
  }

  @Test(arguments: [
    ("app.bsky.feed.post", ["Any", "Exact", "Feed", "Two"]), ("app.bsky.feed.like", ["Any", "Feed"]),
    ("app.bsky.graph.follow", ["Any", "Two"]), ("app.bsky.feedback.x", ["Any"]), ("com.example.thing", ["Any"]),
  ])
  func `an event meets the rules for its collection, in file order`(collection: String, names: [String]) throws {
    let judge = try Judge([
      "a.lua": ruleSource("Any", "return true"),
      "b.lua": ruleSource("Exact", "return true", more: "collections = { 'app.bsky.feed.post' },"),
      "c.lua": ruleSource("Feed", "return true", more: "collections = { 'app.bsky.feed.*' },"),
      "d.lua": ruleSource(
        "Two", "return true", more: "collections = { 'app.bsky.feed.post', 'app.bsky.graph.follow' },"),
      "e.lua": ruleSource("Deletes", "return true", more: "actions = { 'operation#delete' },"),
    ])
    var event = TestEvent()
    event.collection = collection
    #expect(judge.judge(event).hits == names.count)
    #expect(judge.verdict.rules.map { judge.verdict[$0.name].string } == names)
    var identity = TestEvent(name: .identity)
    identity.record = nil
    #expect(judge.judge(identity).hits == 1)
  }

  @Test func `five hundred rules load within a second`() throws {
    var files: [String: String] = [:]
    for index in 0..<500 { files["r\(index).lua"] = ruleSource("Rule\(index)", "return #event.links > \(index)") }
    let taken = try milliseconds { _ = try loadRules(files) }
    #expect(taken < 2000 * slowness, "\(taken) ms of a debug build")
  }
}
