import ArgumentParser
import Foundation
import Rules

struct RulesTestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Run the tests that stand beside the rules (*_test.lua).",
    discussion: """
      Each case begins with counters and memory empty. Failures show the event, what was expected and what came; the end says
      which rules no test makes fire and which none makes stay silent. Exit code 1 when a case fails.
      """)

  @Argument(help: "The rule directory.")
  var directory = "rules"
  @Option(help: "Only tests of this rule, or cases with these words in their names.")
  var only: String?
  @Flag(help: "Show each value the rule looked at.")
  var trace = false
  @Option(help: "Also write the results as JUnit XML.")
  var junit: String?

  func run() throws {
    let tests = RuleTestRun(directory: directory, only: only)
    if let junit {
      guard FileManager.default.createFile(atPath: junit, contents: Data(tests.junit.utf8)) else {
        throw UsageError("--junit: cannot write \(junit)")
      }
    }
    for problem in tests.problems {
      printText("\(problem.file):\(problem.line): \(problem.what)\n")
      if !problem.attempt.isEmpty { printText("  try: \(problem.attempt)\n") }
    }
    for result in tests.results where trace || !result.failures.isEmpty { show(result) }
    for (names, what) in [(tests.neverFired, "fire"), (tests.neverSilent, "stay silent")] where tests.problems.isEmpty {
      if !names.isEmpty { printText("no test makes these \(what): \(names.joined(separator: ", "))\n") }
    }
    let time = Int(tests.results.reduce(0) { $0 + $1.milliseconds })
    if tests.problems.isEmpty {
      let passed = tests.results.count - tests.failureCount
      printText("\(counted(tests.results.count, "case")): \(passed) passed, \(tests.failureCount) failed, \(time) ms\n")
    }
    if !tests.hasPassed { throw ExitCode(1) }
  }

  private func show(_ result: TestResult) {
    let mark = result.failures.isEmpty ? "ok   " : "FAIL "
    printText("\(mark)\(result.rule): \(result.name)  (\(result.file):\(result.line))\n")
    printText("  event: \(result.event)\n")
    for failure in result.failures { printText("  \(failure.replacing("\n", with: "\n  "))\n") }
    guard trace else { return }
    for told in result.explanations {
      printText("  \(told.rule.name): \(told.reason)\n")
      for read in told.reads { printText("    \(read.name) = \(read.value)\n") }
      if told.readsLeftOut > 0 { printText("    … and \(told.readsLeftOut) more\n") }
      for effect in told.effects { printText("    → \(effect)\n") }
    }
  }
}
