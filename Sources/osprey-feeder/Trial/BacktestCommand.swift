import ATProto
import ArgumentParser
import Feeder
import Foundation
import Rules

struct BacktestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backtest",
    abstract: "Rules over a capture file or a range of the actions topic: what they would have hit.",
    discussion: """
      Decodes on all cores and judges as `run` does: the verdicts are the same, byte for byte, whatever --workers is.
        osprey-feeder simulate --events 100000 --output day.frames --truth day.truth.jsonl
        osprey-feeder backtest --source capture:day.frames --rules rules --truth day.truth.jsonl
      With --truth: an account of a campaign is found when a live rule hits one of its events there, or names the account in an
      effect; a hit account is false when it is in no campaign. A rule belongs to the campaign it finds most accounts of. The
      numbers of the worst campaign count.
      """)

  @OptionGroup var options: TrialOptions
  @Option(help: "Folder with the rules.")
  var rules = "rules"
  @Option(help: "Ground truth: JSON lines with uri, did, campaign, seq, as simulate writes them.")
  var truth: String?
  @Option(help: "Write every verdict to this file, one line each, in stream order.")
  var verdicts: String?
  @Flag(help: "End with one JSON object instead of the report.")
  var json = false

  mutating func run() throws {
    let host = try options.load(rules, try options.accounts())
    let score = try truth.map { TruthScore(try Self.truth($0), rules: host.rules) }
    let run = try TrialRun(options, command: "backtest", isLiveAllowed: false)
    let lines = try verdicts.map { path in
      guard let file = LineFile(path: path) else {
        throw UsageError("--verdicts: cannot write \(path): \(String(cString: strerror(errno)))")
      }
      return file
    }
    let set = RuleTrial(host, samples: options.samples, messageBytesMax: run.settings.messageBytesMax)
    let end = run.run(Backtest(set, truth: score, verdicts: lines))
    let problem = lines?.close()
    let report = TrialReport(run: run, set: set, score: score?.result, isComplete: end == .complete)
    printText(json ? try report.json : report.text)
    if let problem { throw Failure("--verdicts: \(problem)") }
    if case .failed(let problem) = end { throw Failure("backtest: \(problem)") }
  }

  private static func truth(_ path: String) throws -> Truth {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw UsageError("--truth: cannot read \(path)")
    }
    do {
      return try data.withUnsafeBytes { bytes in try Truth(lines: Bytes(bytes)) }
    } catch {
      throw UsageError("--truth: \(path): \(error)")
    }
  }
}

/// What `backtest` and `dry-run` print at the end.
struct TrialReport {
  var run: TrialRun
  var set: RuleTrial
  var score: TruthScore.Result?
  var isComplete: Bool

  var text: String {
    let reports = set.report()
    let totals = set.totals
    var lines = [run.summary(evaluated: totals.evaluated, hits: totals.hits), ""]
    lines += RuleTable.lines(reports)
    lines += RuleTable.overlaps(set.overlaps, reports)
    lines += RuleTable.details(reports)
    if let score { lines += Self.lines(score) }
    return lines.map { $0 + "\n" }.joined()
  }

  /// Campaigns, then rules.
  private static func lines(_ score: TruthScore.Result) -> [String] {
    var table = TextTable([
      "<campaign", "precision", "recall", "accounts found", "events found", "false accounts", "false hits", "<rules",
    ])
    func row(_ name: String, _ score: TruthScore.Score, _ rules: String) {
      table.add([
        name, percent(score.precision), percent(score.recall),
        "\(grouped(score.foundAccounts)) of \(grouped(score.accounts))",
        "\(grouped(score.foundEvents)) of \(grouped(score.events))",
        "\(grouped(score.falseAccounts)) of \(grouped(score.hitAccounts))",
        "\(grouped(score.falseHits)) of \(grouped(score.hits))", rules,
      ])
    }
    for campaign in score.campaigns {
      row(campaign.name, campaign.score, campaign.rules.joined(separator: ", "))
    }
    row("all live rules", score.all, "")
    var rules = TextTable(["<rule", "<campaign", "precision", "recall", "false accounts", "false hits"])
    for rule in score.rules where rule.score.hits > 0 {
      rules.add([
        rule.name, rule.campaign ?? "–", percent(rule.score.precision), percent(rule.score.recall),
        "\(grouped(rule.score.falseAccounts)) of \(grouped(rule.score.hitAccounts))",
        "\(grouped(rule.score.falseHits)) of \(grouped(rule.score.hits))",
      ])
    }
    return [""] + table.lines + [""] + rules.lines + [
      "", "precision \(percent(score.precision)), recall \(percent(score.recall)) (the worst campaign, by account)",
    ]
  }

  var json: String {
    get throws {
      let totals = set.totals
      var rules = Dictionary(uniqueKeysWithValues: set.report().map { ($0.rule.name, ReportJSON.Rule($0)) })
      for rule in score?.rules ?? [] {
        rules[rule.name]?.campaign = rule.campaign
        rules[rule.name]?.score = ReportJSON.Score(rule.score)
      }
      let campaigns = (score?.campaigns ?? []).map { ($0.name, ReportJSON.Score($0.score, rules: $0.rules)) }
      return try ReportJSON.line(
        ReportJSON.Trial(
          events: run.events, evaluated: totals.evaluated, hits: totals.hits, seconds: run.seconds,
          eventsPerSecond: Int(Double(run.events) / max(run.seconds, 0.001)), complete: isComplete,
          ruleset: set.host.hash, precision: score?.precision, recall: score?.recall,
          overall: score.map { ReportJSON.Score($0.all) },
          campaigns: Dictionary(uniqueKeysWithValues: campaigns), rules: rules,
          overlaps: set.overlaps.map { ReportJSON.Overlap(first: $0.first, second: $0.second, shared: $0.shared) }))
    }
  }
}
