import ArgumentParser
import Rules

struct RulesCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Find everything that is wrong with a rule set, without running it on events.",
    discussion: """
      Loads the set as `run` would and also looks at the code a load does not execute. Errors keep a set from loading or make a
      rule fail; warnings are about rules that cannot do what they seem to. Exit code 1 with an error, under --strict also with a
      warning.
      """)

  @Argument(help: "The rule directory.")
  var directory = "rules"
  @Flag(help: "One JSON object instead of text.")
  var json = false
  @Flag(help: "Warnings count as errors.")
  var strict = false

  func run() throws {
    let check = RuleCheck(directory: directory)
    if json {
      printText(check.json + "\n")
    } else {
      for problem in check.problems {
        printText("\(problem.file):\(problem.line): \(problem.severity): \(problem.what)\n")
        if !problem.attempt.isEmpty { printText("  try: \(problem.attempt)\n") }
      }
      let rules = counted(check.ruleCount, "rule"), files = counted(check.fileCount, "file")
      let found = "\(counted(check.errorCount, "error")), \(counted(check.warningCount, "warning"))"
      printText("\(rules) in \(files): \(check.problems.isEmpty ? "nothing to complain about" : found)\n")
    }
    if check.errorCount > 0 || (strict && !check.problems.isEmpty) { throw ExitCode(1) }
  }
}

/// `1 rule`, `3 rules`.
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
