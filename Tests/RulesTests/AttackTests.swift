import ATProto
import FrameKit
import Osprey
import Testing

@testable import Rules

/// What an attack has to come to.
enum Ending {
  /// A budget ends it.
  case killed
  /// An error with this text.
  case error(String)
  /// It ends by itself within the budget.
  case harmless
}

struct Attack: CustomTestStringConvertible, Sendable {
  var name: String
  var body: String
  var ending: Ending
  var prelude = ""
  var testDescription: String { name }
}

let attacks: [Attack] = [
  // Loops
  Attack(name: "while true", body: "while true do end", ending: .killed),
  Attack(name: "goto", body: "::again:: goto again", ending: .killed),
  Attack(name: "repeat until false", body: "repeat until false", ending: .killed),
  Attack(name: "a numeric loop to the end of integers", body: "for i = 1, math.maxinteger do end", ending: .killed),
  Attack(name: "step 0", body: "for i = 1, 10, 0 do end", ending: .error("'for' step is zero")),
  Attack(name: "a float loop that stands still", body: "for i = 2.0^53, 2.0^53 + 2, 0.5 do end", ending: .killed),
  Attack(
    name: "pcall swallows the kill", body: "while true do pcall(function() while true do end end) end", ending: .killed),
  Attack(
    name: "pcall in pcall in pcall",
    body: "local function deep(n) pcall(deep, n + 1) while true do end end deep(1)", ending: .killed),
  Attack(
    name: "a handler that goes on",
    body: "pcall(function() while true do end end) local n = 0 while true do n = n + 1 end",
    ending: .killed),
  Attack(
    name: "pcall as its own argument",
    body:
      "local f = pcall for i = 1, 150 do f = (function(g) return function() return pcall(g) end end)(f) end f() while true do end",
    ending: .killed),
  // Recursion
  Attack(name: "deep recursion", body: "local function f() return 1 + f() end f()", ending: .killed),
  Attack(name: "endless tail calls", body: "local function f() return f() end f()", ending: .killed),
  Attack(
    name: "recursion through pcall", body: "local function f() return pcall(f) end f() while true do end",
    ending: .killed),
  Attack(
    name: "recursion through sort", body: "local function f() table.sort({1,2,3}, f) end f()",
    ending: .error("C stack overflow")),
  // Memory
  Attack(name: "doubling a string", body: "local s = 'x' while true do s = s .. s end", ending: .killed),
  Attack(name: "string.rep of a billion", body: "return string.rep('x', 1e9)", ending: .error("would be longer")),
  Attack(name: "string.rep of nothing, 2^62 times", body: "return string.rep('', 1 << 62) == ''", ending: .harmless),
  Attack(name: "string.rep that overflows", body: "return ('xx'):rep(1 << 63)", ending: .harmless),
  Attack(
    name: "string.rep with a gap that overflows", body: "return ('ab'):rep(math.maxinteger, 'cd')",
    ending: .error("would be longer")),
  Attack(name: "a growing table", body: "local t = {} while true do t[#t + 1] = 1 end", ending: .killed),
  Attack(
    name: "a growing hash", body: "local t = {} local n = 0 while true do n = n + 1 t['k' .. n] = n end",
    ending: .killed),
  Attack(
    name: "many small strings kept",
    body: "local t = {} for i = 1, 1e9 do t[i % 9000 + 1] = 'abcdefgh' .. i .. ('y'):rep(200) end",
    ending: .killed),
  Attack(
    name: "many closures kept", body: "local t = {} for i = 1, 1e9 do t[i] = function() return i end end",
    ending: .killed),
  Attack(name: "tables of tables", body: "local t = {} while true do t = { t, t } end", ending: .killed),
  Attack(name: "long strings in a loop", body: "while true do local s = ('x'):rep(200000) end", ending: .killed),
  Attack(
    name: "pcall swallows the end of memory",
    body: "while true do pcall(function() local s = 'x' while true do s = s .. s end end) end", ending: .killed),
  Attack(
    name: "memory kept near the limit",
    body: "local t = {} for i = 1, 8000 do t[i] = ('x'):rep(450) .. i end while true do local u = { {}, {}, {} } end",
    ending: .killed),
  // Work in C
  Attack(
    name: "upper of long strings", body: "local s = ('x'):rep(250000) while true do s = s:upper() end", ending: .killed),
  Attack(
    name: "comparing long strings",
    body:
      "local a, b = ('x'):rep(250000) .. 'a', ('x'):rep(250000) .. 'b' local n = 0 while true do if a < b then n = n + 1 end end",
    ending: .killed),
  Attack(
    name: "equality of long strings",
    body:
      "local a, b = ('x'):rep(250000) .. 'a', ('x'):rep(250000) .. 'b' local n = 0 while true do if a == b then n = n + 1 end end",
    ending: .killed),
  Attack(
    name: "long strings as keys",
    body: "local t = {} local n = 0 while true do n = n + 1 t[('x'):rep(200000) .. n] = nil end",
    ending: .killed),
  Attack(
    name: "plain find of near-matches",
    body: "local a, b = ('a'):rep(200000), ('a'):rep(1000) .. 'b' while true do a:find(b) end", ending: .killed),
  Attack(
    name: "a find from every position", body: "local a = ('a'):rep(200000) for i = 1, #a do a:find('b', i) end",
    ending: .killed),
  Attack(
    name: "concatenating many pieces",
    body: "local t = {} for i = 1, 9000 do t[i] = 'abcdefghij' end while true do table.concat(t) end",
    ending: .killed),
  Attack(
    name: "concat past the limit of texts",
    body: "local t = {} for i = 1, 9000 do t[i] = 'abcdefghijklmnopqrstuvwxyzabcdefghij' end return table.concat(t)",
    ending: .error("would be longer")),
  Attack(name: "a wide format", body: "return ('%99999d'):format(1)", ending: .error("two digits")),
  Attack(name: "a long precision", body: "return ('%.99f'):format(1e308):len()", ending: .harmless),
  Attack(
    name: "a format of many texts", body: "local s = ('x'):rep(60000) return ('%s%s%s%s%s'):format(s, s, s, s, s)",
    ending: .error("would be longer")),
  Attack(name: "unpacking a huge range", body: "return table.unpack({}, 1, 1 << 62)", ending: .error("at most")),
  Attack(
    name: "unpacking around the integers", body: "return table.unpack({}, math.mininteger, math.maxinteger)",
    ending: .error("at most")),
  Attack(
    name: "table.insert at the front", body: "local t = {} for i = 1, 9000 do table.insert(t, 1, i) end",
    ending: .killed),
  Attack(
    name: "table.remove from the front",
    body: "local t = {} for i = 1, 9000 do t[i] = i end for i = 1, 9000 do table.remove(t, 1) end", ending: .killed),
  Attack(
    name: "sorting again and again",
    body: "local t = {} for i = 1, 5000 do t[i] = (i * 7919) % 5000 end while true do table.sort(t) end",
    ending: .killed),
  Attack(
    name: "a comparator that is always true",
    body: "local t = {} for i = 1, 200 do t[i] = i end table.sort(t, function() return true end) return #t == 200",
    ending: .harmless),
  Attack(
    name: "a comparator that raises", body: "local t = {3, 2, 1} table.sort(t, function() error('no') end)",
    ending: .error("no")),
  Attack(
    name: "a comparator that never returns", body: "table.sort({3, 2, 1}, function() while true do end end)",
    ending: .killed),
  Attack(
    name: "a comparator that empties the table",
    body:
      "local t = {} for i = 1, 100 do t[i] = i end table.sort(t, function(a, b) for k = #t, 1, -1 do t[k] = nil end return a < b end)",
    ending: .harmless),
  Attack(
    name: "pairs over an emptied big table",
    body:
      "local t = {} for i = 1, 9000 do t['k' .. i] = i end for i = 1, 9000 do t['k' .. i] = nil end while true do for k in pairs(t) do end end",
    ending: .killed),
  Attack(
    name: "pairs over too much", body: "local t = {} for i = 1, 12000 do t[i] = 1 end for k in pairs(t) do end",
    ending: .error("more than")),
  Attack(name: "many arguments", body: "return select('#', table.unpack({}, 1, 1000))", ending: .error("at most")),
  Attack(
    name: "string.byte of everything", body: "return ('x'):rep(100000):byte(1, -1)", ending: .error("at most 256")),
  Attack(
    name: "folding again and again", body: "local s = ('ä'):rep(8000) while true do text.fold(s) end", ending: .killed),
  Attack(
    name: "searching a folded text again and again",
    body: "local s = ('ab '):rep(5000) while true do text.contains(s, 'aba') end", ending: .killed),
  Attack(
    name: "counting without end", body: "local n = 0 while true do n = n + 1 count('c', n, minutes(1)):add() end",
    ending: .killed),
  Attack(
    name: "distinct values without end",
    body: "local n = 0 while true do n = n + 1 distinct('d', 'k', minutes(1)):add(n) end", ending: .killed),
  // Errors
  Attack(name: "an error that is a table", body: "error({ 1, 2 })", ending: .error("not text")),
  Attack(name: "an error of nothing", body: "error()", ending: .error("not text")),
  Attack(name: "an error of 200 KB", body: "error(('x'):rep(200000))", ending: .error("xxxx")),
  Attack(name: "raising again from pcall", body: "local ok, e = pcall(error, 'boo') error(e)", ending: .error("boo")),
  // The sandbox
  Attack(
    name: "setmetatable with __gc", body: "setmetatable({}, { __gc = function() while true do end end })",
    ending: .error("'setmetatable' is not in the rule language")),
  Attack(
    name: "a lying __len", body: "table.insert(setmetatable({}, { __len = function() return 1 << 60 end }), 1)",
    ending: .error("setmetatable")),
  Attack(name: "the metatable of strings", body: "getmetatable('').__index = nil", ending: .error("getmetatable")),
  Attack(name: "rawset into the library", body: "rawset(string, 'len', nil)", ending: .error("rawset")),
  Attack(
    name: "changing the library", body: "string.len = function() return 0 end", ending: .error("cannot be changed")),
  Attack(
    name: "changing the library through a string", body: "local s = 'x' s.len = 1", ending: .error("attempt to index")),
  Attack(name: "writing a global", body: "seen = event.did", ending: .error("would be a global")),
  Attack(name: "replacing a global", body: "pairs = nil", ending: .error("would be a global")),
  Attack(name: "a global through _ENV", body: "_ENV.x = 1", ending: .error("would be a global")),
  Attack(
    name: "the globals held as a value", body: "local all = _ENV all.count = nil", ending: .error("would be a global")),
  Attack(
    name: "the globals held by an inner function",
    body: "local function steal() local all = _ENV all.text = nil end steal()",
    ending: .error("would be a global")),
  Attack(name: "another _ENV", body: "local _ENV = { e = event } return e.did ~= nil", ending: .harmless),
  Attack(name: "os", body: "os.execute('true')", ending: .error("no operating system")),
  Attack(name: "io", body: "io.popen('true')", ending: .error("read no files")),
  Attack(name: "require", body: "require 'os'", ending: .error("use \"lib/names\" gives")),
  Attack(name: "load", body: "load('return 1')()", ending: .error("'load' is not")),
  Attack(name: "string.dump", body: "string.dump(function() end)", ending: .error("'dump' is not")),
  Attack(name: "debug", body: "debug.sethook()", ending: .error("'debug' is not")),
  Attack(name: "coroutine", body: "coroutine.wrap(function() end)()", ending: .error("from start to end")),
  Attack(name: "collectgarbage", body: "collectgarbage()", ending: .error("memory looks after itself")),
  Attack(
    name: "patterns", body: "return ('x'):rep(100):match(('.-'):rep(4) .. 'b')", ending: .error("no Lua patterns")),
  Attack(name: "random", body: "return math.random() > 0.5", ending: .error("same verdict")),
  Attack(name: "a pattern in find is plain text", body: "return ('aaa'):find('.-b') == nil", ending: .harmless),
  Attack(name: "table.move", body: "table.move({}, 1, 1 << 62, 2)", ending: .error("copy with a loop")),
  Attack(name: "next over an emptied table", body: "next({})", ending: .error("use pairs")),
  Attack(name: "utf8", body: "utf8.len('x')", ending: .error("'utf8' does not exist")),
  Attack(name: "writing into the event", body: "event.did = 'x'", ending: .error("cannot be changed")),
  Attack(name: "writing into the record", body: "event.record.text = 'x'", ending: .error("cannot be changed")),
  Attack(name: "writing into a list", body: "event.langs[1] = 'x'", ending: .error("cannot be changed")),
  Attack(name: "inserting into a list", body: "table.insert(event.langs, 'x')", ending: .error("table expected")),
  Attack(name: "sorting a list", body: "table.sort(event.langs)", ending: .error("table expected")),
  Attack(
    name: "state in a table of the file", body: "seen[#seen + 1] = event.did", ending: .error("cannot be changed"),
    prelude: "local seen = {}\n"),
  Attack(
    name: "state in a table below a table of the file", body: "seen.a.b = event.did",
    ending: .error("cannot be changed"),
    prelude: "local seen = { a = {} }\n"),
  Attack(
    name: "state by inserting", body: "table.insert(seen, event.did)", ending: .error("read-only"),
    prelude: "local seen = {}\n"),
  Attack(
    name: "state by sorting", body: "table.sort(seen)", ending: .error("read-only"), prelude: "local seen = { 2, 1 }\n"),
  Attack(
    name: "a counter's methods", body: "count('a', 'b', 1).add = 1", ending: .error("a counter cannot be changed")),
  Attack(name: "a counter without a colon", body: "count('a', 'b', 1).add('x')", ending: .error("with a colon")),
  Attack(
    name: "a method of a counter on something else", body: "count('a', 'b', 1).get(event)",
    ending: .error("with a colon")),
  Attack(name: "storing into nil", body: "event.record.nothing.x = 1", ending: .error("attempt to index")),
  Attack(name: "calling nil", body: "event.record.nothing()", ending: .error("attempt to call")),
  Attack(
    name: "too many features", body: "local t = {} for i = 1, 40 do t['F' .. i] = i end return true, t",
    ending: .error("more than 32")),
  Attack(
    name: "a feature that is not a number", body: "return true, { Value = 0/0 }", ending: .error("not a finite number")),
  Attack(
    name: "a feature that is a function", body: "return true, { Value = function() end }",
    ending: .error("must be text")),
  Attack(name: "features that are not a table", body: "return true, 5", ending: .error("must be a table")),
]

@Suite(.serialized) struct AttackTests {
  /// Most take 2 to 10 on a quiet machine; what is left is for a busy one.
  private static let millisecondsMax = 100 * slowness

  @Test(arguments: attacks + textAttacks)
  func `an attack ends within its budget, under the right name, and harms nobody`(attack: Attack) throws {
    let judge = try Judge([
      "lists/attacked.txt": attackedList,
      "a_good.lua": ruleSource("GoodBefore", "return event.text == 'hello', { TextLength = #event.text }"),
      "m_bad.lua": attack.prelude + ruleSource("Bad", attack.body),
      "z_good.lua": ruleSource("GoodAfter", "return #event.domains == 0 and event.record.text == 'hello'"),
    ])
    let calm = TestEvent()
    var result = JudgeResult()
    let taken = milliseconds { result = judge.judge(calm) }
    #expect(taken < Self.millisecondsMax)
    #expect(result.evaluated == 3 && result.skipped == 0)
    let bad = judge.host.counters.statistics(1)
    switch attack.ending {
    case .killed: #expect(bad.kills == 1, "\(judge.faults)")
    case .error(let text):
      #expect(bad.errors == 1 && bad.kills == 0, "\(judge.faults)")
      #expect(judge.faults.first?.message.contains(text) == true, "\(judge.faults)")
    case .harmless: #expect(bad.errors == 0, "\(judge.faults)")
    }
    if bad.errors == 1 {
      #expect(judge.faults.map(\.rule) == ["Bad"])
      #expect(judge.faults[0].message.utf8.count <= 400)
      #expect(result.errors == 1 && result.hits == 2)
    }
    // The others ran in the same event and run in the next one.
    for rule in [0, 2] { #expect(judge.host.counters.statistics(rule).hits == 1) }
    judge.verdict.removeAll()
    #expect(judge.judge(.post("another")).evaluated == 3)
    #expect(judge.host.counters.statistics(0).errors == 0 && judge.host.counters.statistics(2).errors == 0)
  }

  @Test func `no attack leaves memory behind`() throws {
    for attack in attacks where attack.prelude.isEmpty {
      let judge = try Judge(["bad.lua": ruleSource("Bad", attack.body)])
      let before = judge.host.memoryBytes
      for _ in 0..<3 { _ = judge.judge(TestEvent()) }
      #expect(judge.host.memoryBytes <= before + RuleLimits.eventBytesMax, "\(attack.name)")
    }
  }

  @Test func `an error names the file and the line`() throws {
    let judge = try Judge([
      "spam/bad.lua": "return rule {\n name = 'Bad', about = 'x',\n when = function(event)\n  return event.txt\n end }"
    ])
    _ = judge.judge(TestEvent())
    #expect(judge.faults.first?.message == "spam/bad.lua:4: event has no 'txt', did you mean 'text'?")
    let loop = try Judge([
      "loop.lua": "return rule {\n name = 'Loop', about = 'x',\n when = function(event)\n  while true do\n  end\n end }"
    ])
    _ = loop.judge(TestEvent())
    #expect(loop.faults.first?.message == "loop.lua:4: used up its instructions")
    #expect(loop.faults.first?.isKill == true)
  }

  @Test func `a rule that keeps failing is set aside for good, the others go on`() throws {
    let judge = try Judge([
      "bad.lua": ruleSource("Bad", "error('no')"), "good.lua": ruleSource("Good", "return true"),
    ])
    var event = TestEvent()
    for _ in 0..<RuleLimits.ruleFaultsMax {
      #expect(judge.judge(event).errors == 1)
      event.clockMs += 100
    }
    #expect(judge.host.counters.statistics(0).isSetAside)
    #expect(judge.judge(event) == JudgeResult(evaluated: 1, hits: 1))
    #expect(judge.faults.last?.isSetAside == true)
    // Told once a second, not per event.
    #expect(judge.faults.count <= 4)
  }

  @Test func `faults that lie far apart do not set a rule aside`() throws {
    let judge = try Judge(["bad.lua": ruleSource("Bad", "error('no')")])
    var event = TestEvent()
    for _ in 0..<100 {
      #expect(judge.judge(event).errors == 1)
      event.clockMs += RuleLimits.faultWindowMs / Int64(RuleLimits.ruleFaultsMax) + 1000
    }
    #expect(!judge.host.counters.statistics(0).isSetAside)
  }

  @Test func `many rules that use up their time cannot use up the event's`() throws {
    var files: [String: String] = [:]
    for index in 0..<60 { files["r\(index).lua"] = ruleSource("R\(index)", "while true do end") }
    let judge = try Judge(files)
    var result = JudgeResult()
    let taken = milliseconds { result = judge.judge(TestEvent()) }
    #expect(result.evaluated + result.skipped == 60)
    #expect(taken < 200 * slowness)
  }

  @Test func `a rule file that never ends does not load`() {
    #expect(loadErrors(["a.lua": "while true do end"]) == ["a.lua:1: used up its instructions"])
    #expect(loadErrors(["a.lua": "local s = 'x' while true do s = s .. s end"]).first?.contains("memory") == true)
    #expect(loadErrors(["a.lua": String(repeating: "(", count: 10_000)]).count == 1)
    #expect(loadErrors(["a.lua": "return " + String(repeating: "{", count: 300)]).count == 1)
    #expect(loadErrors(["a.lua": "\u{1b}Lua binary"]).first?.contains("attempt to load a binary chunk") == true)
  }

  @Test(.timeLimit(.minutes(1)))
  func `when any allocation fails the host says so, and neither leaks nor crashes`() throws {
    let files = ruleFiles(["r.lua": ruleSource("R", "return #event.links >= 0, { Value = event.text }")])
    var failures = 0
    for failAt in Int64(1)... {
      do {
        _ = try RuleHost.load(files, failAt: failAt)
        break
      } catch {
        failures += 1
        #expect(!error.errors.isEmpty)
      }
    }
    #expect(failures > 200)
  }
}
