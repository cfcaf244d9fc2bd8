import Testing

@testable import Rules

/// A list that attacks ask: entries with many beginnings in common.
let attackedList = (1...60).map { String(repeating: "ab", count: $0) }.joined(separator: "\n") + "\nspam\n"

/// Attacks on the library for texts, and on Lua where it touches it.
let textAttacks: [Attack] = [
  // Texts
  Attack(
    name: "cleaning again and again", body: "local s = ('ä'):rep(8000) while true do text.clean(s) end", ending: .killed
  ),
  Attack(
    name: "a hundred thousand words again and again",
    body: "local s = ('a '):rep(100000) while true do text.tokens(s) end", ending: .killed),
  Attack(
    name: "looking for emoji again and again", body: "local s = ('🔥'):rep(60000) while true do text.emoji(s) end",
    ending: .killed),
  Attack(
    name: "likeness of long texts", body: "local s = ('ab '):rep(80000) while true do text.similarity(s, 'x' .. s) end",
    ending: .killed),
  Attack(
    name: "counting near-matches",
    body: "local s, w = ('a '):rep(8000), ('a '):rep(4000) .. 'b' while true do text.count(s, w) end", ending: .killed),
  Attack(
    name: "a thousand words again and again",
    body: "local w = {} for i = 1, 1000 do w[i] = 'w' .. i end while true do text.contains(event.text, w) end",
    ending: .killed),
  Attack(
    name: "a word list without end",
    body: "local w = {} for i = 1, 2000 do w[i] = 'w' end return text.contains('x', w)", ending: .error("at most 1000")),
  Attack(
    name: "ten thousand characters nobody sees",
    body:
      "local s = ('\\u{200b}'):rep(10000) return text.clean(s) == '' and text.fold(s) == '' and #text.tokens(s) == 0 and text.len(s) == 10000",
    ending: .harmless),
  Attack(
    name: "bytes that are not UTF-8 everywhere",
    body: """
      local s = ('\\xff\\xfe\\xc3\\xe2\\x80'):rep(500)
      text.clean(s) text.fold(s) text.tokens(s) text.emoji(s) text.count(s, s) text.similarity(s, s) uri.did(s)
      domain.of(s) domain.registrable(s) hash.of(s) time.unix(s) W:any_word(s) W:censored(s) W:contains(s)
      R:match(s) R:count(s) R:captures(s) return text.len(s) > 0
      """, ending: .harmless, prelude: "local W, R = list 'attacked', re[[.$]]\n"),
  Attack(
    name: "marks upon marks", body: "local s = 'a' .. ('\\u{301}'):rep(100000) while true do text.clean(s) end",
    ending: .killed),
  // Addresses, hashes, time
  Attack(
    name: "parts of a long address", body: "local s = 'at://' .. ('a/'):rep(120000) while true do uri.rkey(s) end",
    ending: .killed),
  Attack(
    name: "a host of many labels", body: "local s = ('a.'):rep(125) .. 'com' while true do domain.registrable(s) end",
    ending: .killed),
  Attack(
    name: "hashing again and again", body: "local s = ('x'):rep(250000) while true do hash.of(s) end", ending: .killed),
  Attack(name: "a time that is no number", body: "time.hour(0/0)", ending: .error("seconds since 1970")),
  Attack(
    name: "waiting for the clock", body: "local t = time.unix() while time.unix() == t do end", ending: .killed),
  // Patterns
  Attack(
    name: "nested repeats", body: "local s = ('a'):rep(200000) while true do R:match(s) end", ending: .killed,
    prelude: "local R = re[[(a+)+b]]\n"),
  Attack(
    name: "what backtracks without end elsewhere", body: "return R:match(('x'):rep(5000)) == false",
    ending: .harmless, prelude: "local R = re[[(x+x+)+y]]\n"),
  Attack(
    name: "a state per byte", body: "return R:match(('ab'):rep(100000))", ending: .killed,
    prelude: "local R = re[[[ab]*a[ab]{400}c]]\n"),
  Attack(
    name: "a thousand optional letters", body: "return R:match(('a'):rep(200000))", ending: .killed,
    prelude: "local R = re[[(?:a?){1000}b]]\n"),
  Attack(
    name: "counting nothing everywhere", body: "return R:count(('x'):rep(200000))", ending: .killed,
    prelude: "local R = re''\n"),
  Attack(
    name: "looking to the end at every step", body: "return R:count(('a'):rep(200000))", ending: .killed,
    prelude: "local R = re'a.*b|a'\n"),
  Attack(
    name: "capturing again and again", body: "local s = ('ab'):rep(900) while true do R:captures(s) end",
    ending: .killed, prelude: "local R = re'(a)(b)(a)(b).*$'\n"),
  Attack(name: "a pattern made of the event", body: "re(event.text)", ending: .error("outside of `when`")),
  Attack(
    name: "a pattern's method on a list", body: "local m = R.match return m(W, 'x')", ending: .error("with a colon"),
    prelude: "local W, R = list 'attacked', re'a'\n"),
  Attack(
    name: "a pattern as a key", body: "local t = { [R] = 1 } for k in pairs(t) do end",
    ending: .error("no fixed order"), prelude: "local R = re'a'\n"),
  Attack(
    name: "the address of a pattern", body: "return tostring(R) == 'userdata'", ending: .harmless,
    prelude: "local R = re'a'\n"),
  Attack(
    name: "changing a pattern", body: "R.match = nil", ending: .error("attempt to index"), prelude: "local R = re'a'\n"),
  // Lists
  Attack(
    name: "near-matches behind every sign", body: "local s = ('a.b.'):rep(4000) while true do W:censored(s) end",
    ending: .killed, prelude: "local W = list 'attacked'\n"),
  Attack(
    name: "near-matches at every word", body: "local s = ('abab '):rep(3000) while true do W:any_word(s) end",
    ending: .killed, prelude: "local W = list 'attacked'\n"),
  Attack(
    name: "a thousand texts against a list",
    body: "local t = {} for i = 1, 1000 do t[i] = ('spa '):rep(20) .. i end while true do W:any_word(t) end",
    ending: .killed, prelude: "local W = list 'attacked'\n"),
  Attack(name: "a list made in an event", body: "list 'attacked'", ending: .error("outside of `when`")),
  // Lua
  Attack(
    name: "numbers as texts", body: "local s = '1' while true do s = s + 1 .. '' end", ending: .error("arithmetic")),
  Attack(name: "a variable to be closed", body: "local x <close> = {}", ending: .error("non-closable")),
  Attack(name: "the index of a text", body: "return ('x').__index", ending: .error("string has no '__index'")),
  Attack(
    name: "arguments that grow", body: "local function f(...) return f(1, ...) end f()", ending: .killed),
  Attack(
    name: "closures upon closures",
    body: "local f = function() end while true do local g = f f = function() return g() end end", ending: .killed),
  Attack(name: "a key that is no number", body: "local t = {} t[0/0] = 1", ending: .error("NaN")),
  Attack(
    name: "counting to the last integer",
    body: "local n = 0 for i = math.maxinteger - 3, math.maxinteger do n = n + 1 end return n == 4",
    ending: .harmless),
]

struct TextBoundTests {
  /// Patterns and lists that are made while loading are bounded too.
  @Test func `huge patterns do not load`() {
    let letters = (0..<30_000).map { "w\($0)" }.joined(separator: "|")
    for pattern in [
      "('a'):rep(200000)", "('(?:'):rep(2000) .. (')'):rep(2000)", "('[a-z]?'):rep(600) .. '{1000}'", "[[\(letters)]]",
      "('(?:a{1000}'):rep(20) .. (')'):rep(20)", "('[^'):rep(1000)",
    ] {
      let errors = loadErrors(["r.lua": "local R = re(\(pattern))\n" + ruleSource("R", "return true")])
      #expect(errors.count == 1 && errors[0].hasPrefix("r.lua:1: the pattern '"), "\(errors)")
    }
    let endless = "for i = 1, 1e9 do re('a' .. i) end\n"
    #expect(loadErrors(["r.lua": endless]).first?.hasPrefix("r.lua:1: ") == true)
  }

  /// What a pattern means is what Swift's engine, which backtracks, says it means.
  @Test func `random patterns match what another engine matches`() throws {
    var state: UInt64 = 42
    func random(_ count: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % count
    }
    func pattern(_ depth: Int) -> String {
      let atoms = ["a", "b", "c", ".", "[ab]", "[^a]", "\\w", "\\b", "^", "$", "ab", "bc"]
      switch random(depth > 3 ? 2 : 9) {
      case 0, 1: return atoms[random(atoms.count)]
      case 2: return "(" + pattern(depth + 1) + ")"
      case 3: return "(?:" + pattern(depth + 1) + "|" + pattern(depth + 1) + ")"
      case 4:
        // Engines differ on repeats of what may be empty, so it never is here.
        return "(?:" + ["a", "[bc]", "."][random(3)] + pattern(depth + 1) + ")"
          + ["*", "+", "?", "*?", "+?", "{1,2}", "{2}"][random(7)]
      case 5: return ["a", "b", "[bc]", "."][random(4)] + ["*", "+", "?", "*?", "{0,2}"][random(5)]
      default: return pattern(depth + 1) + pattern(depth + 1)
      }
    }
    var compared = 0
    for _ in 0..<12 {
      let patterns = (0..<40).map { _ in pattern(0) }
      let made = patterns.map { "re[==[\($0)]==]" }.joined(separator: ", ")
      let judge = try Judge([
        "r.lua": "local all = { \(made) }\n"
          + ruleSource(
            "R",
            "local s = '' for i, p in ipairs(all) do local from, to = p:find(event.text) s = s .. (from and from .. '-' .. to or 'x') .. ' ' end return true, { Value = s }"
          )
      ])
      for _ in 0..<8 {
        let text = String((0..<random(9)).map { _ in Array("abc \n")[random(4)] })
        var expected = ""
        for pattern in patterns {
          let regex = try Regex(pattern).matchingSemantics(.unicodeScalar).wordBoundaryKind(.simple)
          if let match = text.firstMatch(of: regex) {
            let from = text.utf8.distance(from: text.startIndex, to: match.range.lowerBound)
            expected += "\(from + 1)-\(text.utf8.distance(from: text.startIndex, to: match.range.upperBound)) "
          } else {
            expected += "x "
          }
          compared += 1
        }
        let told = judge.value(.post(text)) ?? ""
        for (index, pair) in zip(told.split(separator: " "), expected.split(separator: " ")).enumerated()
        where pair.0 != pair.1 {
          Issue.record("\(patterns[index]) in '\(text)': \(pair.0), not \(pair.1)")
        }
        #expect(told.split(separator: " ").count == patterns.count, "\(judge.faults)")
      }
    }
    #expect(compared == 3840)
  }
}
