import ArgumentParser
import Feeder
import Rules

struct RulesExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "What every rule did with one event: did it run, what it read, what it returned, why not.",
    discussion: """
      Replays the traffic through the rules up to the event, so that counters stand as they stood. With an address the first
      event about it is explained; with an action id, as it stands in actions and verdicts, that event.
        osprey-feeder rules explain at://did:plc:…/app.bsky.feed.post/3k… --source capture:day.frames
      """)

  @Argument(help: "The address (at://…) or the action id of the event.")
  var event: String
  @OptionGroup var options: TrialOptions
  @Option(help: "Folder with the rules.")
  var rules = "rules"
  @Option(help: "Only this rule.")
  var only: String?

  mutating func run() throws {
    guard let target = EventSearch.Target(event) else {
      throw UsageError(
        "rules explain: '\(event)' is neither an address nor an action id; try: at://DID/COLLECTION/RKEY")
    }
    let host = try options.load(rules, try options.accounts())
    if let only, !host.rules.contains(where: { $0.name == only }) {
      throw UsageError("--only: there is no rule '\(only)' in \(rules)")
    }
    let run = try TrialRun(options, command: "rules explain", isLiveAllowed: false)
    let search = EventSearch(host, target: target)
    let end = run.run(search)
    if let sample = search.event {
      printText(text(sample, search, before: run.events - 1))
    }
    if case .failed(let problem) = end { throw Failure("rules explain: \(problem)") }
    guard search.event != nil else {
      throw Failure("rules explain: no such event among \(grouped(run.events)): \(event)")
    }
  }

  private func text(_ sample: TrialSample, _ search: EventSearch, before: Int) -> String {
    var lines = [
      "\(sample.action) \(sample.subject)",
      "  action \(sample.actionID)\(search.sequence > 0 ? ", seq \(search.sequence)" : ""), \(sample.time), "
        + "after \(grouped(before)) other events",
    ]
    lines += sample.features.map { "  \($0.name): \(shortened($0.value, 300))" }
    let shown = search.explanations.filter { only == nil || $0.rule.name == only }
    for told in shown where told.didRun { lines += self.lines(told) }
    let notAsked = shown.filter { !$0.didRun }
    if !notAsked.isEmpty { lines.append("") }
    lines += notAsked.map { "\($0.rule.name) (\($0.rule.mode.rawValue)): \($0.reason)" }
    return lines.map { $0 + "\n" }.joined()
  }

  private func lines(_ told: RuleExplanation) -> [String] {
    var lines = [
      "", "\(told.rule.name) (\(told.rule.mode.rawValue), \(told.rule.file):\(told.rule.line)): \(told.reason)",
    ]
    lines += told.reads.map { "  read      \($0.name) = \(shortened($0.value, 160))" }
    if told.readsLeftOut > 0 { lines.append("  read      … and \(told.readsLeftOut) more") }
    lines += told.features.map { "  returned  \($0.name) = \(shortened($0.value, 160))" }
    lines += told.effects.map { "  effect    \($0)" }
    return lines
  }
}
