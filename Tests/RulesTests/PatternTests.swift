import FrameKit
import Testing

@testable import Rules

/// re"…": what patterns mean.
struct PatternTests {
  private func ask(_ pattern: String, _ expression: String, flags: String = "") throws -> String? {
    try RulesTests.ask(expression, prelude: "local R = re([==[\(pattern)]==], '\(flags)')")
  }

  @Test(
    arguments: [
      ("abc", "xabcx", "abc"), ("a.c", "abc", "abc"), ("a.c", "a\nc", "false"), ("(?s)a.c", "a\nc", "a\nc"),
      ("^abc", "xabc", "false"), ("abc$", "abcx", "false"), ("(?m)^b$", "a\nb\nc", "b"), ("a|b|cd", "xcd", "cd"),
      ("a*", "baaa", ""), ("a+", "baaa", "aaa"), ("a+?", "baaa", "a"), ("(ab)*c", "ababc", "ababc"),
      ("a{2,3}", "aaaa", "aaa"),
      ("a{2}", "a", "false"), ("a{2,}", "aaaa", "aaaa"), ("a{2,3}?", "aaaa", "aa"), ("x{0}y", "xy", "y"),
      ("a{,3}", "a{,3}", "a{,3}"),
      ("[a-c]+", "xxbca", "bca"), ("[^a-c]+", "abxyc", "xy"), ("[]a]+", "]a", "]a"), ("[a-]+", "-a", "-a"),
      ("[\\d_]+", "a1_2", "1_2"),
      ("[[:alpha:]]+", "12ab", "ab"), ("\\d+", "abc 123", "123"), ("\\D+", "12ab", "ab"),
      ("\\w+", "-- привет", "привет"),
      ("\\bмир\\b", "привет, мир!", "мир"), ("\\bми\\b", "мир", "false"), ("\\Bир", "мир", "ир"),
      ("\\s", "a\u{a0}b", "\u{a0}"),
      ("\\p{Han}+", "ab汉字", "汉字"), ("\\pL+", "12é", "é"), ("\\P{L}+", "ab12", "12"), ("\\p{^L}", "a1", "1"),
      ("\\x41\\u0042\\x{43}", "ABC", "ABC"),
      ("(?i)straße", "STRAẞE", "STRAẞE"), ("(?i)ПРИВЕТ", "привет", "привет"), ("(?i)k", "\u{212a}", "\u{212a}"),
      ("a(?i)b(?-i)c", "aBc", "aBc"),
      ("a(?i:b)c", "aBC", "false"), ("(?i:[a-c]+)d", "ABCd", "ABCd"), ("é", "cafe\u{301}", "false"), (".", "👩", "👩"),
      ("😀+", "a😀😀", "😀😀"),
      ("(a|ab)(c|bcd)", "abcd", "abcd"), ("a|ab", "ab", "a"), ("(?:a|ab)$", "ab", "ab"), ("(a*)*b", "aaab", "aaab"),
      ("(a*)+", "b", ""),
      ("\\Aabc\\z", "abc", "abc"), ("\\.\\*\\[\\]", "x.*[]", ".*[]"), ("(?P<name>a)(?<other>b)", "ab", "ab"),
      ("x*", "", ""), ("", "abc", ""),
      ("\\bfoo", "foo", "foo"), ("foo\\b", "foo", "foo"), ("\\b", "", "false"), ("\\B", "", ""), ("a$|b", "ab", "b"),
      ("[^\\x00-\\x7f]", "aé", "é"),
      ("(?:https?://)?t\\.me/[a-z]+", "see t.me/abc", "t.me/abc"),
      // A pattern that takes the whole text or nothing, and some that only look like one.
      ("^a.c$", "abc", "abc"), ("^a.c$", "xabc", "false"), ("^(a|b)+?$", "abab", "abab"), ("^$", "", ""),
      ("^$", "a", "false"),
      ("^a|b$", "xb", "b"), ("^(?:a|b$)", "ab", "a"), ("^a(?:b|$)", "abc", "ab"), ("^(?:ab?$)?", "abc", ""),
      ("^a(?:b$)*", "ac", "a"),
      ("(?m)^a$", "b\na\nb", "a"),
    ] as [(String, String, String)])
  func `a pattern finds what it means`(pattern: String, text: String, expected: String) throws {
    let event = TestEvent.post(text)
    let told = try RulesTests.ask("R:match(event.text)", event, prelude: "local R = re[==[\(pattern)]==]")
    #expect(told == expected.replacing("\n", with: "\\n"), "\(pattern) in \(text)")
  }

  @Test(
    arguments: [
      ("^ab*$", "select(2, R:find('abbb'))", "4"), ("^ab*$", "R:find('abbb')", "1"),
      ("^ab*$", "R:find('abbc') == nil", "true"),
      ("b+", "R:find('abbc')", "2"), ("b+", "select(2, R:find('abbc'))", "3"), ("z", "R:find('abc') == nil", "true"),
      ("(\\w+)@(\\w+)", "R:captures('me@home')", #"["me","home"]"#), ("a(b)?c(d)?", "R:captures('acd')", #"["","d"]"#),
      ("b.", "R:captures('abc')", #"["bc"]"#),
      ("(a)|(b)", "R:captures('b')", #"["","b"]"#), ("(a+)(a*)", "R:captures('aaa')", #"["aaa",""]"#),
      ("(a+?)(a*)", "R:captures('aaa')", #"["a","aa"]"#),
      ("z", "R:captures('abc') == nil", "true"), ("(?:(a)|b)*", "R:captures('ab')", #"["a"]"#),
      ("a", "R:count('banana')", "3"), ("aa", "R:count('aaaaa')", "2"),
      ("", "R:count('日本')", "3"), ("x*", "R:count('axxb')", "4"), ("\\b", "R:count('a b')", "4"),
      ("a", "R:count(nil)", "0"), ("a", "R:match(nil)", "false"),
      ("a", "R:find(nil) == nil and R:captures(nil) == nil", "true"),
    ] as [(String, String, String)])
  func `a pattern says where, what and how often`(pattern: String, expression: String, expected: String) throws {
    #expect(try ask(pattern, expression) == expected)
  }

  @Test(
    arguments: [
      ("(a", 1, "this ( is not closed"), ("a)", 2, "this ) closes nothing"), ("[a", 1, "this [ is not closed"),
      ("a**", 3, "repeated again"),
      ("*a", 1, "nothing to repeat"), ("a{5,2}", 2, "run backwards"), ("a{1001}", 2, "more than 1000 times"),
      ("(?=a)", 1, "looking around"),
      ("(?<!a)b", 1, "looking around"), ("(a)\\1", 4, "cannot be referred to"), ("\\q", 1, "no such escape"),
      ("\\p{Nonsense}", 1, "no such property"),
      ("[z-a]", 2, "runs backwards"), ("a++", 3, "possessive"), ("\\", 1, "stands at the end"),
      ("\\x{110000}", 1, "no character"), ("[[:nonsense:]]", 3, "no such class"),
      ("((((((((((a))))))))))", 10, "more than 9 groups"), ("(?:(?:(?:a{1000}){1000}){1000}){1000}", 1, "too large"),
      ("(?:(?:(?:){1000}){1000}){1000}", 1, "too large"), ("(?z)", 1, "no such group"),
    ] as [(String, Int, String)])
  func `a bad pattern does not load, and the error says where and what to try`(
    pattern: String, position: Int, what: String
  ) {
    let errors = loadErrors(["spam/r.lua": "\nlocal R = re[==[\(pattern)]==]\n" + ruleSource("R", "return true")])
    #expect(errors.count == 1)
    #expect(errors.first?.hasPrefix("spam/r.lua:2: the pattern '") == true, "\(errors)")
    #expect(errors.first?.contains("' is wrong at position \(position): ") == true, "\(errors)")
    #expect(errors.first?.contains(what) == true && errors.first?.contains("\n  try: ") == true, "\(errors)")
  }

  @Test func `a backslash that Lua took away is pointed out`() {
    let errors = loadErrors(["r.lua": "local R = re\"\\bword\\b\"\n" + ruleSource("R", "return true")])
    #expect(errors.first?.contains("a backspace stands here\n  try: re[[\\bword\\b]]") == true, "\(errors)")
  }

  @Test(
    arguments: [
      ("re'a'", "outside of `when`"), ("R:mach('x')", "a pattern has no 'mach', did you mean 'match'?"),
      ("R.match('x')", "with a colon"),
      ("count('a', 'b', 1).get(R)", "with a colon"),
    ] as [(String, String)])
  func `wrong use says what is right`(expression: String, expected: String) throws {
    #expect(try ask("a", expression)?.contains(expected) == true)
  }

  /// Many patterns beside each other are sifted by what must stand in a match; none may be lost by it.
  @Test func `patterns that are sifted together find what each finds alone`() throws {
    let patterns = [
      "(?i)spam", "wallet|casino", "a.{0,3}z", "\\d{3}", "(?i)ſtraße", "foo(bar|baz)?", "(?:x|yy)zz", "(?i)É+cole",
      "free\\s+money", "^free", "öl|ÖL",
    ]
    let texts = [
      "SPAM", "my Casino", "casino", "abz", "12 345", "STRASSE", "straße", "foobar", "foo", "yyzz xzz", "école ÉCOLE",
      "free  money", "öl", "nothing at all",
    ]
    let prelude = patterns.map { "re[==[\($0)]==]" }.joined(separator: ", ")
    let judge = try Judge([
      "r.lua": "local all = { \(prelude) }\n"
        + ruleSource(
          "R",
          "local s = '' for i, p in ipairs(all) do s = s .. (p:match(event.text) and i .. ' ' or '') end return true, { Value = s }"
        )
    ])
    for text in texts {
      var alone = ""
      for (index, pattern) in patterns.enumerated() {
        let told = try RulesTests.ask("R:match(event.text)", .post(text), prelude: "local R = re[==[\(pattern)]==]")
        if told != "false" { alone += "\(index + 1) " }
      }
      #expect(judge.value(.post(text)) == alone, "\(text)")
    }
  }
}
