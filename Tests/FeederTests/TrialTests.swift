import ATProto
import Capture
import Foundation
import Kafka
import Logging
import Osprey
import Rules
import Simulator
import Testing

@testable import Feeder

/// Rules with counters, so that the order of events shows in what they say.
private let ruleText = """
  return {
    rule { name = "Posts", about = "Every third post of all.", collections = { "app.bsky.feed.post" },
      actions = { "operation#create" },
      when = function(event)
        local n = count("posts", "all", days(1)):add()
        return n % 3 == 0, { PostNumber = n }
      end, effects = { verdict "v", label { "seen", on = "did", expires = hours(1), comment = "{PostNumber}" } } },
    rule { name = "Liked", about = "Every seventh like.", mode = "shadow", collections = { "app.bsky.feed.like" },
      when = function(event)
        local n = count("likes", "all", days(1)):add()
        return n % 7 == 0, { LikeNumber = n }
      end },
    rule { name = "Handles", about = "Every identity event.", actions = { "identity" },
      when = function(event) return true, { NewHandle = event.handle } end },
  }
  """

/// A capture file of the simulator and a folder of rules.
private final class Scene {
  let folder: URL
  var capture: String { folder.appendingPathComponent("a.frames").path }
  var rules: String { folder.appendingPathComponent("rules").path }

  init(events: Int, rule: String = ruleText) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("trial-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
      at: folder.appendingPathComponent("rules"), withIntermediateDirectories: true)
    try Data(rule.utf8).write(to: folder.appendingPathComponent("rules/rule.lua"))
    guard events > 0 else { return }
    let world = World(SimulatorConfiguration(seed: 3, accounts: 100))
    let writer = try CaptureWriter(path: capture)
    var frame: [UInt8] = []
    for _ in 0..<events {
      _ = world.next(into: &frame)
      try writer.write(frame)
    }
    try writer.close()
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// A backtest; returns its verdicts.
  func backtest(workers: Int, _ source: ((FeederMetrics) -> any FrameSource)? = nil) throws -> [String] {
    var settings = TrialSettings()
    settings.workers = workers
    let metrics = FeederMetrics(workers: workers)
    let set = RuleTrial(
      try RuleHost.load(directory: rules), samples: 2, messageBytesMax: settings.messageBytesMax)
    let path = folder.appendingPathComponent("\(UUID().uuidString).jsonl").path
    let file = try #require(LineFile(path: path))
    let trial = Trial(
      settings: settings, source: source?(metrics) ?? CaptureFileSource(path: capture, metrics: metrics),
      metrics: metrics)
    #expect(trial.run(Backtest(set, verdicts: file), tickMs: 50) {} == .complete)
    #expect(file.close() == nil)
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
    #expect(set.totals.hits == lines.count)
    return lines
  }
}

/// A verdict without what may differ from run to run (law 4).
private func comparable(_ line: String) -> String {
  var line = line
  for member in ["__timestamp\":\"", "__mode\":\"", "__eval_us\":"] {
    guard let start = line.range(of: member) else { continue }
    let rest = line[start.upperBound...]
    let end = rest.firstIndex { $0 == "\"" || $0 == "," || $0 == "}" } ?? rest.endIndex
    line.removeSubrange(start.lowerBound..<end)
  }
  return line
}

@Suite(.serialized) struct TrialTests {
  @Test func `backtest gives the verdicts of run, byte for byte, at any number of workers, from file and from topic`()
    throws
  {
    let scene = try Scene(events: 700)
    let backtests = try [1, 2, 7].map { try scene.backtest(workers: $0).map(comparable) }
    #expect(backtests[0].count > 20)
    #expect(backtests[0] == backtests[1] && backtests[0] == backtests[2])

    let stage = try Stage(rule: ruleText)
    stage.settings.isLive = false
    let metrics = FeederMetrics(workers: 2)
    let pipeline = try Pipeline(
      settings: stage.settings, metrics: metrics, source: CaptureFileSource(path: scene.capture, metrics: metrics),
      log: stage.log)
    guard case .drained = pipeline.run() else {
      Issue.record("the run did not drain")
      return
    }
    // The topic has partitions, so what it holds is compared account by account.
    let topic = try stage.read("osprey.feeder.verdicts", partitions: 2).flatMap { $0 }.map { comparable($0.value) }
    #expect(topic.sorted() == backtests[0].sorted())

    let range = try #require(TopicRange("osprey.actions_input"))
    let again = try scene.backtest(workers: 2) { metrics in
      TopicSource(configuration: stage.settings.kafka, range: range, metrics: metrics)
    }
    // Operations of the topic have no `seq`, which no rule here asks for: what is left is the same, in the same order.
    #expect(again.map(comparable) == backtests[0])

    let part = try #require(TopicRange("osprey.actions_input@10..20"))
    let some = FeederMetrics(workers: 1)
    let trial = Trial(
      settings: TrialSettings(),
      source: TopicSource(configuration: stage.settings.kafka, range: part, metrics: some), metrics: some)
    let store = EventStore()
    #expect(trial.run(store, tickMs: 50) {} == .complete)
    #expect(store.actions.count == 40)
  }

  @Test func `a trial ends after so many actions, and when it is asked to`() throws {
    let scene = try Scene(events: 300)
    for wanted in [1, 17] {
      var settings = TrialSettings()
      settings.actionsMax = wanted
      let metrics = FeederMetrics(workers: 1)
      let trial = Trial(
        settings: settings, source: CaptureFileSource(path: scene.capture, metrics: metrics), metrics: metrics)
      let store = EventStore()
      #expect(trial.run(store, tickMs: 50) {} == .complete)
      #expect(store.actions.count == wanted && trial.actions == wanted)
    }
    let metrics = FeederMetrics(workers: 1)
    let trial = Trial(
      settings: TrialSettings(), source: CaptureFileSource(path: scene.capture, metrics: metrics), metrics: metrics)
    trial.stop()
    #expect(trial.run(EventStore(), tickMs: 50) {} == .stopped)
    let missing = FeederMetrics(workers: 1)
    let failing = Trial(
      settings: TrialSettings(), source: CaptureFileSource(path: "/no/such/file", metrics: missing), metrics: missing)
    guard case .failed = failing.run(EventStore(), tickMs: 50, {}) else {
      Issue.record("a missing file was no failure")
      return
    }
  }

  @Test func `a comparison tells new, gone and changed hits apart, rule by rule`() throws {
    func set(_ rules: String) throws -> (Scene, RuleTrial) {
      let scene = try Scene(events: 0, rule: rules)
      return (scene, RuleTrial(try RuleHost.load(directory: scene.rules), samples: 0, messageBytesMax: 1_000_000))
    }
    func rule(_ name: String, _ condition: String, _ mode: String = "live") -> String {
      "rule { name = \"\(name)\", about = \"a\", mode = \"\(mode)\", when = function(event) "
        + "return \(condition) end, effects = { verdict \"v\" } }"
    }
    let old = try set(
      "return { \(rule("Same", "event.seq % 2 == 0")), \(rule("Moved", "event.seq < 5")), \(rule("Gone", "true")), "
        + "\(rule("Said", "true, { Value = 1 }")) }")
    let new = try set(
      "return { \(rule("Same", "event.seq % 2 == 0", "shadow")), \(rule("Moved", "event.seq >= 4 and event.seq < 7")), "
        + "\(rule("Said", "true, { Value = event.seq < 3 and 1 or 2 }")) }")
    let comparison = SetComparison(baseline: old.1, candidate: new.1, samples: 2)
    for sequence in 0..<10 { #expect(take(comparison, sequence: Int64(sequence))) }
    let found = Dictionary(uniqueKeysWithValues: comparison.differences.map { ($0.rule, $0) })
    #expect(found.count == 4)
    #expect(found["Same"]?.both == 5 && found["Same"]?.changed == 0 && found["Same"]?.hasChangedMode == true)
    #expect(found["Moved"]?.both == 1 && found["Moved"]?.newly == 2 && found["Moved"]?.gone == 4)
    #expect(found["Gone"]?.gone == 10 && found["Gone"]?.notes == ["removed"])
    #expect(found["Said"]?.both == 10 && found["Said"]?.changed == 7)
    #expect(found["Said"]?.changedSamples.first?.features.map(\.value) == ["1", "2"])
    #expect(found["Gone"]?.goneSamples.map(\.actionID) == [1, 5])
  }

  /// Judges one made-up post.
  private func take(_ consumer: any ActionConsumer, sequence: Int64, did: String = "did:plc:a", key: String = "k")
    -> Bool
  {
    let uri = "at://\(did)/app.bsky.feed.post/\(key)"
    return withBytes(Array(did.utf8)) { did in
      withBytes(Array(uri.utf8)) { uri in
        var action = Action(
          name: .operationCreate, id: sequence + 1, sequence: sequence, did: did, time: Bytes("2026-07-04T14:38:07Z"),
          clockMs: 1_783_175_887_000 + sequence, receivedAtMicros: 1_783_175_887_000_000)
        action.collection = Bytes("app.bsky.feed.post")
        action.uri = uri
        return consumer.take(action)
      }
    }
  }

  @Test func `hits are held against the truth: events, accounts, rules and campaigns`() throws {
    let lines = """
      {"uri":"at://did:plc:a/app.bsky.feed.post/k","did":"did:plc:a","campaign":"flood","seq":1}
      {"uri":"at://did:plc:a/app.bsky.feed.post/k","did":"did:plc:a","campaign":"flood","seq":2}
      {"uri":"at://did:plc:b/app.bsky.feed.post/k","did":"did:plc:b","campaign":"flood","seq":3}
      {"uri":"at://did:plc:c/app.bsky.feed.post/k","did":"did:plc:c","campaign":"wave","seq":4}
      {"uri":"at://did:plc:z/app.bsky.feed.post/k","did":"did:plc:z","campaign":"wave","seq":900}
      {"uri":null,"did":"did:plc:m","campaign":"malformed","seq":7,"kind":"x","outcome":"reject","reason":null}
      """
    let truth = try withBytes(Array(lines.utf8)) { try Truth(lines: $0) }
    #expect(truth.campaigns == ["flood", "wave"])
    let scene = try Scene(
      events: 0,
      rule: """
        return {
          rule { name = "Flood", about = "a", when = function(event) return event.seq == 2 or event.seq >= 5 end },
          rule { name = "Wave", about = "a", mode = "shadow", when = function(event) return event.seq == 4 end },
        }
        """)
    let host = try RuleHost.load(directory: scene.rules)
    let score = TruthScore(truth, rules: host.rules)
    let backtest = Backtest(RuleTrial(host, samples: 1, messageBytesMax: 1_000_000), truth: score)
    for (sequence, account) in [(1, "a"), (2, "a"), (3, "b"), (4, "c"), (5, "honest"), (6, "honest"), (7, "m")] {
      #expect(take(backtest, sequence: Int64(sequence), did: "did:plc:\(account)"))
    }
    let result = score.result
    #expect(result.campaigns.map(\.name) == ["flood", "wave"])
    let flood = result.campaigns[0].score
    #expect(flood.events == 3 && flood.foundEvents == 1 && flood.accounts == 2 && flood.foundAccounts == 1)
    #expect(flood.hits == 3 && flood.falseHits == 2 && flood.hitAccounts == 2 && flood.falseAccounts == 1)
    #expect(result.campaigns[0].rules == ["Flood"])
    // A shadow rule finds nothing for the campaign, but its own line says what it would.
    #expect(result.campaigns[1].score.recall == 0 && result.campaigns[1].score.precision == nil)
    #expect(result.campaigns[1].score.events == 1)
    #expect(
      result.rules[1].campaign == "wave" && result.rules[1].score.recall == 1 && result.rules[1].score.precision == 1)
    #expect(result.precision == 0.5 && result.recall == 0)
    #expect(result.all.accounts == 3 && result.all.foundAccounts == 1)
  }

  @Test func `a line of truth that is not understood is named`() {
    for (lines, number) in [
      ("{\"did\":\"d\",\"campaign\":\"c\",\"seq\":1}\n{\"did\":\"d\"}", 2), ("[]", 1),
      ("{\"did\":\"d\",\"campaign\":\"c\"}", 1),
    ] {
      #expect(throws: TruthError.self) { try withBytes(Array(lines.utf8)) { try Truth(lines: $0) } }
      do {
        _ = try withBytes(Array(lines.utf8)) { try Truth(lines: $0) }
      } catch {
        #expect((error as? TruthError)?.line == number)
      }
    }
  }

  @Test func `a range of a topic is offsets, times or all of it`() {
    #expect(TopicRange("t") == TopicRange("t@.."))
    #expect(TopicRange("t@100..200").map { [$0.from, $0.to] } == [.offset(100), .offset(200)])
    #expect(TopicRange("t@5..").map { [$0.from, $0.to] } == [.offset(5), nil])
    #expect(
      TopicRange("t@2026-11-20T00:00..2026-11-21").map { [$0.from, $0.to] }
        == [.time(1_795_132_800_000), .time(1_795_219_200_000)])
    for bad in ["", "@1..2", "t@", "t@5", "t@a..b", "t@-1..2", "t@2026-13-01.."] { #expect(TopicRange(bad) == nil) }
  }

  @Test func `samples are the first and others spread evenly, the same each time`() {
    var samples = EvenSamples<Int>(4)
    for number in 0..<1_000 where samples.wantsNext() { samples.keep(number) }
    #expect(samples.samples.count == 4 && samples.samples.first == 0)
    #expect(zip(samples.samples, samples.samples.dropFirst()).allSatisfy { $1 - $0 > 100 })
    var few = EvenSamples<Int>(4)
    for number in 0..<3 where few.wantsNext() { few.keep(number) }
    #expect(few.samples == [0, 1, 2])
    var none = EvenSamples<Int>(0)
    #expect(!none.wantsNext() && none.samples.isEmpty)
  }

  @Test func `the most frequent keys are never lost, however many there are`() {
    var hitters = HeavyHitters(capacity: 10)
    for number in 0..<10_000 {
      hitters.add("rare \(number)")
      if number % 3 == 0 { hitters.add("often") }
    }
    #expect(hitters.isLossy && hitters.distinct <= 10 && hitters.top(1).first?.key == "often")
    var exact = HeavyHitters(capacity: 10)
    for key in ["b", "a", "b"] { exact.add(key) }
    #expect(!exact.isLossy && exact.top(5).map(\.key) == ["b", "a"] && exact.top(5).map(\.count) == [2, 1])
  }

  @Test func `a repeated set has so many rules, and every copy counts for itself`() throws {
    let scene = try Scene(
      events: 0,
      rule: """
        return { rule { name = "One", about = "a", when = function(event)
          return count("seen", "all", days(1)):add() == 3 end },
          rule { name = "Two", about = "a", when = function(event) return false end } }
        """)
    var options = RuleOptions()
    options.rulesWanted = 5
    let host = try RuleHost.load(directory: scene.rules, options: options)
    #expect(host.rules.map(\.name) == ["One", "Two", "OneCopy1", "TwoCopy1", "OneCopy2"])
    let store = EventStore()
    for sequence in 1...4 { #expect(take(store, sequence: Int64(sequence))) }
    let bench = RuleBench(host, store)
    #expect(bench.all.count == 4 && bench.entered.count == 4 && bench.enteredShare == 1)
    #expect(bench.runningShare > 0 && bench.runningShare <= 1 && bench.mean(bench.all) <= bench.all.mean)
    #expect([0, 2, 4].map { host.counters.statistics($0).hits } == [1, 1, 1])
  }

  @Test func `a histogram of times is exact to a sixteenth`() {
    var histogram = NanosecondHistogram()
    for nanoseconds in 1...10_000 { histogram.add(nanoseconds) }
    #expect(abs(histogram.mean - 5000.5) < 1)
    for share in [0.5, 0.9, 0.99] {
      let exact = share * 10_000
      #expect(Double(histogram.percentile(share)) >= exact && Double(histogram.percentile(share)) <= exact * 1.0625 + 1)
    }
  }
}
