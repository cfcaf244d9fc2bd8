import ATProto
import CLuaHost
import Osprey

/// Sees what a load compiles, and the host that is made, also where the load fails.
final class LoadInspector {
  fileprivate(set) var chunks: [ChunkFacts] = []
  /// Set by the load; taken away when the check is done, because the host holds on to this object.
  var host: RuleHost?

  func take(_ compiled: Bytes) {
    guard let file = try? CompiledChunk.read(compiled) else { return }
    let facts = ChunkFacts(file)
    if !facts.path.isEmpty, facts.path != "proof" { chunks.append(facts) }
  }
}

/// Something a rule author should look at.
package struct RuleProblem: Sendable, Equatable {
  package enum Severity: String, Sendable {
    /// The set does not load, or a rule would fail on some event.
    case error
    /// It works, but hardly as meant.
    case warning
  }

  package var severity: Severity
  /// Path below the rule directory, and line from 1.
  package var file: String
  package var line: Int
  package var what: String
  /// What to try; empty where `what` says it.
  package var attempt: String

  init(_ severity: Severity, _ file: String, _ line: Int, _ what: String, try attempt: String = "") {
    self.severity = severity
    self.file = file
    self.line = line
    self.what = what
    self.attempt = attempt
  }

  init(_ error: RuleError) {
    self.init(.error, error.file, error.line, error.what, try: error.attempt)
  }
}

/// All that is wrong with a rule set, found in one go: by loading it as `run` would and by reading what was compiled, so that
/// also the parts no load executes are looked at.
package struct RuleCheck {
  /// By file and line, errors and warnings mixed.
  package private(set) var problems: [RuleProblem] = []
  package private(set) var ruleCount = 0
  package private(set) var fileCount = 0

  package var errorCount: Int { problems.count { $0.severity == .error } }
  package var warningCount: Int { problems.count - errorCount }

  /// Checks the set in `directory`.
  package init(directory: String) {
    var errors: [RuleError] = []
    let files = RuleFiles.read(directory, errors: &errors)
    self.init(files, errors: errors)
    if files.isEmpty, errors.isEmpty {
      problems.append(
        RuleProblem(
          .error, directory, 1, "there are no rules here", try: "osprey-feeder rules new MyRule --dir \(directory)"))
    }
  }

  init(_ files: [RuleFile], errors: [RuleError] = []) {
    let inspector = LoadInspector()
    var loadErrors = errors
    do throws(RuleErrors) {
      _ = try RuleHost.load(files, errors: errors, inspector: inspector)
    } catch {
      loadErrors = error.errors
    }
    fileCount = files.count
    problems = loadErrors.map { RuleProblem($0) }
    var ruleNames: [String] = []
    if let host = inspector.host, host.lua != nil {
      ruleCount = host.rules.count
      ruleNames = host.rules.map(\.name)
      var reader = ChunkChecker(host: host, chunks: inspector.chunks, files: files)
      reader.check()
      add(reader.problems)
      add(RuleCheck.neverAsked(host.rules))
    }
    inspector.host = nil
    add(RuleCheck.tests(files, rules: ruleNames))
    problems.sort { ($0.file, $0.line, $0.what) < ($1.file, $1.line, $1.what) }
  }

  /// Leaves out what the load has said already: a line it stopped at.
  private mutating func add(_ found: [RuleProblem]) {
    for problem in found {
      let isKnown = problems.contains {
        $0.file == problem.file && $0.line == problem.line
          && ($0.what == problem.what || $0.what.contains(problem.what))
      }
      if !isKnown { problems.append(problem) }
    }
  }

  /// What is wrong with the tests beside the rules.
  private static func tests(_ files: [RuleFile], rules: [String]) -> [RuleProblem] {
    let ours = files.filter { $0.path.hasSuffix("_test.lua") }
    guard !ours.isEmpty, let reader = try? RuleHost.load([]) else { return [] }
    return ours.flatMap { file in
      let read = TestFile(file, host: reader)
      let unknown = read.cases.first { !rules.contains($0.rule) }.map { test in
        RuleProblem(.error, file.path, test.line, "there is no rule '\(test.rule)' to test")
      }
      return read.problems + (unknown.map { [$0] } ?? [])
    }
  }

  /// Rules whose actions have no collection while they ask for one.
  private static func neverAsked(_ rules: [RuleDefinition]) -> [RuleProblem] {
    rules.compactMap { rule in
      guard !rule.actions.isEmpty, !rule.collections.isEmpty,
        !rule.actions.contains(where: { $0.hasPrefix("operation#") })
      else { return nil }
      return RuleProblem(
        .warning, rule.file, rule.line,
        "\(rule.name) can never fire: it names collections, and its actions have none",
        try: "leave out `collections`, or add \"operation#create\" to `actions`")
    }
  }

  /// One JSON object: `{"problems":[{"severity","file","line","what","try"}…],"rules":N,"files":N,"errors":N,"warnings":N}`.
  package var json: String {
    let out = ByteWriter()
    out.append("{\"problems\":[")
    for (index, problem) in problems.enumerated() {
      out.append(index == 0 ? "{\"severity\":" : ",{\"severity\":")
      out.append(jsonText: problem.severity.rawValue)
      out.append(",\"file\":")
      out.append(jsonText: problem.file)
      out.append(",\"line\":\(problem.line),\"what\":" as String)
      out.append(jsonText: problem.what)
      out.append(",\"try\":")
      out.append(jsonText: problem.attempt)
      out.append("}")
    }
    out.append("],\"rules\":\(ruleCount),\"files\":\(fileCount)," as String)
    out.append("\"errors\":\(errorCount),\"warnings\":\(warningCount)}" as String)
    return out.bytes.string
  }
}

extension ByteWriter {
  /// A JSON string.
  func append(jsonText text: String) {
    let bytes = Array(text.utf8)
    withBytes(bytes) { _ = append(jsonString: $0) }
  }
}
