import ArgumentParser
import Feeder
import Rules

struct DiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Two rule sets over the same traffic: newly firing, no longer firing, changed, with samples.",
    discussion: """
      What to read before a merge. Rules are matched by name; each set has its own memory.
        osprey-feeder diff --baseline rules --candidate my-rules --source capture:day.frames
        osprey-feeder diff --baseline rules --candidate my-rules --source capture:day.frames --fail-on gone --fail-on errors
      """)

  enum FailOn: String, CaseIterable, ExpressibleByArgument { case new, gone, changed, any, errors }

  @OptionGroup var options: TrialOptions
  @Option(help: "Folder with the rules as they are.")
  var baseline: String
  @Option(help: "Folder with the rules as they may become.")
  var candidate: String
  @Option(name: .customLong("for"), help: "Stop after so many seconds.")
  var seconds: Int?
  @Option(
    help: """
      Exit with 1 if there are hits only the candidate has (new), only the baseline has (gone), other effects, features \
      or modes (changed), any of these (any), or rules of the candidate that fail (errors). Repeatable.
      """)
  var failOn: [FailOn] = []
  @Flag(help: "End with one JSON object instead of the report.")
  var json = false

  mutating func run() throws {
    let accounts = try options.accounts()
    let old = try options.load(baseline, accounts, option: "--baseline")
    let new = try options.load(candidate, accounts, option: "--candidate")
    let run = try TrialRun(options, command: "diff")
    let comparison = SetComparison(
      baseline: RuleTrial(old, samples: 0, messageBytesMax: run.settings.messageBytesMax),
      candidate: RuleTrial(new, samples: 0, messageBytesMax: run.settings.messageBytesMax), samples: options.samples)
    let end = run.run(comparison, seconds: seconds)
    let differences = comparison.differences
    let failures = failures(differences)
    printText(
      json ? try jsonText(run, comparison, differences, failures) : text(run, comparison, differences, failures))
    if case .failed(let problem) = end { throw Failure("diff: \(problem)") }
    if !failures.isEmpty { throw ExitCode(1) }
  }

  private func failures(_ differences: [RuleDifference]) -> [String] {
    let found: [FailOn: Bool] = [
      .new: differences.contains { $0.newly > 0 }, .gone: differences.contains { $0.gone > 0 },
      .changed: differences.contains { $0.changed > 0 || $0.hasChangedMode },
      .errors: differences.contains { $0.candidate?.numbers.errors ?? 0 > 0 },
    ]
    return failOn.filter { kind in
      kind == .any ? found[.new] == true || found[.gone] == true || found[.changed] == true : found[kind] == true
    }.map(\.rawValue)
  }

  // MARK: Text

  private func text(
    _ run: TrialRun, _ comparison: SetComparison, _ differences: [RuleDifference], _ failures: [String]
  ) -> String {
    let before = comparison.baseline.totals
    let after = comparison.candidate.totals
    var lines = [
      run.summary(evaluated: after.evaluated, hits: after.hits)
        + " by the candidate, \(grouped(before.hits)) by the baseline",
      "",
    ]
    var table = TextTable([
      "<rule", "both", "newly firing", "no longer", "changed", "mean before", "after", "errors before", "after", "<",
    ])
    let different = differences.filter { $0.newly + $0.gone + $0.changed > 0 || !$0.notes.isEmpty }
    for difference in different {
      func cost(_ report: RuleReport?) -> String {
        report.map { duration(nanoseconds: $0.numbers.meanNanoseconds) } ?? "–"
      }
      func errors(_ report: RuleReport?) -> String { report.map { grouped($0.numbers.errors) } ?? "–" }
      table.add([
        difference.rule, grouped(difference.both), grouped(difference.newly), grouped(difference.gone),
        grouped(difference.changed), cost(difference.baseline), cost(difference.candidate),
        errors(difference.baseline), errors(difference.candidate), difference.notes.joined(separator: ", "),
      ])
    }
    if different.isEmpty {
      lines.append("no difference: \(differences.count) rules said the same about every event")
    } else {
      lines += table.lines
      lines.append("\(differences.count - different.count) more rules said the same about every event")
    }
    for difference in different { lines += samples(difference) }
    let costs = [comparison.baseline, comparison.candidate].map { Self.nanosecondsPerEvent($0, run.events) }
    lines.append("")
    lines.append(
      "all rules: \(duration(nanoseconds: costs[0])) an event before, \(duration(nanoseconds: costs[1])) after")
    if !failures.isEmpty { lines.append("failed on: \(failures.joined(separator: ", "))") }
    return lines.map { $0 + "\n" }.joined()
  }

  private func samples(_ difference: RuleDifference) -> [String] {
    var lines: [String] = []
    for (what, count, samples) in [
      ("newly firing", difference.newly, difference.newlySamples),
      ("no longer firing", difference.gone, difference.goneSamples),
      ("changed", difference.changed, difference.changedSamples),
    ] where count > 0 {
      lines += ["", "\(difference.rule): \(what) on \(grouped(count)) events"]
      lines += samples.map { "  " + RuleTable.line($0) }
    }
    if let fault = difference.candidate?.fault, !fault.isEmpty { lines += ["", "\(difference.rule) failed: \(fault)"] }
    return lines
  }

  private static func nanosecondsPerEvent(_ set: RuleTrial, _ events: Int) -> Int {
    set.report().reduce(0) { $0 + $1.numbers.nanoseconds } / max(1, events)
  }

  // MARK: JSON

  private struct Summary: Encodable {
    var ruleset: String
    var rules: Int
    var hits: Int
    var nsPerEvent: Int
  }

  private struct Rule: Encodable {
    var notes: [String]
    var both: Int
    var newlyFiring: Int
    var noLongerFiring: Int
    var changed: Int
    var modeBefore: String?
    var modeAfter: String?
    var meanNsBefore: Int?
    var meanNsAfter: Int?
    var errorsBefore: Int?
    var errorsAfter: Int?
    var newlyFiringSamples: [ReportJSON.Sample]
    var noLongerFiringSamples: [ReportJSON.Sample]
    var changedSamples: [ReportJSON.Sample]

    init(_ difference: RuleDifference) {
      notes = difference.notes
      both = difference.both
      newlyFiring = difference.newly
      noLongerFiring = difference.gone
      changed = difference.changed
      modeBefore = difference.baseline?.rule.mode.rawValue
      modeAfter = difference.candidate?.rule.mode.rawValue
      meanNsBefore = difference.baseline?.numbers.meanNanoseconds
      meanNsAfter = difference.candidate?.numbers.meanNanoseconds
      errorsBefore = difference.baseline?.numbers.errors
      errorsAfter = difference.candidate?.numbers.errors
      newlyFiringSamples = difference.newlySamples.map { ReportJSON.Sample($0) }
      noLongerFiringSamples = difference.goneSamples.map { ReportJSON.Sample($0) }
      changedSamples = difference.changedSamples.map { ReportJSON.Sample($0) }
    }
  }

  private struct Report: Encodable {
    var events: Int
    var baseline: Summary
    var candidate: Summary
    var newlyFiring: Int
    var noLongerFiring: Int
    var changed: Int
    var failedOn: [String]
    var rules: [String: Rule]
  }

  private func jsonText(
    _ run: TrialRun, _ comparison: SetComparison, _ differences: [RuleDifference], _ failures: [String]
  ) throws -> String {
    func summary(_ set: RuleTrial) -> Summary {
      Summary(
        ruleset: set.host.hash, rules: set.host.rules.count, hits: set.totals.hits,
        nsPerEvent: Self.nanosecondsPerEvent(set, run.events))
    }
    return try ReportJSON.line(
      Report(
        events: run.events, baseline: summary(comparison.baseline), candidate: summary(comparison.candidate),
        newlyFiring: differences.reduce(0) { $0 + $1.newly }, noLongerFiring: differences.reduce(0) { $0 + $1.gone },
        changed: differences.reduce(0) { $0 + $1.changed }, failedOn: failures,
        rules: Dictionary(uniqueKeysWithValues: differences.map { ($0.rule, Rule($0)) })))
  }
}
