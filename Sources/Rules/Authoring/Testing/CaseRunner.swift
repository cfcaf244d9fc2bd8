import ATProto
import Glibc
import Osprey

/// Runs cases one after the other on one rule set, each from a fresh state.
struct CaseRunner {
  private(set) var host: RuleHost
  private let files: [RuleFile]
  private let verdict = Verdict()
  /// Types of the features that came by, and which of them each rule returned.
  private(set) var kinds: [String: FeatureKind] = [:]
  private(set) var returned: [String: Set<String>] = [:]

  init(host: RuleHost, files: [RuleFile]) {
    self.host = host
    self.files = files
  }

  mutating func run(_ test: TestCase) -> TestResult {
    var result = TestResult(rule: test.rule, name: test.name, file: test.file, line: test.line)
    let start = CaseRunner.now()
    host.state = RuleState()
    host.facts.directory = directory(test)
    var hasFailedRule = false
    for (index, step) in test.steps.enumerated() {
      let isLast = index == test.steps.count - 1
      let clockMs = test.startMs + step.offsetMs
      var expected = step.expected ?? Expectation()
      if isLast { expected.merge(test.expected) } else { expected.silent += test.expected.silent }
      let isExplained = isLast || step.expected != nil
      let told = step.event.withAction(number: index + 1, clockMs: clockMs) { action in
        if isExplained { return host.explain(action, into: verdict) }
        _ = host.judge(action, into: verdict, fillsAlways: true)
        return []
      }
      learn(told)
      hasFailedRule = hasFailedRule || verdict.errorCount > 0
      let failures = check(expected, told)
      if isLast || !failures.isEmpty {
        let which =
          test.steps.count > 1
          ? "event \(index + 1) of \(test.steps.count), after \(CaseRunner.seconds(step.offsetMs)): " : ""
        result.event = which + step.event.summary
        result.failures = failures
        let names = Set([test.rule] + expected.hits + expected.silent)
        result.explanations = told.filter { names.contains($0.rule.name) }
        if !failures.isEmpty { break }
      }
    }
    // A rule that fails too often would be set aside, and what it learnt of features stays: the next case begins anew.
    if hasFailedRule, let fresh = try? CaseRunner.load(files) { host = fresh }
    result.milliseconds = CaseRunner.now() - start
    return result
  }

  /// A set as its tests run it: what verdicts leave out can be expected too.
  static func load(_ files: [RuleFile], errors: [RuleError] = []) throws(RuleErrors) -> RuleHost {
    var options = RuleOptions()
    options.showsPrivateFeatures = true
    return try RuleHost.load(files, errors: errors, options: options)
  }

  /// What the case knows about accounts; what it says of one by name goes before what it says of all.
  private func directory(_ test: TestCase) -> AccountDirectory? {
    guard test.account != nil || !test.accounts.isEmpty else { return nil }
    let directory = AccountDirectory()
    if let account = test.account {
      for did in Set(test.steps.map(\.event.did)).sorted() {
        _ = account.add(did, startMs: test.startMs, to: directory)
      }
    }
    for (did, account) in test.accounts { _ = account.add(did, startMs: test.startMs, to: directory) }
    return directory
  }

  private mutating func learn(_ told: [RuleExplanation]) {
    for feature in verdict.features {
      let name = verdict[feature.name].string
      guard kinds[name] == nil else { continue }
      switch feature.value {
      case .bool: kinds[name] = .bool
      case .integer: kinds[name] = .integer
      case .double: kinds[name] = .double
      case .text: kinds[name] = .text
      case .list: kinds[name] = .list
      }
    }
    for rule in told where !rule.features.isEmpty {
      returned[rule.rule.name, default: []].formUnion(rule.features.map(\.name))
    }
  }

  // MARK: Expected against got

  private func outcome(_ name: String) -> Verdict.Outcome? {
    host.outcomes.first { host.rules[$0.rule].name == name }?.outcome
  }

  private func check(_ expected: Expectation, _ told: [RuleExplanation]) -> [String] {
    var failures: [String] = []
    func why(_ name: String) -> String {
      guard let told = told.first(where: { $0.rule.name == name }) else { return "" }
      let features = told.features.map { "\n  \($0.name) = \($0.value)" }.joined()
      return told.reason + features
    }
    for name in expected.hits where outcome(name) != .hit {
      failures.append("expected \(name) to hit, got: \(why(name))")
    }
    for name in expected.silent {
      switch outcome(name) {
      case .hit: failures.append("expected \(name) to stay silent, got: \(told.isEmpty ? "hit" : why(name))")
      case .failed: failures.append("expected \(name) to stay silent, got: \(told.isEmpty ? "failed" : why(name))")
      case .miss, .notApplicable, nil: break
      }
    }
    failures += checkFeatures(expected.features)
    if let effects = expected.effects { failures += checkEffects(effects) }
    return failures
  }

  private func checkFeatures(_ expected: [(name: String, value: RuleValue)]) -> [String] {
    expected.compactMap { name, value in
      let feature = verdict.features.first { verdict[$0.name].string == name }
      let got = feature.map { CaseRunner.value($0.value, verdict) }
      if let got, CaseRunner.isEqual(got, value) { return nil }
      return "expected the feature \(name) = \(value.shown()), got: \(got?.shown() ?? "none of that name")"
    }
  }

  private static func value(_ value: Verdict.FeatureValue, _ verdict: Verdict) -> RuleValue {
    switch value {
    case .bool(let value): .bool(value)
    case .integer(let value): .integer(value)
    case .double(let value): .number(value)
    case .text(let slice): .text(verdict[slice].string)
    case .list(let first, let count): .list(verdict.items[first..<first + count].map { .text(verdict[$0].string) })
    }
  }

  private static func isEqual(_ got: RuleValue, _ expected: RuleValue) -> Bool {
    switch (got, expected) {
    case (.text(let one), .text(let other)): return one == other
    case (.bool(let one), .bool(let other)): return one == other
    case (.integer, _), (.number, _):
      guard let one = got.number, let other = expected.number else { return false }
      return abs(one - other) <= 1e-9 * max(1, abs(other))
    case (.table, .table):
      let (ours, theirs) = (got.items, expected.items)
      return ours.count == theirs.count && zip(ours, theirs).allSatisfy { isEqual($0, $1) }
    default: return false
    }
  }

  private func checkEffects(_ expected: [ExpectedEffect]) -> [String] {
    let got = verdict.effects
    func shown() -> String {
      got.isEmpty ? "none" : got.map { "\n  " + host.describe($0, verdict) }.joined()
    }
    if expected.isEmpty { return got.isEmpty ? [] : ["expected no effects, got: \(shown())"] }
    return expected.compactMap { want in
      let isThere = got.contains { effect in
        effect.type.text.description == want.type
          && want.value.map { verdict[effect.value].string == $0 } ?? true
          && want.entityType.map { verdict[effect.entityType].string == $0 } ?? true
          && want.hours.map { effect.hours == $0 } ?? true
          && want.comment.map { verdict[effect.comment].string == $0 } ?? true
      }
      return isThere ? nil : "expected the effect \(want.shown), got: \(shown())"
    }
  }

  // MARK: Times

  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) * 1000 + Double(time.tv_nsec) / 1e6
  }

  private static func seconds(_ ms: Int64) -> String { ms % 1000 == 0 ? "\(ms / 1000) s" : "\(ms) ms" }
}

extension Expectation {
  mutating func merge(_ other: Expectation) {
    hits += other.hits
    silent += other.silent
    features += other.features
    if let effects = other.effects { self.effects = (self.effects ?? []) + effects }
  }
}

extension ExpectedEffect {
  var shown: String {
    var text = type
    if let value { text += " \(quoted(value))" }
    if let entityType { text += " on \(entityType)" }
    if let hours { text += " for \(hours) h" }
    if let comment { text += ": \(comment)" }
    return text
  }
}
