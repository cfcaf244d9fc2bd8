import ATProto
import CLuaHost

/// One `case` of a test file.
struct TestCase {
  /// The rule of the `tests "Name"` around it.
  var rule: String
  var name: String
  var file: String
  var line: Int
  /// Milliseconds from the start, and what happens then.
  var steps: [(offsetMs: Int64, event: EventSketch, expected: Expectation?)] = []
  /// What holds for the last event; `silent` for all of them.
  var expected = Expectation()
  /// What is known about the accounts the events are of, and about accounts by their DID.
  var account: TestAccount?
  var accounts: [(did: String, account: TestAccount)] = []
  /// When it begins, ms since 1970.
  var startMs = TestFile.defaultStartMs
}

/// What a case expects.
struct Expectation {
  var hits: [String] = []
  var silent: [String] = []
  var features: [(name: String, value: RuleValue)] = []
  var effects: [ExpectedEffect]?
}

/// An effect a case expects; nil parts are not looked at.
struct ExpectedEffect {
  var type: String
  var value: String?
  var entityType: String?
  var hours: Int64?
  var comment: String?
}

/// Reads a `*_test.lua`: the file is run in the sandbox and returns data.
struct TestFile {
  /// 2026-07-04T12:00:00Z.
  static let defaultStartMs: Int64 = 1_783_166_400_000
  static let stepsMax = 10_000
  private(set) var cases: [TestCase] = []
  private(set) var problems: [RuleProblem] = []
  private let path: String

  /// `host` is one without rules; it runs the file.
  init(_ file: RuleFile, host: RuleHost) {
    path = file.path
    host.loading = LoadingState()
    let code = file.bytes.withUnsafeBufferPointer { lh_load_tests(host.lua, file.path, $0.baseAddress, $0.count) }
    guard code == Int32(LH_OK), let root = host.loading.rules.first?.entries else {
      let error = RuleHost.error(in: file.path, from: String(cString: lh_error(host.lua)))
      problems.append(RuleProblem(.error, file.path, error.line, error.what))
      return
    }
    host.loading = LoadingState()
    let table = RuleValue.table(root)
    if table.make == "tests" {
      suite(table)
    } else {
      for entry in table.items { suite(entry) }
      if table.items.isEmpty { fail(1, "the file has no tests", try: "return tests \"RuleName\" { case \"…\" { … } }") }
    }
  }

  private mutating func fail(_ line: Int, _ what: String, try attempt: String = "") {
    problems.append(RuleProblem(.error, path, max(1, line), what, try: attempt))
  }

  private mutating func suite(_ value: RuleValue) {
    guard value.make == "tests", let rule = value["$name"]?.text else {
      return fail(value.line, "this is not tests \"RuleName\" { … }")
    }
    if value.items.isEmpty {
      fail(value.line, "tests \"\(rule)\" has no cases", try: "case \"…\" { post { … }, hits = true }")
    }
    for item in value.items { read(item, rule) }
    unknownKeys(value, known: [])
  }

  private mutating func read(_ value: RuleValue, _ rule: String) {
    guard value.make == "case", let name = value["$name"]?.text else {
      return fail(value.line, "an entry of tests \"\(rule)\" is not case \"…\" { … }")
    }
    var test = TestCase(rule: rule, name: name, file: path, line: value.line)
    unknownKeys(value, known: ["hits", "silent", "features", "effects", "account", "accounts", "time"])
    test.expected = expectation(value, rule)
    if let time = value["time"] {
      guard let text = time.text, let ms = withBytes(Array(text.utf8), { Timestamp.milliseconds($0) }) else {
        return fail(value.line, "'time' is not a time", try: "time = \"2026-07-04T03:00:00Z\"")
      }
      test.startMs = ms
    }
    if let account = value["account"] { test.account = self.account(account, test) }
    if case .table(let entries)? = value["accounts"] {
      for entry in entries.sorted(by: { $0.key < $1.key }) {
        test.accounts.append((EventSketch.did(entry.key), self.account(entry.value, test)))
      }
    }
    if value.items.isEmpty { return fail(value.line, "case \"\(name)\" has no event", try: "post { text = \"…\" }") }
    var now: Int64 = 0
    for item in value.items { steps(item, rule, &now, into: &test) }
    let expected = [test.expected] + test.steps.compactMap(\.expected)
    if expected.allSatisfy({ $0.hits.isEmpty && $0.silent.isEmpty && $0.features.isEmpty && $0.effects == nil }) {
      fail(value.line, "case \"\(name)\" expects nothing", try: "hits = true, or silent = true")
    }
    if test.steps.count > Self.stepsMax {
      fail(value.line, "case \"\(name)\" has more than \(Self.stepsMax) events")
    } else {
      cases.append(test)
    }
  }

  // MARK: Events

  /// One event, `at(seconds, event)`, `every(seconds, times, event)` or `sequence { … }`. `now` is when the one before was.
  private mutating func steps(_ value: RuleValue, _ rule: String, _ now: inout Int64, into test: inout TestCase) {
    guard test.steps.count <= Self.stepsMax else { return }
    switch value.make {
    case "sequence":
      for item in value.items { steps(item, rule, &now, into: &test) }
    case "at":
      let items = value.items
      guard items.count >= 2, let seconds = items[0].number, seconds >= 0 else {
        return fail(value.line, "at needs a time and an event", try: "at(seconds(5), post { … })")
      }
      now = Int64(seconds * 1000)
      let expected = items.count > 2 ? expectation(items[2], rule) : nil
      add(items[1], number: test.steps.count + 1, now, expected, into: &test)
    case "every":
      let items = value.items
      guard items.count >= 3, let seconds = items[0].number, seconds >= 0, let times = items[1].integer, times >= 1,
        times <= Int64(Self.stepsMax)
      else {
        return fail(value.line, "every needs a time, a number and an event", try: "every(seconds(2), 20, post { … })")
      }
      let step = Int64(seconds * 1000)
      if !test.steps.isEmpty { now += step }
      for number in 1...times {
        let expected = number == times && items.count > 3 ? expectation(items[3], rule) : nil
        add(items[2], number: Int(number), now, expected, into: &test)
        if number < times { now += step }
      }
    default:
      if !test.steps.isEmpty { now += 1000 }
      add(value, number: test.steps.count + 1, now, nil, into: &test)
    }
  }

  private mutating func add(
    _ value: RuleValue, number: Int, _ offsetMs: Int64, _ expected: Expectation?, into test: inout TestCase
  ) {
    do throws(SketchError) {
      let event = try EventSketch(value.numbered(number))
      test.steps.append((offsetMs, event, expected))
    } catch {
      fail(value.line > 0 ? value.line : test.line, error.what, try: error.attempt)
    }
  }

  // MARK: Expectations

  private mutating func expectation(_ value: RuleValue, _ rule: String) -> Expectation {
    var expected = Expectation()
    expected.hits = names(value["hits"], rule, value.line)
    expected.silent = names(value["silent"], rule, value.line)
    if let features = value["features"] {
      guard case .table(let entries) = features else {
        fail(value.line, "'features' is not a table", try: "features = { LinkCount = 9 }")
        return expected
      }
      expected.features = entries.map { ($0.key, $0.value) }.sorted { $0.name < $1.name }
    }
    if let effects = value["effects"] { expected.effects = self.effects(effects, value.line) }
    return expected
  }

  /// `true` (the rule the tests are of), a name, or a list of names.
  private mutating func names(_ value: RuleValue?, _ rule: String, _ line: Int) -> [String] {
    switch value {
    case nil: return []
    case .bool(true)?: return [rule]
    case .text(let name)?: return [name]
    case .table?:
      let names = value?.items.compactMap(\.text) ?? []
      if names.count == value?.items.count { return names }
      fallthrough
    default:
      fail(line, "'hits' and 'silent' are true, a rule's name, or a list of names", try: "hits = { \"\(rule)\" }")
      return []
    }
  }

  /// `{ label = "spam" }`, or the words of a rule: `{ label { "spam", on = "uri" } }`.
  private mutating func effects(_ value: RuleValue, _ line: Int) -> [ExpectedEffect] {
    guard case .table(let entries) = value else {
      fail(line, "'effects' is not a table", try: "effects = { label = \"spam\" }")
      return []
    }
    var found: [ExpectedEffect] = []
    for entry in entries.sorted(by: { ($0.key, $0.index) < ($1.key, $1.index) }) where !entry.key.hasPrefix("$") {
      if let kind = entry.value["$effect"]?.text {
        let on = entry.value["on"]
        found.append(
          ExpectedEffect(
            type: kind, value: entry.value.items.first?.text,
            entityType: on.map {
              $0.text == "uri" ? "AtUri" : $0.text == "did" ? "UserId" : $0.items.first?.text ?? ""
            },
            hours: entry.value["expires"]?.number.map { Int64(($0 / 3600).rounded(.up)) },
            comment: entry.value["comment"]?.text))
      } else if !entry.key.isEmpty {
        let values = entry.value.text.map { [$0] } ?? entry.value.items.compactMap(\.text)
        found += values.map { ExpectedEffect(type: entry.key, value: $0) }
        if values.isEmpty { found.append(ExpectedEffect(type: entry.key)) }
      } else {
        fail(line, "an entry of 'effects' is not an effect", try: "effects = { label = \"spam\" }")
      }
    }
    return found
  }

  private mutating func account(_ value: RuleValue, _ test: TestCase) -> TestAccount {
    unknownKeys(value, known: TestAccount.keys, of: "account", line: test.line)
    let account = TestAccount(value)
    if let what = account.add(EventSketch.defaultDID, startMs: test.startMs, to: AccountDirectory()) {
      fail(test.line, "account: \(what)")
    }
    return account
  }

  private mutating func unknownKeys(_ value: RuleValue, known: [String], of owner: String? = nil, line: Int = 0) {
    guard case .table(let entries) = value else { return }
    for key in entries.map(\.key).sorted() where !key.isEmpty && !key.hasPrefix("$") && !known.contains(key) {
      let near = nearestName(key, in: known)
      fail(
        max(line, value.line),
        "\(owner ?? value.make ?? "this") has no '\(key)'" + (near.map { ", did you mean '\($0)'?" } ?? ""),
        try: known.isEmpty ? "" : "it has \(known.joined(separator: ", "))")
    }
  }
}

// MARK: Reading values

extension RuleValue {
  /// The entry of that name of a table.
  subscript(key: String) -> RuleValue? {
    guard case .table(let entries) = self else { return nil }
    return entries.first { $0.key == key }?.value
  }

  /// The numbered entries of a table, in order.
  var items: [RuleValue] {
    guard case .table(let entries) = self else { return [] }
    return entries.filter { $0.key.isEmpty }.sorted { $0.index < $1.index }.map(\.value)
  }

  var text: String? { if case .text(let text) = self { text } else { nil } }
  var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  var integer: Int64? {
    switch self {
    case .integer(let value): value
    case .number(let value): Int64(exactly: value)
    default: nil
    }
  }
  var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }
  /// What a word of the tests made.
  var make: String? { self["$make"]?.text ?? (self["$effect"]?.text == "list" ? "list" : nil) }
  var line: Int { Int(self["$line"]?.integer ?? 0) }

  /// With `{n}` in every text replaced.
  func numbered(_ number: Int) -> RuleValue {
    switch self {
    case .text(let text): .text(text.replacing("{n}", with: "\(number)"))
    case .table(let entries):
      .table(entries.map { RuleEntry(key: $0.key, index: $0.index, value: $0.value.numbered(number)) })
    default: self
    }
  }
}
