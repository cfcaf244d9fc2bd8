import Osprey

/// Holds what was seen in the compiled files against the names, lists and files there are.
struct ChunkChecker {
  private let host: RuleHost
  private let chunks: [ChunkFacts]
  private let files: [RuleFile]
  private let known: Set<String>
  private var answers: [String: String?] = [:]
  private(set) var problems: [RuleProblem] = []

  init(host: RuleHost, chunks: [ChunkFacts], files: [RuleFile]) {
    self.host = host
    self.chunks = chunks
    self.files = files
    known = Set(host.reachableNames)
  }

  mutating func check() {
    for chunk in chunks {
      var seen: Set<ChunkFacts.Use> = []
      for use in chunk.uses where seen.insert(use).inserted { check(use, chunk.path, chunk.locals) }
      for call in chunk.calls { check(call, chunk.path) }
      check(chunk)
    }
    checkFeatures()
    checkComments()
    checkFiles()
  }

  private mutating func report(
    _ severity: RuleProblem.Severity, _ file: String, _ line: Int, _ what: String, try attempt: String = ""
  ) {
    problems.append(RuleProblem(severity, file, line, what, try: attempt))
  }

  // MARK: Names

  private mutating func check(_ use: ChunkFacts.Use, _ path: String, _ locals: Set<String>) {
    switch use.kind {
    case .name:
      if known.contains(use.name) { return }
      // A member of what is no library is an entry of a table, or nothing the environment knows.
      if let dot = use.name.firstIndex(of: "."), !isLibrary(String(use.name[..<dot])) { return }
      guard let message = ask(use.name) else { return }
      let isOpen = message.hasSuffix("does not exist here")
      let near = isOpen ? nearestName(use.name, in: locals.sorted()) : nil
      report(.error, path, use.line, message + (near.map { ", did you mean '\($0)'?" } ?? ""))
    case .field:
      if EventField.allCases.contains(where: { $0.name == use.name }) { return }
      let near = nearestName(use.name, in: EventField.allCases.map(\.name))
      report(.error, path, use.line, "event has no '\(use.name)'" + (near.map { ", did you mean '\($0)'?" } ?? ""))
    case .method:
      if known.contains(use.name) { return }
      let parts = use.name.split(separator: ":").map(String.init)
      let methods = known.filter { $0.hasPrefix("\(parts[0]):") }.map { String($0.dropFirst(parts[0].count + 1)) }
      if methods.isEmpty { return }
      let near = nearestName(parts.last ?? "", in: methods.sorted())
      let owner = parts[0] == "object" ? "this" : "a \(parts[0])"
      report(
        .error, path, use.line, "\(owner) has no '\(parts.last ?? "")'" + (near.map { ", did you mean '\($0)'?" } ?? "")
      )
    case .misplaced:
      report(
        .error, path, use.line, "'\(use.name)' belongs outside of `when`",
        try: ["list", "use", "re"].contains(use.name) ? "local found = \(use.name) \"…\" above the rule" : "")
    case .assignment:
      report(.error, path, use.line, "'\(use.name)' would be a global: write `local \(use.name)`")
    }
  }

  private func isLibrary(_ name: String) -> Bool { known.contains { $0.hasPrefix(name + ".") } }

  /// What the environment itself says when asked for an expression; nil where it has no objection.
  private mutating func ask(_ expression: String) -> String? {
    if let answer = answers[expression] { return answer }
    let message = host.run("expression", Array("local _ = \(expression)\nreturn rule {}".utf8))
    let answer = message.map { RuleHost.error(in: "", from: $0).what }
    answers[expression] = answer
    return answer
  }

  /// A list or a pattern that stands where a load does not come by.
  private mutating func check(_ call: ChunkFacts.Call, _ path: String) {
    guard call.function == "list" || call.function == "re" || call.function == "use" else { return }
    if call.argument.hasPrefix("at://") { return }
    if let message = ask("\(call.function)(\(literal(call.argument)))") { report(.error, path, call.line, message) }
  }

  /// A Lua text with every byte that is not plain written as a number.
  private func literal(_ text: String) -> String {
    "\""
      + text.utf8.map { byte in
        let isPlain = byte >= 0x20 && byte < 0x7f && byte != 0x22 && byte != 0x5c
        let digits = "00\(byte)".suffix(3)
        return isPlain ? String(UnicodeScalar(byte)) : "\\\(digits)"
      }.joined() + "\""
  }

  // MARK: Rules

  private mutating func check(_ chunk: ChunkFacts) {
    for when in chunk.whens where !when.canHit {
      let owner = chunk.rules.first { $0.whenLine == when.line }?.name ?? "the rule"
      report(
        .warning, chunk.path, max(1, when.line), "\(owner) can never fire: its `when` returns only false or nil",
        try: "return true for a hit")
    }
    for rule in chunk.rules where rule.emptyKeys.contains("actions") {
      report(
        .warning, chunk.path, rule.line, "`actions` is empty, which means every action",
        try: "leave it out, or actions = { \"operation#create\" }")
    }
    for rule in chunk.rules where rule.emptyKeys.contains("collections") {
      report(
        .warning, chunk.path, rule.line, "`collections` is empty, which means every collection and events without one",
        try: "leave it out, or collections = { \"app.bsky.feed.post\" }")
    }
  }

  /// A feature that fails whenever it is returned, by its name; or that two places return with two types: whichever comes second
  /// fails.
  private mutating func checkFeatures() {
    var first: [String: (kind: FeatureKind, path: String, line: Int)] = [:]
    for chunk in chunks {
      for feature in chunk.whens.flatMap(\.features) {
        if !isFeatureName(feature.name) {
          report(.error, chunk.path, feature.line, "the feature '\(feature.name)' is not PascalCase")
          continue
        }
        if let rule = host.rules.first(where: { $0.name == feature.name }) {
          report(
            .error, chunk.path, feature.line,
            "the feature '\(feature.name)' has the name of a rule, \(rule.file):\(rule.line): that is a column already",
            try: "another name")
        } else if defaultFeatureNames.contains(feature.name) {
          report(
            .error, chunk.path, feature.line, "'\(feature.name)' is the name of a feature every verdict has",
            try: "another name")
        }
        guard let kind = feature.kind else { continue }
        guard let before = first[feature.name] else {
          first[feature.name] = (kind, chunk.path, feature.line)
          continue
        }
        if isNumber(before.kind) && isNumber(kind) || before.kind == kind { continue }
        report(
          .error, chunk.path, feature.line,
          "the feature '\(feature.name)' is \(kind.name) here and \(before.kind.name) in \(before.path):\(before.line)",
          try: "one type, or another name")
      }
    }
  }

  private func isNumber(_ kind: FeatureKind) -> Bool { kind == .integer || kind == .double }

  /// `{Name}` in a comment that no file can have written as the name of a feature.
  private mutating func checkComments() {
    let texts = chunks.reduce(into: defaultFeatureNames) { $0.formUnion($1.texts) }
    let features = Set(chunks.flatMap(\.whens).flatMap(\.features).map(\.name)).sorted()
    for rule in host.rules {
      for case .feature(let name) in rule.effects.flatMap(\.comment) where !texts.contains(name) {
        let near = nearestName(name, in: features)
        report(
          .warning, rule.file, rule.line,
          "a comment of \(rule.name) names the feature '\(name)', which nothing returns",
          try: near.map { "{\($0)}" } ?? "return true, { \(name) = … }")
      }
    }
  }

  // MARK: Files

  /// Lists and shared functions nobody asks for.
  private mutating func checkFiles() {
    let texts = chunks.reduce(into: Set<String>()) { $0.formUnion($1.texts) }
    for file in files {
      if file.path.hasPrefix("lists/"), file.path.hasSuffix(".txt") {
        let name = String(file.path.dropFirst(6).dropLast(4))
        if !texts.contains(name), !texts.contains(file.path) {
          report(.warning, file.path, 1, "no rule uses this list", try: "list \"\(name)\", or remove the file")
        }
      } else if file.path.hasPrefix("lib/"), file.path.hasSuffix(".lua"), !file.path.hasSuffix("_test.lua") {
        let name = String(file.path.dropLast(4))
        if !texts.contains(name), !texts.contains(String(name.dropFirst(4))) {
          report(.warning, file.path, 1, "no file uses this one", try: "use \"\(name)\", or remove the file")
        }
      }
    }
  }
}
