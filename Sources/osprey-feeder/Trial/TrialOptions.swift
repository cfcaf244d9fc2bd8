import ATProto
import ArgumentParser
import Feeder
import Foundation
import Logging
import Rules

/// What every command needs that runs rules over traffic without topics.
struct TrialOptions: ParsableArguments {
  @Option(
    help: """
      capture:FILE, kafka:TOPIC, relay, or simulator (a synthetic relay in this process). kafka:TOPIC@100..200 reads these \
      offsets of every partition, kafka:TOPIC@2026-11-20T00:00..2026-11-21 these times (UTC).
      """)
  var source: String
  @OptionGroup var kafka: KafkaOptions
  @Option(help: "Accounts as JSON lines, for what rules ask about accounts (default: the simulator's own).")
  var directory: String?
  @Option(help: "Faults of a rule within a minute after which it is set aside, as in run.")
  var ruleFaults = RuleLimits.ruleFaultsMax
  @Option(help: "Relay to read from; repeat it to have others tried in turn.")
  var relayHost: [String] = ["wss://bsky.network"]
  @Option(help: "Decoding threads (default: one per core).")
  var workers: Int?
  @Option(help: "none, cid or mst: how far commits are checked against their hashes.")
  var verify = "mst"
  @Option(help: "Stop after so many events.")
  var events: Int?
  @Option(help: "--source capture:FILE: max, realtime (as the frames came), or Nx, N times as fast.")
  var speed = "max"
  @Flag(help: "--source capture:FILE: begin again at the end; each pass adds the file's span of seq and time.")
  var loop = false
  @Option(help: "--source simulator: events a second, or max.")
  var simulateRate = "1000"
  @Option(help: "--source simulator: seed.")
  var simulateSeed: UInt64 = 1
  @Option(help: "Events shown for each rule: the first, and others spread evenly.")
  var samples = 3

  mutating func validate() throws {
    guard workers ?? 1 > 0, workers ?? 1 <= 256 else { throw ValidationError("--workers: a number from 1 to 256") }
    guard !source.hasPrefix("kafka:") || speed == "max" && !loop else {
      throw ValidationError("--speed and --loop go with --source capture:FILE")
    }
    guard events ?? 1 > 0 else { throw ValidationError("--events: a positive number") }
    guard RuleOptions.faultsRange.contains(ruleFaults) else {
      throw ValidationError("--rule-faults: a number from 1 to \(RuleOptions.faultsRange.upperBound)")
    }
    guard (0...1000).contains(samples) else { throw ValidationError("--samples: a number from 0 to 1000") }
  }

  /// What rules are told about accounts.
  func accounts() throws -> AccountDirectory? {
    try Traffic.accounts(directory, simulated: source == "simulator" ? try simulation() : nil)
  }

  fileprivate func simulation() throws -> SimulationOptions {
    var simulation = SimulationOptions()
    simulation.rate = try SimulationOptions.rate(simulateRate, option: "--simulate-rate")
    simulation.seed = simulateSeed
    return simulation
  }

  /// Loads a rule set as `run` does; one that does not load ends the command with every problem named.
  /// - Parameter rulesWanted: to so many rules the set is repeated, to measure; 0: it is not.
  func load(
    _ folder: String, _ accounts: AccountDirectory?, option: String = "--rules", rulesWanted: Int = 0
  ) throws -> RuleHost {
    var ruleOptions = RuleOptions(faultsMax: ruleFaults, directory: accounts)
    ruleOptions.rulesWanted = rulesWanted
    do throws(RuleErrors) {
      return try RuleHost.load(directory: folder, options: ruleOptions)
    } catch {
      throw UsageError("\(option): the rules in \(folder) do not load:\n\(error)")
    }
  }
}

/// One run of a trial: source, progress, signals.
final class TrialRun {
  private let options: TrialOptions
  private let command: String
  let metrics: FeederMetrics
  let settings: TrialSettings
  private let trial: Trial
  private let simulation: Simulation?
  private let source: any FrameSource
  private let started = ContinuousClock.now
  private let stopper = Stopper()

  /// Checks the options and opens the source; nothing flows yet.
  init(_ options: TrialOptions, command: String, isLiveAllowed: Bool = true) throws {
    self.options = options
    self.command = command
    // Threads started from here on leave the signals to the one that waits for them. The simulator has some.
    StopSignals.catchAll { [stopper] in stopper.stop() }
    var settings = TrialSettings()
    settings.workers = options.workers ?? max(1, ProcessInfo.processInfo.activeProcessorCount)
    settings.decode.verification = try .withoutKeys(options.verify)
    settings.actionsMax = options.events ?? .max
    let metrics = FeederMetrics(workers: settings.workers)
    self.metrics = metrics
    if options.source.hasPrefix("kafka:") {
      guard let range = TopicRange(String(options.source.dropFirst(6))) else {
        throw UsageError(
          "--source: '\(options.source)' is no topic with a range; try: kafka:TOPIC, kafka:TOPIC@100..200, "
            + "kafka:TOPIC@2026-11-20T00:00..")
      }
      source = TopicSource(configuration: try options.kafka.configuration(command), range: range, metrics: metrics)
      simulation = nil
    } else {
      let choice = try SourceChoice(options.source, others: "kafka:TOPIC")
      if case .capture = choice {} else { settings.isLive = true }
      guard isLiveAllowed || !settings.isLive else {
        throw UsageError("\(command): needs traffic that can be read again; try: --source capture:FILE or kafka:TOPIC")
      }
      guard isLiveAllowed || !options.loop || options.events != nil else {
        throw UsageError("\(command): --loop never ends; try: --events N")
      }
      var traffic = Traffic(choice: choice, relayHosts: options.relayHost, simulation: try options.simulation())
      try traffic.setPace(speed: options.speed, isLoop: options.loop)
      do throws(StartError) {
        (source, simulation) = try traffic.source(metrics, log: Logger.feeder(.text, level: .warning))
      } catch {
        throw UsageError("\(command): \(error)")
      }
    }
    self.settings = settings
    trial = Trial(settings: settings, source: source, metrics: metrics)
  }

  /// Runs to the end, to a signal, or for so many seconds. `tick` is called every `tickMs` instead of the progress line.
  /// A source that fails is the command's failure, after what came before it was judged and `report` has been made.
  func run(
    _ consumer: any ActionConsumer, seconds: Int? = nil, tickMs: Int = 200, tick: (() -> Void)? = nil
  ) -> TrialEnd {
    stopper.attach(stop: { [trial] in trial.stop() }, reload: {})
    let deadline = seconds.map { ContinuousClock.now + .seconds($0) }
    let end = trial.run(consumer, tickMs: tickMs) {
      if let deadline, ContinuousClock.now >= deadline { trial.stop() }
      if let tick { tick() } else { Console.show(progress) }
    }
    Console.show("")
    simulation?.stop()
    return end
  }

  /// Actions judged so far.
  var events: Int { trial.actions }
  var seconds: Double { started.duration(to: .now) / .seconds(1) }

  /// `[#######·······]  48 %  512,345 events  64,043/s`
  private var progress: String {
    let rate = Int(Double(events) / max(seconds, 0.001))
    let numbers = "\(grouped(events)) events  \(grouped(rate))/s"
    guard let share = (source as? CaptureFileSource)?.share ?? (source as? TopicSource)?.share else { return numbers }
    let width = 30
    let filled = Int(share * Double(width))
    let bar = String(repeating: "#", count: filled) + String(repeating: "·", count: width - filled)
    return "[\(bar)] \(String(format: "%3.0f", share * 100)) %  \(numbers)"
  }

  /// The first line of a report.
  func summary(evaluated: Int, hits: Int) -> String {
    let rate = Int(Double(events) / max(seconds, 0.001))
    let undecoded = metrics.undecodedFrames
    return "\(grouped(events)) events, \(grouped(evaluated)) met a rule, \(grouped(hits)) were hit; "
      + "\(String(format: "%.1f", seconds)) s, \(grouped(rate)) events/s"
      + (undecoded > 0 ? "; \(grouped(undecoded)) frames could not be used in full" : "")
  }
}

extension CaptureFileSource {
  /// How much of the file has been read, 0 to 1; nil where its length is not known.
  var share: Double? { size.count > 0 ? min(1, Double(bytesRead.count) / Double(size.count)) : nil }
}

extension TopicSource {
  /// How much of the range has been read, 0 to 1; nil before it is known.
  var share: Double? { total.count > 0 ? Double(read.count) / Double(total.count) : nil }
}
