import Foundation
import Kafka
import Logging
import Rules
import Simulator
import Synchronization
import Testing

@testable import Feeder

/// Two rules that say which set they belong to, and a counter over all sets.
private func ruleSet(_ generation: Int, isValid: Bool = true) -> String {
  """
  local function one(name)
    return rule {
      name = name, about = "Says which set it is of.",
      when = function(event)
        return true, { [name .. "Set"] = \(generation), [name .. "Seen"] = count(name, "all", days(1)):add() }
      end,
      effects = { verdict "set\(generation)" },\(isValid ? "" : " nonsense = 1,")
    }
  end
  return { one("First"), one("Second") }
  """
}

@Suite(.serialized) struct ReloadTests {
  /// Values of `"name":number` in a message.
  private func number(_ name: String, _ message: String) -> Int? {
    guard let range = message.range(of: "\"\(name)\":") else { return nil }
    return Int(message[range.upperBound...].prefix { $0.isNumber })
  }

  private func frames(_ count: Int) -> [[UInt8]] {
    let world = World(SimulatorConfiguration(seed: 5, accounts: 100))
    return (0..<count).map { _ in
      var frame: [UInt8] = []
      _ = world.next(into: &frame)
      return frame
    }
  }

  @Test func `a thousand reloads, every third of them invalid, lose nothing, mix nothing and leave no memory behind`()
    throws
  {
    let stage = try Stage(rule: ruleSet(0))
    let reloads = 1_000
    let frames = frames(3 * reloads)
    let metrics = FeederMetrics(workers: 2)
    let path = stage.folder.appendingPathComponent("rule.lua")
    let pipeline = Mutex<Pipeline?>(nil)
    let problems = Mutex<[String]>([])
    let halfway = Mutex(0)
    let source = PacedSource(frames, metrics) { index in
      guard index % 3 == 0, let pipeline = pipeline.withLock({ $0 }) else { return }
      let generation = index / 3
      if generation == reloads / 2 { halfway.withLock { $0 = residentBytes() } }
      do {
        try Data(ruleSet(generation, isValid: generation % 3 != 2).utf8).write(to: path)
      } catch {
        problems.withLock { $0.append("\(error)") }
      }
      switch pipeline.rules.reload(evenIfUnchanged: true) {
      case .loaded where generation % 3 != 2: break
      case .refused where generation % 3 == 2: break
      case let result: problems.withLock { $0.append("set \(generation): \(result)") }
      }
      pipeline.rules.clear()
    }
    let made = try Pipeline(settings: stage.settings, metrics: metrics, source: source, log: stage.log)
    pipeline.withLock { $0 = made }
    guard case .drained = made.run() else {
      Issue.record("the run did not drain")
      return
    }
    let growth = residentBytes() - halfway.withLock { $0 }
    pipeline.withLock { $0 = nil }
    #expect(problems.withLock { $0 } == [])
    // A set takes about 100 KiB: five hundred of them would be 50 MB. The broker in this process keeps its messages, too, and
    // other tests may run beside this one.
    let messages = metrics.acknowledged.count / 2 * 1_500
    // A sanitizer keeps what is freed, and memory of its own beside it.
    let isSanitized = dlsym(nil, "__tsan_init") != nil || dlsym(nil, "__asan_init") != nil
    #expect(isSanitized || growth - messages < 24 << 20, "\(growth >> 10) KiB more after \(reloads / 2) reloads")
    #expect(metrics.ruleReloads[0].count + metrics.ruleReloads[2].count == reloads)
    let verdicts = try stage.read("osprey.feeder.verdicts", partitions: 2).flatMap { $0 }.map(\.value)
    #expect(verdicts.count == metrics.actions.total)
    // No event is lost, none judged by half a set, none by a set that does not load, and counters go on over all sets.
    #expect(verdicts.allSatisfy { number("FirstSet", $0) == number("SecondSet", $0) })
    #expect(verdicts.allSatisfy { (number("FirstSet", $0) ?? 2) % 3 != 2 })
    #expect(Set(verdicts.compactMap { number("FirstSeen", $0) }) == Set(1...verdicts.count))
    #expect(Set(verdicts.compactMap { number("FirstSet", $0) }).count > reloads / 3)
    #expect(made.ruleStatus.rules[0].numbers.evaluations == verdicts.count)
  }

  @Test func `a candidate set publishes nothing and is compared rule by rule, also after either set is reloaded`()
    throws
  {
    func post(_ name: String, _ condition: String) -> String {
      """
      return rule { name = "\(name)", about = "Some posts.", collections = { "app.bsky.feed.post" },
        when = function(event) return \(condition) end, effects = { verdict "v" } }
      """
    }
    let stage = try Stage(rule: post("Long", "text.len(event.text) > 100"))
    let other = try Stage(rule: post("Long", "text.len(event.text) > 60"))
    try Data(post("Gone", "true").utf8).write(to: stage.folder.appendingPathComponent("gone.lua"))
    stage.settings.candidateFolder = other.folder.path
    let metrics = FeederMetrics(workers: 2)
    let pipeline = Mutex<Pipeline?>(nil)
    let source = PacedSource(frames(2_000), metrics) { index in
      guard index == 1_000 else { return }
      pipeline.withLock { _ = $0?.rules.reload(evenIfUnchanged: true) }
    }
    let made = try Pipeline(settings: stage.settings, metrics: metrics, source: source, log: stage.log)
    pipeline.withLock { $0 = made }
    guard case .drained = made.run() else {
      Issue.record("the run did not drain")
      return
    }
    pipeline.withLock { $0 = nil }
    let verdicts = try stage.read("osprey.feeder.verdicts", partitions: 2).flatMap { $0 }.map(\.value)
    let long = verdicts.count { $0.contains("\"Long\":true") }
    let differences = try #require(made.candidateStatus).differences
    #expect(differences.map(\.rule) == ["Gone", "Long"])
    #expect(differences[0].onlyLive == verdicts.count && differences[0].both == 0 && differences[0].onlyCandidate == 0)
    // Whatever is longer than 100 is longer than 60.
    #expect(differences[1].both == long && differences[1].onlyLive == 0 && differences[1].onlyCandidate > 0)
    #expect(differences[1].sample.hasPrefix("at://"))
    #expect(metrics.actions.total > verdicts.count && verdicts.count > long && long > 0)
  }

  @Test func `a file that changes is loaded by itself once it has stopped changing, and a bad one is refused`() throws {
    let stage = try Stage(rule: ruleSet(1))
    let labels = RuleKeeper.reloadLabels
    let counters = LabelledCounters(labels)
    let keeper = try RuleKeeper(folder: stage.folder.path, counters: counters, log: stage.log)
    let exchange = keeper.forSession
    keeper.start()
    defer { keeper.stop() }
    func wait(until isDone: () -> Bool) -> Bool {
      let deadline = ContinuousClock.now + .seconds(30)
      while !isDone() {
        if ContinuousClock.now > deadline { return false }
        usleep(10_000)
      }
      return true
    }
    let before = exchange.active.hash
    try Data(ruleSet(2).utf8).write(to: stage.folder.appendingPathComponent("rule.lua"))
    #expect(wait { exchange.take() != nil })
    #expect(exchange.active.hash != before)
    let loaded = exchange.active.hash
    try Data(ruleSet(3, isValid: false).utf8).write(to: stage.folder.appendingPathComponent("rule.lua"))
    #expect(wait { counters[2].count == 1 })
    #expect(exchange.take() == nil && exchange.active.hash == loaded)
  }
}

/// Resident memory of this process (proc(5), /proc/self/statm).
private func residentBytes() -> Int {
  guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
  let fields = text.split(separator: " ")
  return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(getpagesize()) : 0
}
