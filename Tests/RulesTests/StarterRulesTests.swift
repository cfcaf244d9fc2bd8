import ATProto
import FrameKit
import Foundation
import Osprey
import Testing

@testable import Rules

/// The rules in `rules/`, each with what it is for and what it has to leave alone. Numbers as in the simulator's campaigns.
struct StarterRulesTests {
  private let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("rules").path

  /// Judges events in order and collects who was hit by what.
  private final class Run {
    let host: RuleHost
    let verdict = Verdict()
    var hits: [String: Set<String>] = [:]
    var faults: [RuleFault] = []
    var clockMs: Int64 = 1_783_175_887_918

    init(_ directory: String) throws {
      host = try RuleHost.load(directory: directory)
      host.onFault = { [unowned self] in faults.append($0) }
    }

    func judge(_ event: TestEvent, after ms: Int64) {
      clockMs += ms
      var event = event
      event.clockMs = clockMs
      event.withAction { _ = host.judge($0, into: verdict) }
      for rule in verdict.rules where rule.outcome == .hit {
        hits[verdict[rule.name].string, default: []].insert(event.did)
      }
    }

    func hit(_ rule: String) -> Set<String> { hits[rule] ?? [] }
  }

  private func did(_ number: Int) -> String { "did:plc:account\(number)" }

  private func post(_ text: String, by number: Int, links: [String] = [], mentions: [String] = []) -> TestEvent {
    func facet(_ type: String, _ key: String, _ value: String) -> Item {
      .map([
        (
          "features",
          .array([.map([("$type", .text("app.bsky.richtext.facet#\(type)")), (key, .text(value))])])
        )
      ])
    }
    let facets = links.map { facet("link", "uri", $0) } + mentions.map { facet("mention", "did", $0) }
    var event = TestEvent.post(text, facets.isEmpty ? [] : [("facets", .array(facets))])
    event.did = did(number)
    return event
  }

  private func follow(_ subject: Int, by number: Int) -> TestEvent {
    var event = TestEvent(did: did(number))
    event.collection = "app.bsky.graph.follow"
    event.record = .map([("$type", .text("app.bsky.graph.follow")), ("subject", .text("did:plc:subject\(subject)"))])
    return event
  }

  @Test func `the starter set loads, at least eight rules live`() throws {
    let host = try RuleHost.load(directory: directory)
    #expect(host.rules.filter { $0.mode == .live }.count >= 8)
    #expect(host.rules.allSatisfy { !$0.owner.isEmpty && !$0.about.isEmpty })
  }

  @Test func `a flood of links is found, a newsroom is not`() throws {
    let run = try Run(directory)
    for number in 0..<30 {
      run.judge(post("read here \(number)", by: 1, links: ["https://s\(number).flood.example/\(number)"]), after: 3000)
    }
    for number in 0..<8 {
      run.judge(post("Headline \(number)", by: 2, links: ["https://news.example/\(number)"]), after: 8000)
    }
    #expect(run.hit("LinkFlood") == [did(1)])
    #expect(run.hit("DomainPush").isEmpty)
    #expect(run.faults.isEmpty, "\(run.faults)")
  }

  @Test func `accounts that push a site together are found before each of them is a flood`() throws {
    let run = try Run(directory)
    for number in 0..<6 {
      for account in 1...3 {
        run.judge(
          post("look \(number)", by: account, links: ["https://a\(number)\(account).push.example/"]), after: 2500)
      }
    }
    #expect(run.hit("DomainPush") == [did(1), did(2), did(3)])
    #expect(run.hit("LinkFlood").isEmpty)
  }

  @Test func `copies are found through their disguises, memes and songs are not`() throws {
    let run = try Run(directory)
    let text = "This one weird trick makes everybody rich by tomorrow, ask me how before they take it down for good"
    let disguised = [
      text, text.uppercased(), text.replacingOccurrences(of: "o", with: "о"),
      text.replacingOccurrences(of: "a", with: "α"),
      text.replacingOccurrences(of: "ri", with: "r\u{200b}i"), text.replacingOccurrences(of: " ", with: "  "),
      text + " 🚀", text + " 4711", text.replacingOccurrences(of: "t", with: "ｔ"),
      text.replacingOccurrences(of: "e", with: "е"),
    ]
    for (number, copy) in disguised.enumerated() { run.judge(post(copy, by: number), after: 5000) }
    for number in 100..<160 { run.judge(post("good morning everyone!", by: number), after: 2000) }
    for number in 200..<205 {
      run.judge(
        post("And the songbirds are singing like they know the score, and I love you like never before", by: number),
        after: 9000)
    }
    #expect(run.hit("CopyPasteWave") == Set((5..<10).map(did)))
  }

  @Test func `mass follows are found once, a starter pack is not`() throws {
    let run = try Run(directory)
    for number in 0..<150 { run.judge(follow(number, by: 1), after: 300) }
    for number in 0..<60 { run.judge(follow(number, by: 2), after: 500) }
    #expect(run.hit("MassFollow") == [did(1)])
    #expect(run.host.counters.statistics(run.host.rules.firstIndex { $0.name == "MassFollow" }!).hits == 1)
  }

  @Test func `calling out to strangers is found, friends who talk are not`() throws {
    let run = try Run(directory)
    for number in 0..<12 {
      run.judge(post("great offer", by: 1, mentions: (0..<6).map { "did:plc:stranger\(number * 6 + $0)" }), after: 4000)
    }
    for number in 0..<40 {
      run.judge(
        post("reply \(number)", by: 2 + number % 7, mentions: (0..<6).map { "did:plc:friend\($0)" }), after: 4000)
    }
    #expect(run.hit("MentionSpam") == [did(1)])
  }

  @Test(arguments: [
    ("Amarа Osei", true), ("Amara Osei Official", true), ("Omar\u{200b} Haddad", true),
    ("Granite Bank Help Desk", true),
    ("Riverside FC ✔", true), ("Yuki Tanabe ✅", true), ("Ｍina Ｋurosawa", true), ("Amara Osei", false),
    ("amara osei", false),
    ("Amara Osei fan club", false), ("Unofficial Riverside FC news", false), ("Omar Haddad (parody)", false),
    ("Granite", false),
    ("", false),
  ])
  func `names that imitate a known one are found, honest ones are not`(name: String, isFound: Bool) throws {
    let run = try Run(directory)
    run.judge(.profile(name), after: 0)
    #expect(run.hit("LookalikeName").isEmpty == !isFound)
    run.hits = [:]
    for known in run.host.rules where known.name == "LookalikeName" {
      run.judge(.profile(name, did: "did:plc:aaoa2jc3picq6wxle3qr4cmn"), after: 0)
    }
    #expect(run.hit("LookalikeName").isEmpty, "the known account itself")
    #expect(run.faults.isEmpty, "\(run.faults)")
  }

  @Test(arguments: [
    ("amara0sei.test", true), ("amaraose1.test", true), ("arnaraosei.test", true), ("amara-osei.test", true),
    ("amaraosei-support.test", true), ("amaraosei.test", true), ("riversidefc-fans.test", false),
    ("somebody.test", false),
  ])
  func `handles that imitate a known one are found, honest ones are not`(handle: String, isFound: Bool) throws {
    let run = try Run(directory)
    var event = TestEvent(name: .identity, did: did(1), record: nil)
    event.handle = handle
    run.judge(event, after: 0)
    #expect(run.hit("LookalikeHandle").isEmpty == !isFound)
  }

  @Test func `ten copies by one account are found, greetings are not`() throws {
    let run = try Run(directory)
    for number in 0..<12 {
      run.judge(
        post("My shop has everything you ever wanted, so come in and have a look around \(number)", by: 1), after: 3000)
      run.judge(post("good morning!", by: 2), after: 3000)
    }
    #expect(run.hit("RepeatedPost") == [did(1)])
  }

  @Test func `a record that cannot be read is found`() throws {
    let run = try Run(directory)
    var event = TestEvent(record: nil)
    event.recordError = .duplicateKey
    run.judge(event, after: 0)
    #expect(run.hit("UndecodableRecord") == [event.did])
  }

  @Test func `no event of any kind makes a starter rule fail`() throws {
    let run = try Run(directory)
    let odd: [Item?] = [
      nil, .map([]), .map([("text", .int(5)), ("facets", .text("x")), ("embed", .null), ("displayName", .array([]))]),
      .map([("text", .text("")), ("facets", .array([.int(1), .map([("features", .array([.null, .map([])]))])]))]),
      .map([
        ("text", .text(String(repeating: "x", count: 300_000))),
        ("displayName", .text(String(repeating: "м", count: 300_000))),
      ]),
    ]
    for name in ActionName.allCases {
      for collection in [
        "app.bsky.feed.post", "app.bsky.graph.follow", "app.bsky.actor.profile", "app.bsky.graph.list",
      ] {
        for record in odd {
          var event = TestEvent(name: name, collection: collection, record: record)
          event.handle = "x"
          run.judge(event, after: 1)
        }
      }
    }
    #expect(run.faults.isEmpty, "\(run.faults)")
  }
}
