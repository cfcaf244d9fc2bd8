import ArgumentParser
import Feeder
import Foundation
import Rules

struct DryRunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dry-run",
    abstract: "Rules over live or recorded traffic: what would fire, where, at what cost. Writes no topic.",
    discussion: """
      Shadow and live rules both count. On a terminal the table is refreshed; Ctrl-C ends with the summary.
        osprey-feeder dry-run --source simulator --rules rules --for 30
        osprey-feeder dry-run --source relay --rules my-rules
      """)

  @OptionGroup var options: TrialOptions
  @Option(help: "Folder with the rules.")
  var rules = "rules"
  @Option(name: .customLong("for"), help: "Stop after so many seconds.")
  var seconds: Int?
  @Flag(help: "End with one JSON object instead of the report.")
  var json = false

  mutating func validate() throws {
    guard seconds ?? 1 > 0 else { throw ValidationError("--for: a positive number of seconds") }
  }

  mutating func run() throws {
    let host = try options.load(rules, try options.accounts())
    let run = try TrialRun(options, command: "dry-run")
    let set = RuleTrial(host, samples: options.samples, messageBytesMax: run.settings.messageBytesMax)
    let screen = RefreshedScreen()
    let end = run.run(Backtest(set), seconds: seconds, tickMs: screen.isTerminal ? 500 : 5000) {
      let totals = set.totals
      let first = run.summary(evaluated: totals.evaluated, hits: totals.hits)
      if screen.isTerminal {
        // What hits most comes first: a terminal has few lines.
        let reports = set.report().sorted {
          ($1.numbers.hits, $1.numbers.evaluations, $0.rule.name) < (
            $0.numbers.hits, $0.numbers.evaluations, $1.rule.name
          )
        }
        screen.show([first, ""] + RuleTable.lines(reports, withLast: true))
      } else {
        Console.write("\(first)\n")
      }
    }
    screen.clear()
    let report = TrialReport(run: run, set: set, score: nil, isComplete: end == .complete)
    printText(json ? try report.json : report.text)
    if case .failed(let problem) = end { throw Failure("dry-run: \(problem)") }
  }
}

/// A few lines on the terminal (standard error) that are drawn over again; as many as fit.
final class RefreshedScreen {
  let isTerminal = Console.isTerminal
  private var drawn = 0

  func show(_ lines: [String]) {
    guard isTerminal else { return }
    var size = winsize()
    let isKnown = ioctl(2, UInt(TIOCGWINSZ), &size) == 0 && size.ws_row > 0 && size.ws_col > 0
    let rows = isKnown ? Int(size.ws_row) - 1 : 24
    let columns = isKnown ? Int(size.ws_col) : 80
    var shown = lines.map { String($0.prefix(columns)) }
    if shown.count > rows { shown = shown.prefix(rows - 1) + ["… \(shown.count - rows + 1) more rules"] }
    var text = drawn > 0 ? "\u{1b}[\(drawn)A" : ""
    for line in shown { text += "\r\u{1b}[K\(line)\n" }
    text += "\u{1b}[J"
    drawn = shown.count
    FileHandle.standardError.write(Data(text.utf8))
  }

  /// Removes what was drawn.
  func clear() {
    guard isTerminal, drawn > 0 else { return }
    FileHandle.standardError.write(Data("\u{1b}[\(drawn)A\r\u{1b}[J".utf8))
    drawn = 0
  }
}
