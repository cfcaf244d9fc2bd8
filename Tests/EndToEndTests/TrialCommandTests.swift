import Foundation
import Testing

/// The commands that run rules over traffic, as a rule author calls them.
@Suite(.serialized) struct TrialCommandTests {
  private static let events = 1_000

  /// A capture, its truth, and two rule sets: one with rules that hit, one without the second of them and with an edited first.
  private func scene() throws -> Folder {
    let folder = try Folder()
    let made = try Program.run([
      "simulate", "--seed", "7", "--accounts", "200", "--events", "\(Self.events)", "--output", folder.path("a.frames"),
      "--truth", folder.path("a.truth"), "--directory", folder.path("a.accounts"),
    ])
    #expect(made.code == 0)
    func write(_ rules: String, to name: String) throws {
      let url = folder.url.appendingPathComponent(name)
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
      try Data(rules.utf8).write(to: url.appendingPathComponent("rules.lua"))
    }
    let linked = """
      rule { name = "Linked", about = "A post with a link.", collections = { "app.bsky.feed.post" },
        when = function(event) return #event.links > LIMIT, { LinkCount = #event.links } end,
        effects = { verdict "review" } }
      """
    let follows = """
      rule { name = "Tenth", about = "Every tenth follow.", mode = "shadow", collections = { "app.bsky.graph.follow" },
        when = function(event) return count("follows", "all", days(1)):add() % 10 == 0 end }
      """
    try write("return { \(linked.replacingOccurrences(of: "LIMIT", with: "0")), \(follows) }", to: "old")
    try write("return { \(linked.replacingOccurrences(of: "LIMIT", with: "1")) }", to: "new")
    return folder
  }

  private func object(_ result: Program.Result) throws -> [String: Any] {
    let last = try #require(result.lines.last, "\(result.error)")
    return try #require(try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any])
  }

  @Test
  func `backtest reports hits, holds them against the truth and writes the same verdicts at any number of workers`()
    throws
  {
    let folder = try scene()
    let source = "capture:\(folder.path("a.frames"))"
    var verdicts: [[String]] = []
    for workers in ["1", "7"] {
      let path = folder.path("v\(workers)")
      let result = try Program.run([
        "backtest", "--source", source, "--rules", folder.path("old"), "--truth", folder.path("a.truth"), "--directory",
        folder.path("a.accounts"), "--workers", workers, "--verdicts", path, "--json",
      ])
      #expect(result.code == 0, "\(result.error)")
      let report = try object(result)
      for member in ["events", "precision", "recall", "campaigns", "rules"] {
        #expect(report[member] != nil, "\(member)")
      }
      let rules = try #require(report["rules"] as? [String: [String: Any]])
      #expect(Set(rules.keys) == ["Linked", "Tenth"])
      #expect((rules["Linked"]?["hits"] as? Int ?? 0) > 0 && (rules["Tenth"]?["hits"] as? Int ?? 0) > 0)
      let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
      verdicts.append(
        lines.map {
          $0.replacingOccurrences(of: "\"__eval_us\":[0-9]+", with: "", options: .regularExpression)
        })
    }
    #expect(verdicts[0].count > 10 && verdicts[0] == verdicts[1])
    let text = try Program.run(["backtest", "--source", source, "--rules", folder.path("old"), "--samples", "1"])
    #expect(text.code == 0 && text.out.contains("Linked: ") && text.out.contains("at://"))
    for arguments in [
      ["--source", "capture:/no/such/file"], ["--source", "relay"], ["--source", "nonsense"],
      ["--source", "kafka:t@x"],
      ["--source", source, "--rules", "/no/such/folder"], ["--source", source, "--truth", folder.path("a.frames")],
    ] {
      let rules = arguments.contains("--rules") ? [] : ["--rules", folder.path("old")]
      let wrong = try Program.run(["backtest"] + arguments + rules)
      #expect(wrong.code == 2 && wrong.error.contains("error: ") && wrong.out.isEmpty, "\(arguments): \(wrong)")
    }
  }

  @Test func `diff finds nothing between a set and itself, and fails on what it is told to`() throws {
    let folder = try scene()
    func diff(_ candidate: String, _ more: [String]) throws -> Program.Result {
      try Program.run(
        [
          "diff", "--source", "capture:\(folder.path("a.frames"))", "--baseline", folder.path("old"), "--candidate",
          folder.path(candidate),
        ] + more)
    }
    let same = try diff("old", ["--fail-on", "any", "--fail-on", "errors"])
    #expect(same.code == 0 && same.out.contains("no difference"), "\(same)")
    let gone = try diff("new", ["--fail-on", "gone", "--json"])
    #expect(gone.code == 1)
    let report = try object(gone)
    #expect(report["failed_on"] as? [String] == ["gone"] && report["newly_firing"] as? Int == 0)
    let rules = try #require(report["rules"] as? [String: [String: Any]])
    #expect(rules["Tenth"]?["notes"] as? [String] == ["removed"])
    #expect((rules["Linked"]?["no_longer_firing"] as? Int ?? 0) > 0)
    #expect((rules["Linked"]?["no_longer_firing_samples"] as? [Any])?.isEmpty == false)
    #expect(try diff("new", ["--fail-on", "new"]).code == 0)
  }

  @Test func `dry-run says what would fire, on a capture and on live traffic, and ends when it is told to`() throws {
    let folder = try scene()
    let recorded = try Program.run([
      "dry-run", "--source", "capture:\(folder.path("a.frames"))", "--rules", folder.path("old"), "--events", "500",
      "--json",
    ])
    #expect(recorded.code == 0, "\(recorded.error)")
    #expect(try object(recorded)["events"] as? Int == 500)
    let again = try Program.run([
      "dry-run", "--source", "capture:\(folder.path("a.frames"))", "--rules", folder.path("old"), "--loop",
      "--speed", "1000x", "--events", "2500", "--json",
    ])
    #expect(try object(again)["events"] as? Int == 2_500, "\(again.error)")
    let live = try Program.run([
      "dry-run", "--source", "simulator", "--simulate-rate", "200", "--rules", folder.path("old"), "--for", "2",
    ])
    #expect(live.code == 0 && live.out.contains("Linked"), "\(live)")
    let asked = Process()
    let out = Pipe()
    asked.executableURL = URL(fileURLWithPath: Program.path)
    asked.arguments = ["dry-run", "--source", "simulator", "--simulate-rate", "50", "--rules", folder.path("old")]
    asked.standardOutput = out
    let error = Pipe()
    asked.standardError = error
    try asked.run()
    // The first of the plain lines, after five seconds: events flow.
    #expect(!error.fileHandleForReading.availableData.isEmpty)
    asked.interrupt()
    let summary = String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    asked.waitUntilExit()
    #expect(asked.terminationReason == .exit && asked.terminationStatus == 0 && summary.contains("Linked"))
  }

  @Test func `explain tells for one event what every rule did, and bench what each costs`() throws {
    let folder = try scene()
    let source = "capture:\(folder.path("a.frames"))"
    let report = try object(
      try Program.run(["backtest", "--source", source, "--rules", folder.path("old"), "--samples", "1", "--json"]))
    let rules = try #require(report["rules"] as? [String: [String: Any]])
    let sample = try #require((rules["Linked"]?["samples"] as? [[String: Any]])?.first)
    let uri = try #require(sample["uri"] as? String)
    let id = try #require(sample["action_id"] as? Int)
    for event in [uri, "\(id)"] {
      let told = try Program.run(["rules", "explain", event, "--source", source, "--rules", folder.path("old")])
      #expect(told.code == 0 && told.out.contains("Linked (live, rules.lua:1): hit"), "\(told)")
      #expect(told.out.contains("event.links") && told.out.contains("LinkCount = "))
      #expect(told.out.contains("Tenth (shadow): not asked: its collections are app.bsky.graph.follow"))
    }
    let missing = try Program.run([
      "rules", "explain", "at://did:plc:nobody/a.b.c/d", "--source", source, "--rules", folder.path("old"),
    ])
    #expect(missing.code == 1 && missing.error.contains("no such event"))
    let bench = try object(
      try Program.run([
        "rules", "bench", "--source", source, "--rules", folder.path("old"), "--repeat", "7", "--json",
      ]))
    #expect(bench["rule_count"] as? Int == 7 && (bench["rules"] as? [Any])?.count == 7)
  }

  @Test func `tail prints what run put on the verdicts topic, filtered, one line a hit`() throws {
    let folder = try scene()
    let broker = try Program.start(["broker"])
    defer { broker.process.terminate() }
    let servers = ["--bootstrap-servers", broker.firstLine]
    let run = try Program.run(
      [
        "run", "--source", "capture:\(folder.path("a.frames"))", "--rules", folder.path("old"), "--metrics-listen",
        "127.0.0.1:0",
      ] + servers)
    #expect(run.code == 0, "\(run.error)")
    let all = try Program.run(["tail", "--from-beginning", "--no-follow"] + servers)
    #expect(all.code == 0, "\(all.error)")
    let live = all.lines.filter { $0.contains("  Linked  ") }
    let shadow = all.lines.filter { $0.contains("  Tenth (shadow)  ") }
    #expect(!live.isEmpty && !shadow.isEmpty && live.count + shadow.count == all.lines.count)
    #expect(live.allSatisfy { $0.contains("verdict review") && $0.contains("LinkCount ") })
    func tail(_ more: [String]) throws -> [String] {
      try Program.run(["tail", "--from-beginning", "--no-follow"] + servers + more).lines
    }
    // Partitions come as they come.
    #expect(try tail(["--rule", "Tenth"]).sorted() == shadow.sorted())
    #expect(try tail(["--mode", "live"]).sorted() == live.sorted())
    #expect(try tail(["--mode", "live", "--json"]).allSatisfy { $0.hasPrefix("{\"__action_id\":") })
    #expect(try tail(["--did", "did:plc:nobody"]).isEmpty)
    #expect(try Program.run(["tail", "--no-follow"]).code == 2)
    #expect(try Program.run(["tail", "--no-follow", "--verdict-topic", "nothing"] + servers).code == 1)
  }

  @Test func `every trial sets a failing rule aside after as many faults as run does with the same number`() throws {
    let folder = try scene()
    // Hits until it is set aside, which happens at its third fault.
    let rules = folder.url.appendingPathComponent("shaky")
    try FileManager.default.createDirectory(at: rules, withIntermediateDirectories: true)
    let shaky = """
      return rule { name = "Shaky", about = "Fails on links.", collections = { "app.bsky.feed.post" },
        when = function(event) if #event.links > 0 then error("a link") end return true end,
        effects = { verdict "review" } }
      """
    try Data(shaky.utf8).write(to: rules.appendingPathComponent("shaky.lua"))
    let source = ["--source", "capture:\(folder.path("a.frames"))"]
    func trial(_ command: [String], _ faults: [String]) throws -> [String: Any] {
      let result = try Program.run(command + source + faults + ["--rules", rules.path, "--json"])
      #expect(result.code == 0, "\(result.error)")
      return try object(result)
    }
    func numbers(_ command: String, _ faults: [String]) throws -> (hits: Int, errors: Int) {
      let all = try #require(try trial([command], faults)["rules"] as? [String: [String: Any]])
      return (all["Shaky"]?["hits"] as? Int ?? -1, all["Shaky"]?["errors"] as? Int ?? -1)
    }
    let three = ["--rule-faults", "3"]
    let backtest = try numbers("backtest", three)
    #expect(backtest.errors == 3 && backtest.hits > 0)
    let byDefault = try numbers("backtest", [])
    #expect(byDefault.errors > 3 && byDefault.hits > backtest.hits)
    #expect(try numbers("dry-run", three) == backtest)
    let bench = try #require(try trial(["rules", "bench"], three)["rules"] as? [[String: Any]])
    #expect(bench.first?["errors"] as? Int == 3)
    let diff = try Program.run(
      ["diff", "--baseline", rules.path, "--candidate", rules.path, "--json"] + source + three)
    let compared = try #require(try object(diff)["rules"] as? [String: [String: Any]])
    #expect(compared["Shaky"]?["both"] as? Int == backtest.hits, "\(compared)")

    let broker = try Program.start(["broker"])
    defer { broker.process.terminate() }
    let servers = ["--bootstrap-servers", broker.firstLine]
    let run = try Program.run(
      ["run", "--rules", rules.path, "--metrics-listen", "127.0.0.1:0"] + source + servers + three)
    #expect(run.code == 0, "\(run.error)")
    #expect(try Program.run(["tail", "--from-beginning", "--no-follow"] + servers).lines.count == backtest.hits)
    let wrong = try Program.run(["backtest", "--rule-faults", "0", "--rules", rules.path] + source)
    #expect(wrong.code == 2 && wrong.error.contains("--rule-faults"))
  }

  @Test func `rules can ask how old the simulator's accounts are, without a directory being given`() throws {
    let folder = try scene()
    let rules = folder.url.appendingPathComponent("ages")
    try FileManager.default.createDirectory(at: rules, withIntermediateDirectories: true)
    let ages = """
      return {
        rule { name = "Young", about = "Days old.", when = function(event) return young(event, days(7)) end },
        rule { name = "Old", about = "Older.",
          when = function(event) return event.account_age ~= nil and not young(event, days(7)) end },
        rule { name = "Unknown", about = "Nobody knows.", actions = { "operation#create" },
          when = function(event) return event.account_age == nil end },
      }
      """
    try Data(ages.utf8).write(to: rules.appendingPathComponent("ages.lua"))
    func hits(_ more: [String]) throws -> [Int] {
      let result = try Program.run(["dry-run", "--rules", rules.path, "--events", "500", "--json"] + more)
      #expect(result.code == 0, "\(result.error)")
      let all = try #require(try object(result)["rules"] as? [String: [String: Any]])
      return ["Young", "Old", "Unknown"].map { all[$0]?["hits"] as? Int ?? -1 }
    }
    let simulated = try hits(["--source", "simulator", "--simulate-rate", "max"])
    #expect(simulated[0] > 0 && simulated[1] > simulated[0] && simulated[2] == 0, "\(simulated)")
    // A directory that is given is the only one.
    let given = folder.path("nobody.jsonl")
    try Data("{\"did\":\"did:plc:nobody\"}\n".utf8).write(to: URL(fileURLWithPath: given))
    let other = try hits(["--source", "simulator", "--simulate-rate", "max", "--directory", given])
    #expect(other[0] == 0 && other[1] == 0 && other[2] > 0, "\(other)")
    #expect(try hits(["--source", "capture:\(folder.path("a.frames"))"])[0] == 0)
  }
}
