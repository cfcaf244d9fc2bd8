import FrameKit
import Foundation
import Osprey
import Testing

@testable import Rules

/// Rules that are not run where it is known that they find nothing (CLuaHost/known.c).
struct KnownMissTests {
  /// Bodies of rules that begin with something small and go on to what must not be taken for known.
  private static let bodies = [
    "if #event.links == 0 then return false end return true",
    "if #event.domains == 0 or not young(event, days(7)) then return false end return true, { Age = event.account_age }",
    "if not young(event, days(7)) then return false end return count('a', event.did, hours(1)):add() > 2",
    "if not event.is_reply then return false end return event.reply_parent ~= nil",
    "if not event.quote then return nil end return true",
    "if #event.mentions > 2 then return true, { People = #event.mentions } end return false, { People = #event.mentions }",
    "if #event.tags == 0 then return false end return #event.tags % 2 == 0",
    // What is remembered, before and after a small question, and with small answers.
    "local n = count('posts', 'all', days(1)):add() return n % 3 == 0",
    "if #event.links > 0 then count('links', 'all', days(1)):add() end return false",
    "if #event.links > 0 then return false end return count('links', 'all', days(1)):get() > 1",
    "if count('links', 'all', days(1)):crossed(2) then return true end return false",
    "if distinct('who', 'all', days(1)):add(event.did) < 3 then return false end return true",
    "local n = cache.get('n') or 0 cache.set('n', n + 1, days(1)) return n % 4 == 3",
    "if not cache.get('n') then return false end return cache.get('n') % 5 == 2",
    "if #entity.labels(event.did) == 0 then return false end return true, { Labels = entity.labels(event.did) }",
    "return entity.has(event.did, 'seen')",
    "if #event.links > 0 then return false end return (cache.get('n') or 0) % 5 == 2",
    "if #event.links > 0 then return false end return entity.has('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa', 'seen')",
    "if #event.links > 0 then return false end return time.since('2026-07-04T14:50:00Z') > 600",
    // Values that are no small answers.
    "if not event.text then return false end return #event.text % 2 == 0",
    "if event.operation ~= 'delete' then return false end return true",
    "return event.record.langs[1] == 'en'",
    "for _, tag in ipairs(event.tags) do if tag == 'b' then return true end end return false",
    "for key in pairs(event.record) do if key == 'tags' then return true end end return false",
    "return event.links[1] == 'https://a.example/1'",
    "return event.seq % 7 == 0",
    "return time.since(event.record.createdAt) > 60",
    "return shady:domain(event.domains) ~= nil",
    "return text.contains(event.text, { 'two', 'three' }) == 'two'",
    // Errors and what hides them.
    "if pcall(function() return event.nonsense end) then return true end return #event.links > 0",
    "if #event.links == 1 then error('one') end return false",
    // Features: one small, one text, one that counts; the first rule that asks works them out.
    "if not features.Many then return false end return true",
    "if features.Links < 2 then return false end return true",
    "return features.Shown == 'two'",
    "return features.Counted % 6 == 5",
  ]

  private static let files: [String: String] = {
    var files = [
      "features.lua": """
      return features {
        Many = function(event) if #event.tags > 1 then return true end end,
        Links = function(event) return #event.links end,
        Shown = function(event) return event.text end,
        Counted = function(event) return count('features', 'all', days(1)):add() end,
      }
      """,
      "lists/shady.txt": "a.example\n",
    ]
    for (number, body) in bodies.enumerated() {
      let name = "Rule\(number)"
      // Twice, so that answers are found that another rule asked for.
      for copy in ["", "Again"] {
        files["r\(number)\(copy).lua"] =
          "local shady = list 'shady'\n"
          + ruleSource(name + copy, body, effects: number == 0 ? "{ label { 'seen', on = 'did' } }" : "{ verdict 'v' }")
      }
    }
    return files
  }()

  /// Posts of four accounts with and without everything the bodies ask about; the same for the same number.
  private static func event(_ number: Int) -> TestEvent {
    var random = UInt64(number) &* 0x9e37_79b9_7f4a_7c15 | 1
    func next(_ bound: UInt64) -> Int {
      random ^= random >> 12
      random ^= random << 25
      random ^= random >> 27
      return Int(random &* 0x2545_f491_4f6c_dd1d >> 33 % bound)
    }
    var more: [(String, Item)] = []
    let text = ["one", "two", "three", "two https://a.example/1", "", "https://b.example and https://a.example/1"][
      next(6)]
    if next(3) == 0 {
      more.append(("tags", .array((0..<next(4)).map { .text(["a", "b", "c"][$0]) })))
    }
    if next(4) == 0 { more.append(("langs", .array([.text(next(2) == 0 ? "en" : "de")]))) }
    if next(3) == 0 {
      let post = Item.map([("uri", .text("at://did:plc:x/app.bsky.feed.post/1"))])
      more.append(("reply", .map(next(2) == 0 ? [("root", post), ("parent", post)] : [])))
    }
    if next(5) == 0 {
      more.append(("embed", .map([("record", .map([("uri", .text("at://did:plc:y/app.bsky.feed.post/2"))]))])))
    }
    if next(3) == 0 {
      let mention = Item.map([
        ("$type", .text("app.bsky.richtext.facet#mention")), ("did", .text("did:plc:z")),
      ])
      more.append(("facets", .array((0..<next(5)).map { _ in .map([("features", .array([mention]))]) })))
    }
    more.append(("createdAt", .text(next(2) == 0 ? "2026-07-04T14:38:07.918Z" : "2020-01-01T00:00:00Z")))
    var event = next(20) == 0 ? TestEvent() : TestEvent.post(text, more)
    event.did = "did:plc:" + String(repeating: ["a", "b", "c", "d"][next(4)], count: 24)
    event.seq = Int64(number)
    event.clockMs += Int64(number) * 1000
    if next(15) == 0 {
      event.name = .operationDelete
      event.record = nil
    }
    return event
  }

  @Test func `what is not run again because it is known changes nothing that is found`() throws {
    let accounts = ["a", "b"].map { letter in
      let did = "did:plc:" + String(repeating: letter, count: 24)
      return "{\"did\":\"\(did)\",\"created_at\":\"\(letter == "a" ? 2026 : 2023)-07-04T00:00:00Z\"}\n"
    }
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("known-\(UUID().uuidString).jsonl").path
    try Data(accounts.joined().utf8).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    let directory = try AccountDirectory.load(path)
    var options = RuleOptions(faultsMax: 1_000_000, directory: directory)
    let quick = Judge(host: try RuleHost.load(ruleFiles(Self.files), options: options))
    options.keepsKnownMisses = false
    let slow = Judge(host: try RuleHost.load(ruleFiles(Self.files), options: options))
    var hits = 0
    for number in 0..<700 {
      let event = Self.event(number)
      let expected = slow.json(event)
      #expect(quick.json(event) == expected, "event \(number)")
      hits += slow.judge(event).hits
      _ = quick.judge(event)
    }
    #expect(hits > 2_000)
    #expect(quick.faults.count == slow.faults.count && !slow.faults.isEmpty)
    for rule in quick.host.rules.indices {
      var left = quick.host.counters.statistics(rule)
      let right = slow.host.counters.statistics(rule)
      let name = quick.host.rules[rule].name
      // The dear ones were run every time, the cheap ones hardly ever.
      if name == "Rule0" { #expect(left.histogram[0] > right.histogram[0] && left.nanoseconds < right.nanoseconds) }
      left.nanoseconds = right.nanoseconds
      left.peakInstructions = right.peakInstructions
      left.histogram = right.histogram
      #expect(left == right, "\(name)")
    }
  }

  @Test func `a rule that is explained is run, known or not`() throws {
    let judge = try Judge(when: "if #event.links == 0 then return false end return true")
    let calm = TestEvent()
    for _ in 0..<3 { #expect(judge.judge(calm).hits == 0) }
    let told = calm.withAction { judge.host.explain($0) }
    #expect("\(told)".contains("links"))
  }

  @Test func `the place of a loop cannot be kept from event to event`() {
    let errors = loadErrors(["r.lua": "local step = pairs({ 1, 2 })\n" + ruleSource("Probe", "return step() ~= nil")])
    #expect(errors.count == 1 && errors[0].contains("cannot be kept outside of `when`"), "\(errors)")
  }
}
