import ArgumentParser
import Glibc

/// Everything a rule author does without traffic.
struct RulesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rules", abstract: "Check, test, list, write and explain moderation rules.",
    subcommands: [
      RulesCheckCommand.self, RulesTestCommand.self, RulesNewCommand.self, RulesListCommand.self,
      RulesExplainCommand.self, RulesBenchCommand.self, RulesExportCommand.self, RulesReferenceCommand.self,
    ])
}

/// Standard output of the rules commands.
func printText(_ text: String) {
  var rest = Array(text.utf8)[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(1, $0.baseAddress!, $0.count) }
    if count > 0 {
      rest = rest.dropFirst(count)
    } else if errno != EINTR {
      // Whoever read (`| head`) has gone.
      exit(errno == EPIPE ? 0 : 1)
    }
  }
}
