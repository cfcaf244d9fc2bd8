import ArgumentParser
import Feeder
import Rules

struct RulesBenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "What each rule costs on given traffic, dearest first, and how many events enter Lua at all.",
    discussion: """
      Decodes first, keeps the events in memory, then judges them with nothing else running. --repeat copies the set under
      other names, each copy with its own counters, until there are so many rules.
        osprey-feeder rules bench --source capture:day.frames
        osprey-feeder rules bench --source capture:day.frames --repeat 100
      """)

  @OptionGroup var options: TrialOptions
  @Option(help: "Folder with the rules.")
  var rules = "rules"
  @Option(name: .customLong("repeat"), help: "Repeat the set to so many rules.")
  var rulesWanted: Int?
  @Flag(help: "End with one JSON object instead of the table.")
  var json = false

  mutating func validate() throws {
    guard (1...RuleLimits.rulesMax).contains(rulesWanted ?? 1) else {
      throw ValidationError("--repeat: a number from 1 to \(RuleLimits.rulesMax)")
    }
  }

  /// Events measured where --events says nothing: a fair mix, and a few hundred MB at most.
  private static let eventsDefault = 200_000

  mutating func run() throws {
    // What does not load is said before anything is read.
    let host = try options.load(rules, try options.accounts(), rulesWanted: rulesWanted ?? 0)
    options.events = options.events ?? Self.eventsDefault
    let store = EventStore()
    let run = try TrialRun(options, command: "rules bench", isLiveAllowed: true)
    let end = run.run(store)
    if case .failed(let problem) = end { throw Failure("rules bench: \(problem)") }
    let bench = RuleBench(host, store)
    printText(json ? try jsonText(host, bench) : text(host, bench))
  }

  private func dearest(_ host: RuleHost) -> [(rule: RuleDefinition, numbers: RuleStatistics)] {
    host.rules.indices.map { (host.rules[$0], host.counters.statistics($0)) }
      .sorted { ($1.1.nanoseconds, $0.0.name) < ($0.1.nanoseconds, $1.0.name) }
  }

  private func text(_ host: RuleHost, _ bench: RuleBench) -> String {
    let events = bench.all.count
    var table = TextTable(["<rule", "per event", "asked", "mean", "p50", "p99", "budget", "errors"])
    for (rule, numbers) in dearest(host) {
      table.add([
        rule.name, duration(nanoseconds: numbers.nanoseconds / max(1, events)), grouped(numbers.evaluations),
        duration(nanoseconds: numbers.meanNanoseconds), duration(nanoseconds: numbers.percentile(0.5)),
        duration(nanoseconds: numbers.percentile(0.99)), percent(numbers.budgetUsed), grouped(numbers.errors),
      ])
    }
    var costs = TextTable(["<\(host.rules.count) rules on", "events", "mean", "p50", "p99", "p99.9"])
    for (name, histogram) in [("all events", bench.all), ("events that entered Lua", bench.entered)] {
      costs.add([
        name, grouped(histogram.count), duration(nanoseconds: Int(bench.mean(histogram))),
        duration(nanoseconds: histogram.percentile(0.5)), duration(nanoseconds: histogram.percentile(0.99)),
        duration(nanoseconds: histogram.percentile(0.999)),
      ])
    }
    let lines = table.lines + [""] + costs.lines + ["", "\(percent(bench.enteredShare)) of the events entered Lua"]
    return lines.map { $0 + "\n" }.joined()
  }

  private struct Costs: Encodable {
    var events: Int
    var meanNs: Double
    var p50Ns: Int
    var p99Ns: Int
    var p999Ns: Int

    init(_ histogram: NanosecondHistogram, of bench: RuleBench) {
      events = histogram.count
      meanNs = bench.mean(histogram)
      p50Ns = histogram.percentile(0.5)
      p99Ns = histogram.percentile(0.99)
      p999Ns = histogram.percentile(0.999)
    }
  }

  private struct Rule: Encodable {
    var name: String
    var evaluations: Int
    var nsPerEvent: Double
    var meanNs: Int
    var p50Ns: Int
    var p99Ns: Int
    var budgetUsed: Double
    var errors: Int
  }

  private struct Report: Encodable {
    var events: Int
    var ruleCount: Int
    var enteredShare: Double
    var all: Costs
    var entered: Costs
    /// Dearest first.
    var rules: [Rule]
  }

  private func jsonText(_ host: RuleHost, _ bench: RuleBench) throws -> String {
    let rules = dearest(host).map { rule, numbers in
      Rule(
        name: rule.name, evaluations: numbers.evaluations,
        nsPerEvent: Double(numbers.nanoseconds) / Double(max(1, bench.all.count)), meanNs: numbers.meanNanoseconds,
        p50Ns: numbers.percentile(0.5), p99Ns: numbers.percentile(0.99), budgetUsed: numbers.budgetUsed,
        errors: numbers.errors)
    }
    return try ReportJSON.line(
      Report(
        events: bench.all.count, ruleCount: host.rules.count, enteredShare: bench.enteredShare,
        all: Costs(bench.all, of: bench), entered: Costs(bench.entered, of: bench), rules: rules))
  }
}
