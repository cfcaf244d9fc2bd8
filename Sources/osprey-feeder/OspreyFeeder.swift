import ArgumentParser
import Glibc

/// The command line. Each command checks its options, builds what it needs from the rooms and runs it.
@main
struct OspreyFeeder: ParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "osprey-feeder",
    abstract: "From the AT Protocol firehose, through moderation rules in Lua, to Kafka.",
    discussion: """
      Try it without anything else installed:
        osprey-feeder run --source simulator --bootstrap-servers embedded
      Exit codes: 0 the promise was kept, 1 it was not, 2 wrong use or configuration.
      """,
    version: version,
    subcommands: [
      RunCommand.self, DecodeCommand.self, CaptureCommand.self, SimulateCommand.self, EmbeddedBrokerCommand.self,
      RulesCommand.self, DryRunCommand.self, BacktestCommand.self, DiffCommand.self, TailCommand.self,
    ])

  /// The parser's own exit code for wrong use is 64; ours is 2 (CONTRACT.md, "Exit codes").
  static func main() {
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      let code = exitCode(for: error)
      if code == .success {
        print(fullMessage(for: error))
        Glibc.exit(0)
      }
      if !(error is ExitCode) { Console.error(message(for: error)) }
      Glibc.exit(code == .validationFailure || error is UsageError ? 2 : code.rawValue)
    }
  }
}

/// Wrong use or configuration: one line that says what, where, what to try. Exit code 2.
struct UsageError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// A promise not kept. Exit code 1.
struct Failure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
