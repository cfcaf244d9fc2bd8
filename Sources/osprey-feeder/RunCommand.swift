import ATProto
import ArgumentParser
import Feeder
import Foundation
import Kafka
import Logging
import Network
import Osprey
import Rules
import Simulator
import Synchronization

/// Where `run` reads from.
enum SourceChoice: Equatable {
  case relay
  case capture(String)
  case simulator

  /// - Parameter others: what the command takes besides, for the error.
  init(_ text: String, others: String? = nil) throws {
    if text == "relay" {
      self = .relay
    } else if text == "simulator" {
      self = .simulator
    } else if text.hasPrefix("capture:"), text.count > 8 {
      self = .capture(String(text.dropFirst(8)))
    } else {
      let known = ["relay", "capture:FILE", "simulator"] + (others.map { [$0] } ?? [])
      throw UsageError("--source: '\(text)' is none of \(known.joined(separator: ", "))")
    }
  }

  var name: String {
    switch self {
    case .relay, .simulator: "relay"
    case .capture: "capture"
    }
  }
}

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Source → actions, verdicts, dead letters: the service.",
    helpNames: [])

  @Argument(parsing: .captureForPassthrough, help: .hidden)
  var arguments: [String] = []

  /// What reflection finds.
  var argumentsWrapper: Argument<[String]> { _arguments }

  init() {}

  init(from decoder: any Decoder) throws {
    arguments = try decoder.container(keyedBy: OptionKey.self).decode([String].self, forKey: OptionKey("arguments"))
  }

  mutating func run() throws {
    let arguments = try RunArguments(self.arguments, environment: ProcessInfo.processInfo.environment)
    guard !arguments.wantsHelp else {
      print(RunOption.help)
      return
    }
    do {
      try Service(arguments).run()
    } catch let error as UsageError {
      throw arguments.located(error)
    }
  }
}

/// A run of the service, from checked arguments to its end.
final class Service {
  private let arguments: RunArguments
  private let log: Logger
  private let traffic: Traffic
  private let isEmbedded: Bool
  private var broker: EmbeddedBroker?
  private var simulation: Simulation?

  init(_ arguments: RunArguments) throws {
    self.arguments = arguments
    let level = try arguments.choice("log-level", LogLevel.self)
    log = Logger.feeder(try arguments.choice("log-format", LogFormat.self), level: level.level)
    var simulation = SimulationOptions()
    simulation.rate = try SimulationOptions.rate(arguments.text("simulate-rate"), option: "--simulate-rate")
    simulation.seed = try arguments.number("simulate-seed", in: 0...UInt64.max)
    var traffic = Traffic(
      choice: try SourceChoice(arguments.text("source")), relayHosts: arguments.list("relay-host"),
      simulation: simulation)
    try traffic.setPace(speed: arguments.text("speed"), isLoop: try arguments.flag("loop"))
    self.traffic = traffic
    let servers = arguments.text("bootstrap-servers")
    isEmbedded = servers == "embedded"
    guard !servers.isEmpty else {
      throw UsageError(
        "run: no Kafka broker given; try: --bootstrap-servers HOST:PORT, or --bootstrap-servers embedded for a trial")
    }
  }

  enum LogLevel: String, CaseIterable {
    case debug, info, warning, error
    var level: Logger.Level {
      switch self {
      case .debug: .debug
      case .info: .info
      case .warning: .warning
      case .error: .error
      }
    }
  }

  func run() throws {
    // Threads started from here on leave the signals to the one that waits for them. The embedded broker has some too.
    let stopper = Stopper()
    StopSignals.catchAll({ stopper.stop() }, onReload: { stopper.reload() })
    let settings = try self.settings()
    let metrics = FeederMetrics(workers: settings.workers)
    let pipeline: Pipeline
    do throws(StartError) {
      pipeline = try Pipeline(
        settings: settings, metrics: metrics, source: try makeSource(metrics), log: log)
    } catch {
      throw UsageError("run: \(error)")
    }
    if try arguments.flag("check") {
      if traffic.choice == .relay { try checkRelays() }
      print("ok: broker, topics, cursor, rules\(traffic.choice == .relay ? " and relay" : "") are fine")
      return
    }
    let server = MetricsServer(address: arguments.text("metrics-listen"), pipeline: pipeline)
    let address: String
    do throws(NetworkError) {
      address = try server.start()
    } catch {
      throw UsageError("--metrics-listen: \(error)")
    }
    announce(settings, metricsAddress: address)
    stopper.attach(stop: { pipeline.stop() }, reload: { pipeline.reloadRules() })
    let status = StatusLine(pipeline: pipeline, isEmbedded: isEmbedded, log: log)
    let end = pipeline.run()
    status.stop()
    server.stop()
    simulation?.stop()
    log.info("\(status.summary)")
    if case .failed(let problem) = end { throw Failure(problem) }
  }

  private func settings() throws -> PipelineSettings {
    let outputTopic = arguments.text("output-topic")
    var servers = arguments.text("bootstrap-servers")
    let partitions: Int32 = try arguments.number("partitions", in: 1...10_000)
    if isEmbedded {
      let topics = [outputTopic, arguments.text("verdict-topic"), arguments.text("dead-letter-topic")]
      do throws(KafkaError) {
        let broker = try EmbeddedBroker(topics: topics.map { ($0, Int(partitions)) } + [(CursorStore.topic, 1)])
        self.broker = broker
        servers = broker.bootstrapServers
      } catch {
        throw Failure("the embedded broker did not start: \(error)")
      }
    }
    var settings = PipelineSettings(
      kafka: KafkaConfiguration(
        bootstrapServers: servers, clientID: "osprey-feeder", properties: try properties()),
      rulesFolder: arguments.text("rules"),
      name: arguments.text("name").isEmpty ? outputTopic : arguments.text("name"))
    let candidate = arguments.text("candidate")
    settings.candidateFolder = candidate.isEmpty ? nil : candidate
    settings.ruleOptions.faultsMax = try arguments.number("rule-faults", in: RuleOptions.faultsRange)
    let directory = arguments.text("directory")
    settings.ruleOptions.directory = try Traffic.accounts(
      directory.isEmpty ? nil : directory, simulated: traffic.choice == .simulator ? traffic.simulation : nil, log: log)
    settings.outputTopic = outputTopic
    settings.verdictTopic = arguments.text("verdict-topic")
    settings.deadLetterTopic = arguments.text("dead-letter-topic")
    settings.partitions = partitions
    settings.replicationFactor = try arguments.number("replication-factor", in: -1...1000)
    settings.workers =
      arguments.text("workers").isEmpty
      ? max(1, ProcessInfo.processInfo.activeProcessorCount - 1) : try arguments.number("workers", in: 1...256)
    settings.shape = try arguments.flag("osprey-compatible") ? .osprey : .standard
    settings.withPosition = try arguments.flag("with-position")
    settings.snowflakeEpochMs = try arguments.number("snowflake-epoch", in: 0...4_102_444_800_000)
    settings.drainTimeoutMs = 1000 * (try arguments.number("drain-timeout", in: 0...3600))
    settings.decode = try decodeOptions()
    settings.sourceName = traffic.choice.name
    if case .capture = traffic.choice { settings.isLive = false }
    settings.cursorStore = try cursorStore(settings)
    settings.stateFolder = try stateFolder(settings)
    settings.stateIntervalMs = 1000 * (try arguments.number("state-interval", in: 0...86_400))
    guard let start = StartPosition(arguments.text("start")) else {
      throw UsageError("--start: '\(arguments.text("start"))' is none of live, oldest, a sequence number")
    }
    settings.start = start
    switch arguments.text("verdicts") {
    case "hits": settings.emitsAllVerdicts = false
    case "all": settings.emitsAllVerdicts = true
    case let other: throw UsageError("--verdicts: '\(other)' is none of hits, all")
    }
    return settings
  }

  private func cursorStore(_ settings: PipelineSettings) throws -> CursorStore {
    let text = arguments.text("cursor")
    if text.isEmpty { return isEmbedded || !settings.isLive ? .none : .kafka }
    guard let store = CursorStore(text) else {
      throw UsageError("--cursor: '\(text)' is none of kafka, file:PATH, none")
    }
    if traffic.isLoop, store != .none {
      throw UsageError("--loop: a file that is read again and again has no place to go on from; try: --cursor none")
    }
    return store
  }

  private func stateFolder(_ settings: PipelineSettings) throws -> String? {
    let folder = arguments.text("state")
    if folder.isEmpty { return nil }
    guard settings.cursorStore != .none else {
      throw UsageError(
        "--state: a snapshot belongs to a place in the stream; try: --cursor file:PATH, or --cursor kafka")
    }
    return folder
  }

  private func decodeOptions() throws -> DecodeOptions {
    var options = DecodeOptions()
    options.verification = try .withoutKeys(arguments.text("verify"))
    options.verifyAllBlocks = try arguments.flag("verify-all-blocks")
    options.strictCBOR = try arguments.flag("strict-cbor")
    options.emitSync = try arguments.flag("emit-sync")
    options.escaping = try arguments.flag("escape-html") ? .html : .plain
    return options
  }

  private func properties() throws -> [String: String] {
    var properties: [String: String] = [:]
    for pair in arguments.list("X") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty else { throw UsageError("-X: '\(pair)' is not KEY=VALUE") }
      properties[String(parts[0])] = String(parts[1])
    }
    return properties
  }

  private func makeSource(_ metrics: FeederMetrics) throws(StartError) -> any FrameSource {
    let (source, simulation) = try traffic.source(metrics, log: log)
    self.simulation = simulation
    return source
  }

  /// Opens the stream of every relay once; the first that does not answer is the error.
  private func checkRelays() throws {
    for host in arguments.list("relay-host") {
      let answered = DispatchSemaphore(value: 0)
      let problem = Mutex<String?>(nil)
      let events = RelayEvents(
        onFrame: { _, _ in true }, onOversized: { _, _ in true }, onText: { _, _ in true },
        onState: { state in
          switch state {
          case .connecting: return
          case .connected: break
          case .disconnected(_, let reason, _): problem.withLock { $0 = "\(reason)" }
          }
          answered.signal()
        }, cursor: { _ in nil })
      let client: RelayClient
      do throws(NetworkError) {
        client = try RelayClient(configuration: RelayClient.Configuration(hosts: [host]), events: events)
      } catch {
        throw UsageError("--relay-host: \(error)")
      }
      client.start()
      // The client gives up an attempt by itself after its connect and handshake timeouts.
      answered.wait()
      let found = problem.withLock { $0 }
      client.stop()
      if let found { throw Failure("run: relay \(host): \(found)") }
    }
  }

  private func announce(_ settings: PipelineSettings, metricsAddress: String) {
    let mark = isEmbedded ? " (EMBEDDED, NOT DURABLE)" : ""
    log.info("Kafka at \(settings.kafka.bootstrapServers)\(mark)")
    log.info(
      "actions → \(settings.outputTopic), verdicts → \(settings.verdictTopic), dead letters → \(settings.deadLetterTopic)"
    )
    log.info("metrics at http://\(metricsAddress)/metrics")
    log.info("read them with: kcat -b \(settings.kafka.bootstrapServers) -C -t \(settings.verdictTopic)")
  }
}

/// Passes signals on to whoever is there to take them, also a stop that came before.
final class Stopper: @unchecked Sendable {
  // Unchecked: all variables are guarded by `lock`.
  private let lock = NSLock()
  private var isStopped = false
  private var onStop: (@Sendable () -> Void)?
  private var onReload: (@Sendable () -> Void)?

  func stop() {
    let body = lock.withLock {
      isStopped = true
      return onStop
    }
    body?()
  }

  /// Nothing to do before the first load.
  func reload() { lock.withLock { onReload }?() }

  func attach(stop: @escaping @Sendable () -> Void, reload: @escaping @Sendable () -> Void) {
    let wasStopped = lock.withLock {
      onStop = stop
      onReload = reload
      return isStopped
    }
    if wasStopped { stop() }
  }
}
