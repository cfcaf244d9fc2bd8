import ATProto
import Glibc
import Osprey

/// What came of one case.
package struct TestResult: Sendable {
  package var rule: String
  package var name: String
  package var file: String
  package var line: Int
  /// What was not as expected; empty where the case passed. Each may have several lines.
  package var failures: [String] = []
  /// The last event, or the first one that was not as expected.
  package var event = ""
  /// What the rules concerned did with it.
  package var explanations: [RuleExplanation] = []
  package var milliseconds = 0.0
}

/// The tests beside the rules: `*_test.lua`, run in the sandbox, each case on a fresh state.
package struct RuleTestRun {
  /// Why the rules or the tests could not be loaded; no case has run then.
  package private(set) var problems: [RuleProblem] = []
  package private(set) var results: [TestResult] = []
  /// Rules that no passing case expects to fire, and to stay silent.
  package private(set) var neverFired: [String] = []
  package private(set) var neverSilent: [String] = []

  /// Types of the features that came by, and which of them each rule returned.
  private(set) var kinds: [String: FeatureKind] = [:]
  private(set) var features: [String: Set<String>] = [:]

  package var failureCount: Int { results.count { !$0.failures.isEmpty } }
  package var hasPassed: Bool { problems.isEmpty && failureCount == 0 }

  /// Runs the tests of `directory`; with `only`, those of that rule, or whose case contains these words.
  package init(directory: String, only: String? = nil) {
    var errors: [RuleError] = []
    let files = RuleFiles.read(directory, errors: &errors)
    self.init(files, errors: errors, only: only)
  }

  init(_ files: [RuleFile], errors: [RuleError] = [], only: String? = nil) {
    var runner: CaseRunner
    var cases: [TestCase] = []
    do throws(RuleErrors) {
      runner = CaseRunner(host: try CaseRunner.load(files, errors: errors), files: files)
      let reader = try RuleHost.load([])
      for file in files where file.path.hasSuffix("_test.lua") {
        let read = TestFile(file, host: reader)
        cases += read.cases
        problems += read.problems
      }
    } catch {
      problems = error.errors.map { RuleProblem($0) }
      return
    }
    checkNames(cases, runner.host.rules.map(\.name))
    guard problems.isEmpty else { return }
    if let only {
      cases = cases.filter { $0.rule == only || $0.name.contains(only) }
      if cases.isEmpty {
        problems.append(RuleProblem(.error, "", 1, "no test is of '\(only)'", try: "--only RuleName"))
      }
    }
    var fired: Set<String> = [], silent: Set<String> = []
    for test in cases {
      let result = runner.run(test)
      results.append(result)
      guard result.failures.isEmpty else { continue }
      for expected in [test.expected] + test.steps.compactMap(\.expected) {
        fired.formUnion(expected.hits)
        silent.formUnion(expected.silent)
      }
    }
    kinds = runner.kinds
    features = runner.returned
    guard only == nil else { return }
    neverFired = runner.host.rules.map(\.name).filter { !fired.contains($0) }
    neverSilent = runner.host.rules.map(\.name).filter { !silent.contains($0) }
  }

  private mutating func checkNames(_ cases: [TestCase], _ names: [String]) {
    var seen: Set<String> = []
    for test in cases {
      let all = [test.expected] + test.steps.compactMap(\.expected)
      for name in [test.rule] + all.flatMap({ $0.hits + $0.silent })
      where !names.contains(name) && seen.insert("\(test.file) \(name)").inserted {
        let near = nearestName(name, in: names)
        problems.append(
          RuleProblem(
            .error, test.file, test.line, "there is no rule '\(name)'" + (near.map { ", did you mean '\($0)'?" } ?? ""))
        )
      }
    }
  }

  /// The results as JUnit XML, one suite per file.
  package var junit: String {
    var out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    let seconds = results.reduce(0) { $0 + $1.milliseconds } / 1000
    let errors = problems.count
    out += "<testsuites tests=\"\(results.count + errors)\" failures=\"\(failureCount)\" errors=\"\(errors)\" "
    out += "time=\"\(decimal(seconds))\">\n"
    if !problems.isEmpty {
      out += "  <testsuite name=\"loading\" tests=\"\(errors)\" failures=\"0\" errors=\"\(errors)\" time=\"0.000\">\n"
      for problem in problems {
        let place = "\(problem.file):\(problem.line)"
        out += "    <testcase classname=\"loading\" name=\"\(xml(place))\" time=\"0.000\">"
        out += "<error message=\"\(xml(problem.what))\"/></testcase>\n"
      }
      out += "  </testsuite>\n"
    }
    var files: [String] = []
    for result in results where files.last != result.file { files.append(result.file) }
    for file in files {
      let ours = results.filter { $0.file == file }
      let time = ours.reduce(0) { $0 + $1.milliseconds } / 1000
      out += "  <testsuite name=\"\(xml(file))\" tests=\"\(ours.count)\" "
      out += "failures=\"\(ours.count { !$0.failures.isEmpty })\" errors=\"0\" time=\"\(decimal(time))\">\n"
      for result in ours {
        out += "    <testcase classname=\"\(xml(result.rule))\" name=\"\(xml(result.name))\" "
        out += "file=\"\(xml(result.file))\" line=\"\(result.line)\" time=\"\(decimal(result.milliseconds / 1000))\""
        if result.failures.isEmpty {
          out += "/>\n"
        } else {
          let text = ([result.event] + result.failures).joined(separator: "\n")
          out += "><failure message=\"\(xml(result.failures[0]))\">\(xml(text))</failure></testcase>\n"
        }
      }
      out += "  </testsuite>\n"
    }
    return out + "</testsuites>\n"
  }

  private func decimal(_ seconds: Double) -> String {
    let thousandths = Int((seconds * 1000).rounded())
    return "\(thousandths / 1000).\("00\(thousandths % 1000)".suffix(3))"
  }

  /// Escaped; what XML 1.0 cannot hold is left out.
  private func xml(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      case "\n": out += "&#10;"
      case "\t": out += "&#9;"
      case _ where scalar.value < 0x20 || scalar.value == 0xfffe || scalar.value == 0xffff: break
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}
