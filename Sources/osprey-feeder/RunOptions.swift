import ATProto
import ArgumentParser
import Feeder
import Foundation
import Kafka
import Osprey

/// One option of `run`: this table is what parsing, `--help` and docs/configuration.md are made from.
struct RunOption {
  enum Kind { case text, flag, list }

  let name: String
  let kind: Kind
  /// Environment variables, the first one set wins.
  let environment: [String]
  let fallback: String
  let help: String
  /// What a shell completes its value with.
  var completion = CompletionKind.default

  static let all: [RunOption] = [
    RunOption(
      name: "config", kind: .text, environment: ["OSPREY_FEEDER_CONFIG"], fallback: "",
      help: "file with options of run, YAML, by their names: 'name: value' a line", completion: .file()),
    RunOption(
      name: "source", kind: .text, environment: ["OSPREY_FEEDER_SOURCE"], fallback: "relay",
      help: "relay, capture:FILE, or simulator (a synthetic relay in this process)"),
    RunOption(
      name: "speed", kind: .text, environment: ["OSPREY_FEEDER_SPEED"], fallback: "max",
      help: "--source capture:FILE: max, realtime (as the frames came), or Nx, N times as fast",
      completion: .list(["max", "realtime", "10x"])),
    RunOption(
      name: "loop", kind: .flag, environment: ["OSPREY_FEEDER_LOOP"], fallback: "false",
      help: "--source capture:FILE: begin again at the end; each pass adds the file's span of seq and time"),
    RunOption(
      name: "relay-host", kind: .list, environment: ["ATKAFKA_RELAY_HOST"], fallback: "wss://bsky.network",
      help: "relay to read from; repeat it to have others tried in turn"),
    RunOption(
      name: "bootstrap-servers", kind: .text, environment: ["ATKAFKA_BOOTSTRAP_SERVERS"], fallback: "",
      help: "Kafka brokers as HOST:PORT,…; embedded for a broker in this process that keeps nothing"),
    RunOption(
      name: "output-topic", kind: .text, environment: ["ATKAFKA_OUTPUT_TOPIC"], fallback: "osprey.actions_input",
      help: "topic for actions"),
    RunOption(
      name: "osprey-compatible", kind: .flag, environment: ["ATKAFKA_OSPREY_COMPATIBLE"], fallback: "true",
      help: "wrap actions in Osprey's envelope; false: the event alone"),
    RunOption(
      name: "verdict-topic", kind: .text, environment: ["OSPREY_FEEDER_VERDICT_TOPIC"],
      fallback: "osprey.feeder.verdicts", help: "topic for verdicts"),
    RunOption(
      name: "dead-letter-topic", kind: .text, environment: ["OSPREY_FEEDER_DEAD_LETTER_TOPIC"],
      fallback: "osprey.feeder.dead_letters", help: "topic for frames that could not be used in full"),
    RunOption(
      name: "partitions", kind: .text, environment: ["OSPREY_FEEDER_PARTITIONS"], fallback: "12",
      help: "partitions of topics that have to be created"),
    RunOption(
      name: "replication-factor", kind: .text, environment: ["OSPREY_FEEDER_REPLICATION_FACTOR"], fallback: "-1",
      help: "replicas of topics that have to be created; -1: the broker's default"),
    RunOption(
      name: "rules", kind: .text, environment: ["OSPREY_FEEDER_RULES"], fallback: "rules",
      help: "folder with the rules", completion: .directory),
    RunOption(
      name: "candidate", kind: .text, environment: ["OSPREY_FEEDER_CANDIDATE"], fallback: "",
      help: "folder with a second rule set that runs beside the first and only counts what it would change",
      completion: .directory),
    RunOption(
      name: "directory", kind: .text, environment: ["OSPREY_FEEDER_DIRECTORY"], fallback: "",
      help:
        "file with what is known about accounts, JSON lines of did, handle, created_at, pds, followers, follows, posts "
        + "(default: the simulator's own accounts where it is the source)", completion: .file()),
    RunOption(
      name: "rule-faults", kind: .text, environment: ["OSPREY_FEEDER_RULE_FAULTS"], fallback: "20",
      help: "faults of a rule within a minute after which it is set aside until the next reload"),
    RunOption(
      name: "verdicts", kind: .text, environment: ["OSPREY_FEEDER_VERDICTS"], fallback: "hits",
      help: "hits: a verdict for actions that a rule hit; all: for every action", completion: .list(["hits", "all"])),
    RunOption(
      name: "name", kind: .text, environment: ["OSPREY_FEEDER_NAME"], fallback: "",
      help: "what the cursor is kept under (default: the output topic's name)"),
    RunOption(
      name: "cursor", kind: .text, environment: ["OSPREY_FEEDER_CURSOR"], fallback: "",
      help: "kafka, file:PATH or none (default: kafka; none with the embedded broker or a capture)"),
    RunOption(
      name: "state", kind: .text, environment: ["OSPREY_FEEDER_STATE"], fallback: "",
      help: "folder for snapshots of what the rules remember, so that windows survive a restart; needs a cursor",
      completion: .directory),
    RunOption(
      name: "state-interval", kind: .text, environment: ["OSPREY_FEEDER_STATE_INTERVAL"], fallback: "10",
      help: "seconds between two snapshots, at least: what a restart judges again; 0: as often as possible"),
    RunOption(
      name: "start", kind: .text, environment: ["OSPREY_FEEDER_START"], fallback: "live",
      help: "where to begin without a saved cursor: live, oldest, or a sequence number"),
    RunOption(
      name: "metrics-listen", kind: .text,
      environment: ["OSPREY_FEEDER_METRICS_LISTEN", "METRICS_LISTEN_ADDRESS"], fallback: "127.0.0.1:2112",
      help: "address of /metrics, /healthz, /readyz, /rules; port 0 picks one"),
    RunOption(
      name: "workers", kind: .text, environment: ["OSPREY_FEEDER_WORKERS"], fallback: "",
      help: "decoding threads (default: cores - 1, at least 1)"),
    RunOption(
      name: "verify", kind: .text, environment: ["OSPREY_FEEDER_VERIFY"], fallback: "mst",
      help: "none, cid or mst: how far commits are checked against their hashes",
      completion: .list(["none", "cid", "mst"])),
    RunOption(
      name: "verify-all-blocks", kind: .flag, environment: ["OSPREY_FEEDER_VERIFY_ALL_BLOCKS"], fallback: "false",
      help: "hash also the blocks nothing refers to"),
    RunOption(
      name: "strict-cbor", kind: .flag, environment: ["OSPREY_FEEDER_STRICT_CBOR"], fallback: "false",
      help: "reject frames that are not canonical DAG-CBOR"),
    RunOption(
      name: "emit-sync", kind: .flag, environment: ["OSPREY_FEEDER_EMIT_SYNC"], fallback: "false",
      help: "send #sync as an action"),
    RunOption(
      name: "escape-html", kind: .flag, environment: ["OSPREY_FEEDER_ESCAPE_HTML"], fallback: "false",
      help: "escape <, >, &, U+2028 and U+2029 in JSON as Go does"),
    RunOption(
      name: "with-position", kind: .flag, environment: ["OSPREY_FEEDER_WITH_POSITION"], fallback: "false",
      help: "add seq and rev to operations"),
    RunOption(
      name: "snowflake-epoch", kind: .text, environment: ["OSPREY_FEEDER_SNOWFLAKE_EPOCH"],
      fallback: "1420070400000", help: "epoch of action ids, milliseconds since 1970"),
    RunOption(
      name: "drain-timeout", kind: .text, environment: ["OSPREY_FEEDER_DRAIN_TIMEOUT"], fallback: "10",
      help: "seconds a stop may take to deliver what is inside"),
    RunOption(
      name: "log-format", kind: .text, environment: ["OSPREY_FEEDER_LOG_FORMAT"], fallback: "text",
      help: "text or json", completion: .list(["text", "json"])),
    RunOption(
      name: "log-level", kind: .text, environment: ["OSPREY_FEEDER_LOG_LEVEL"], fallback: "info",
      help: "debug, info, warning or error", completion: .list(["debug", "info", "warning", "error"])),
    RunOption(
      name: "check", kind: .flag, environment: [], fallback: "false",
      help: "check broker, topics, permissions, cursor and rules, then exit"),
    RunOption(
      name: "simulate-rate", kind: .text, environment: ["OSPREY_FEEDER_SIMULATE_RATE"], fallback: "1000",
      help: "--source simulator: events a second, or max"),
    RunOption(
      name: "simulate-seed", kind: .text, environment: ["OSPREY_FEEDER_SIMULATE_SEED"], fallback: "1",
      help: "--source simulator: seed"),
    RunOption(
      name: "X", kind: .list, environment: [], fallback: "",
      help: "-X key=value: any librdkafka property that breaks no law; also OSPREY_FEEDER_KAFKA_A_B for a.b"),
  ]

  static func named(_ name: String) -> RunOption? { all.first { $0.name == name } }

  /// The option that was probably meant.
  static func nearest(_ name: String) -> RunOption? {
    let near = all.map { ($0, distance($0.name, name)) }.min { $0.1 < $1.1 }
    return near.flatMap { $0.1 <= 3 ? $0.0 : nil }
  }

  /// Levenshtein's.
  private static func distance(_ left: String, _ right: String) -> Int {
    var row = Array(0...right.count)
    for (i, a) in left.enumerated() {
      var previous = row[0]
      row[0] = i + 1
      for (j, b) in right.enumerated() {
        let substituted = previous + (a == b ? 0 : 1)
        previous = row[j + 1]
        row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[right.count]
  }

  /// How the option is written on the command line.
  var spelling: String { name == "X" ? "-X" : "--\(name)" }

  static var help: String {
    var text = """
      OVERVIEW: source → actions, verdicts, dead letters: the service.

      Reads the firehose, evaluates the rules and produces to Kafka until it is stopped. SIGTERM or SIGINT stops reading,
      delivers what is inside, saves the cursor and exits with 0.

      USAGE: osprey-feeder run [OPTIONS]

      EXAMPLES:
        osprey-feeder run --source simulator --bootstrap-servers embedded
        osprey-feeder run --bootstrap-servers localhost:9092
        osprey-feeder run --source capture:day.frames.zst --bootstrap-servers localhost:9092

      OPTIONS (a flag overrides its environment variable, which overrides --config, which overrides the default; yes-or-no
      options are --x, --x=false or --no-x):

      """
    for option in all {
      let argument = option.kind == .flag ? "" : option.name == "X" ? " KEY=VALUE" : " VALUE"
      text += "  \(option.spelling)\(argument)\n      \(option.help)\n"
      var facts: [String] = []
      if !option.fallback.isEmpty { facts.append("default \(option.fallback)") }
      if !option.environment.isEmpty { facts.append(option.environment.joined(separator: ", ")) }
      if option.kind == .list && option.name != "X" { facts.append("repeatable") }
      if !facts.isEmpty { text += "      [\(facts.joined(separator: "; "))]\n" }
    }
    return text
  }
}

/// The options of one run as given, and typed access to them.
struct RunArguments {
  private var values: [String: [String]] = [:]
  /// `FILE:LINE` of values that come from the file.
  private var places: [String: String] = [:]
  private(set) var wantsHelp = false

  init(_ arguments: [String], environment: [String: String]) throws {
    let given = try parse(arguments)
    if wantsHelp { return }
    let environment = Self.options(environment)
    if let path = (given["config"] ?? environment["config"])?.last, !path.isEmpty {
      for entry in try ConfigFile(path: path).entries {
        values[entry.option.name] = entry.values
        places[entry.option.name] = "\(path):\(entry.line)"
      }
    }
    for layer in [environment, given] {
      for (name, list) in layer {
        // What is nearer to the user replaces the rest, but for -X, of which the last one of a property counts.
        values[name] = name == "X" ? values[name, default: []] + list : list
        places[name] = nil
      }
    }
  }

  /// What the environment says.
  private static func options(_ environment: [String: String]) -> [String: [String]] {
    var found: [String: [String]] = [:]
    for option in RunOption.all {
      if let value = option.environment.lazy.compactMap({ environment[$0] }).first {
        found[option.name] = option.kind == .list ? value.split(separator: ",").map(String.init) : [value]
      }
    }
    for (key, value) in environment.sorted(by: { $0.key < $1.key }) where key.hasPrefix("OSPREY_FEEDER_KAFKA_") {
      let property = key.dropFirst("OSPREY_FEEDER_KAFKA_".count).lowercased().replacingOccurrences(of: "_", with: ".")
      found["X", default: []].append("\(property)=\(value)")
    }
    return found
  }

  /// The error with the place of the value in the file, where it comes from there.
  func located(_ error: UsageError) -> UsageError {
    let text = error.description.trimmingPrefix("run: ")
    let place = places.first { name, _ in
      guard let spelling = RunOption.named(name)?.spelling else { return false }
      return text.hasPrefix("\(spelling):") || text.hasPrefix("\(spelling) ")
    }
    return place.map { UsageError("\($0.value): \(text)") } ?? error
  }

  /// What the command line says. The last one counts, but for lists.
  private mutating func parse(_ arguments: [String]) throws -> [String: [String]] {
    var given: [String: [String]] = [:]
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument == "--help" || argument == "-h" {
        wantsHelp = true
        return [:]
      }
      guard argument.hasPrefix("--") || argument == "-X", argument != "--" else {
        throw UsageError("run: unexpected '\(argument)'; try: osprey-feeder run --help")
      }
      let parts = argument.drop { $0 == "-" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      var name = String(parts[0])
      var value = parts.count > 1 ? String(parts[1]) : nil
      if RunOption.named(name) == nil, name.hasPrefix("no-"), RunOption.named(String(name.dropFirst(3)))?.kind == .flag
      {
        guard value == nil else { throw UsageError("run: --\(name) takes no value") }
        name = String(name.dropFirst(3))
        value = "false"
      }
      guard let option = RunOption.named(name) else {
        let near = RunOption.nearest(name).map { " (did you mean \($0.spelling)?)" } ?? ""
        throw UsageError("run: unknown option '\(argument)'\(near); try: osprey-feeder run --help")
      }
      if value == nil {
        if option.kind == .flag {
          value = "true"
        } else if let next = rest.popFirst() {
          value = next
        } else {
          throw UsageError("run: \(option.spelling) needs a value")
        }
      }
      given[name, default: []].append(value ?? "")
    }
    return given
  }

  func text(_ name: String) -> String { values[name]?.last ?? RunOption.named(name)?.fallback ?? "" }

  func list(_ name: String) -> [String] {
    if let list = values[name] { return list }
    let fallback = RunOption.named(name)?.fallback ?? ""
    return fallback.isEmpty ? [] : [fallback]
  }

  func flag(_ name: String) throws -> Bool {
    switch text(name).lowercased() {
    case "true", "1", "yes": return true
    case "false", "0", "no": return false
    case let other: throw UsageError("--\(name): '\(other)' is neither true nor false")
    }
  }

  func number<Number: FixedWidthInteger>(_ name: String, in range: ClosedRange<Number>) throws -> Number {
    guard let value = Number(text(name)), range.contains(value) else {
      throw UsageError("--\(name): '\(text(name))' is no number between \(range.lowerBound) and \(range.upperBound)")
    }
    return value
  }

  func choice<Choice: RawRepresentable & CaseIterable>(_ name: String, _ type: Choice.Type) throws -> Choice
  where Choice.RawValue == String {
    guard let choice = Choice(rawValue: text(name)) else {
      let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw UsageError("--\(name): '\(text(name))' is none of \(known)")
    }
    return choice
  }
}
