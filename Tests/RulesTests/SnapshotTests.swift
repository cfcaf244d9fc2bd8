import ATProto
import FrameKit
import Osprey
import Testing

@testable import Rules

/// What a restart keeps: `host.snapshot()`, `RuleSnapshot(bytes)`, `RuleOptions.restoring`.
struct SnapshotTests {
  /// Rules that use every kind of state.
  private let files = [
    "a.lua": ruleSource(
      "Counter", "local c = count('c', event.text, minutes(1)) c:add() return c:crossed(4), { Seen = c:get() }"),
    "b.lua": ruleSource(
      "Distinct", "local d = distinct('d', event.text, minutes(1)) d:add(event.did) return d:crossed(3)",
      effects: "{ label { 'x', on = 'uri', expires = 60 }, label { 'busy', dedupe = hours(1) } }"),
    "c.lua": ruleSource(
      "Cached",
      "local last = cache.get('last ' .. event.did) cache.set('last ' .. event.did, event.text, minutes(3)) return last == event.text",
      effects: "{ tag { 'again', dedupe = 90 } }"),
    "d.lua": ruleSource(
      "Labelled", "local labels = entity.labels(event.did) return #labels > 0, { Labels = labels }",
      more: "quota = { hour = 40 },", effects: "{ report { 'spam', dedupe = 200 }, unlabel { 'busy', dedupe = 500 } }"),
    "e.lua": ruleSource("Typed", "return false, { Share = event.seq < 40 and 1 or event.seq / 4 }"),
    "f.lua": ruleSource("Down", "return event.seq % 50 == 0", effects: "{ takedown { dedupe = 0 } }"),
    "quotas.lua": "return quotas { takedown = { day = 9 } }",
  ]

  private func event(_ number: Int, _ seed: inout UInt64) -> TestEvent {
    seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    var event = TestEvent.post("text \(seed >> 60)")
    event.did = "did:plc:\(seed >> 57 & 15)"
    event.seq = Int64(number + 1)
    event.id = Int64(number + 1)
    event.clockMs += Int64(number) * 700
    return event
  }

  @Test func `a restored state gives the same verdicts byte for byte, wherever the run was cut`() throws {
    // Set aside is what a snapshot does not keep: a load is a new chance.
    let load = { (snapshot: RuleSnapshot?) in
      Judge(host: try RuleHost.load(ruleFiles(files), options: RuleOptions(faultsMax: 9999, restoring: snapshot)))
    }
    let straight = try load(nil)
    var seed: UInt64 = 7
    let expected = (0..<1200).map { straight.json(event($0, &seed)) }
    for rule in ["Counter", "Distinct", "Cached", "Labelled", "Down"] {
      #expect(expected.contains { $0.contains("\"\(rule)\":true") }, "\(rule)")
    }
    #expect(expected.contains { $0.contains("__rules_over_quota\":[\"Labelled\"]") })
    #expect(expected.contains { $0.contains("__rules_over_quota\":[\"Down\"]") })
    #expect(expected.contains { $0.contains("\"__error_count\":1") })
    seed = 7
    var judge = try load(nil)
    var cuts: UInt64 = 99
    for number in 0..<1200 {
      cuts = cuts &* 6_364_136_223_846_793_005 &+ 1
      if cuts >> 58 == 0 {
        let bytes = judge.host.snapshot().encoded()
        judge = try load(try RuleSnapshot(bytes))
        #expect(judge.host.snapshot().encoded() == bytes)
      }
      let json = judge.json(event(number, &seed))
      if json != expected[number] { #expect(json == expected[number], "event \(number)") }
    }
  }

  @Test func `what a full table forgets next is restored too`() throws {
    func make() -> RuleState {
      RuleState(countersMax: 40, setsMax: 30, valuesMax: 256, givenMax: 20, marksMax: 20, cacheMax: 25)
    }
    func step(_ state: RuleState, _ number: UInt64) -> [Int] {
      let key = StateKey(high: number % 61, low: (number % 61) &* 0x9e37_79b9_7f4a_7c15)
      let clockMs = Int64(number & 0xffff)
      let text = Array("v\(number)".utf8)
      var answers = [
        state.add(key, windowMs: 30_000, clockMs: clockMs, number: Int(number % 7)),
        state.addDistinct(key, windowMs: 30_000, clockMs: clockMs, value: number % 97),
        state.crossed(key, windowMs: 30_000, clockMs: clockMs, count: Int(number % 9), threshold: 5) ? 1 : 0,
        state.effects.isNew(key, clockMs: clockMs) ? 1 : 0,
        state.effects.has(key, clockMs: clockMs) ? 1 : 0,
        state.cache.find(key, clockMs: clockMs).map { Int(state.cache.entries[$0].count) } ?? -1,
      ]
      state.effects.note(key, untilMs: clockMs + 500)
      state.effects.mark(key, gives: number % 3 == 0, expires: clockMs + 900)
      text.withUnsafeBufferPointer { state.cache.set(key, .text, bits: 0, text: $0, expires: clockMs + 2000) }
      answers.append(Int(state.effects.generation(key, gives: true)))
      return answers
    }
    var state = make()
    let straight = make()
    var seed: UInt64 = 3
    for number in 0..<20_000 {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      if number % 1711 == 0 {
        let writer = SnapshotWriter(capacity: state.savedBytes)
        state.save(to: writer)
        #expect(writer.out.count <= state.savedBytes)
        var reader = SnapshotReader(writer.out.bytes)
        let restored = make()
        try restored.restore(from: &reader)
        #expect(reader.isAtEnd)
        state = restored
      }
      let (left, right) = (step(state, seed >> 32), step(straight, seed >> 32))
      if left != right { #expect(left == right, "step \(number)") }
    }
    #expect(straight.counterCount == 40 && straight.distinctSetCount == 30)
  }

  @Test func `a snapshot that is damaged, cut short or of another version is refused`() throws {
    let judge = try Judge(files)
    var seed: UInt64 = 5
    for number in 0..<200 { _ = judge.judge(event(number, &seed)) }
    let bytes = judge.host.snapshot().encoded()
    _ = try RuleSnapshot(bytes)
    for at in stride(from: 0, to: bytes.count, by: bytes.count / 60 + 1) {
      var damaged = bytes
      damaged[at] ^= 0x10
      #expect(throws: SnapshotError.self) { try RuleSnapshot(damaged) }
      #expect(throws: SnapshotError.damaged) { try RuleSnapshot(Array(bytes[..<at])) }
    }
    #expect(throws: SnapshotError.damaged) { try RuleSnapshot(bytes + [0]) }
    var newer = bytes
    newer[8] = 9
    #expect(throws: SnapshotError.otherVersion(9)) { try RuleSnapshot(newer) }
  }

  @Test func `a snapshot whose checksum holds and whose content does not is refused, and nothing runs wild`() throws {
    let judge = try Judge(files)
    var seed: UInt64 = 5
    for number in 0..<100 { _ = judge.judge(event(number, &seed)) }
    let whole = judge.host.snapshot().encoded()
    let content = Array(whole[RuleSnapshot.headBytes...])
    var refused = 0
    for at in stride(from: 0, to: content.count, by: max(1, content.count / 500)) {
      var forged = content
      forged[at] = forged[at] &+ 0x81
      let digest = withBytes(forged) { SHA256Digest.of($0) }
      // Values may be anything; lengths, slots and chains may not.
      do {
        _ = try RuleSnapshot(Array(whole[..<24]) + digest + forged)
      } catch {
        refused += 1
      }
    }
    #expect(refused > 10)
  }

  @Test func `a load that replaces a set goes on with that set's state, whatever snapshot it gets`() throws {
    let source = ["r.lua": ruleSource("R", "return true, { Value = count('c', event.did, hours(1)):add() }")]
    let first = try Judge(source)
    let snapshot = first.host.snapshot()
    #expect(first.value(TestEvent()) == "1")
    let second = try RuleHost.load(
      ruleFiles(source), replacing: first.host, options: RuleOptions(restoring: snapshot))
    #expect(Judge(host: second).value(TestEvent()) == "2")
    // The same snapshot may be used more than once.
    for _ in 0..<2 {
      let third = try RuleHost.load(ruleFiles(source), options: RuleOptions(restoring: snapshot))
      #expect(Judge(host: third).value(TestEvent()) == "1")
    }
  }
}
