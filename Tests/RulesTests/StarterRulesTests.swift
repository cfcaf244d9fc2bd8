import ATProto
import FrameKit
import Foundation
import Osprey
import Testing

@testable import Rules

/// The rules in `rules/`. What each is for and what it has to leave alone stands in the tests beside it.
struct StarterRulesTests {
  private let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("rules").path

  /// Judges events in order and collects who was hit by what.
  private final class Run {
    let host: RuleHost
    let verdict = Verdict()
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
    }
  }

  @Test func `the starter set has at least thirty rules, with an owner each, and nothing to complain about`() throws {
    let host = try RuleHost.load(directory: directory)
    #expect(host.rules.count >= 30)
    #expect(host.rules.filter { $0.mode == .live }.count >= 12)
    #expect(host.rules.allSatisfy { !$0.owner.isEmpty && !$0.about.isEmpty })
    let check = RuleCheck(directory: directory)
    #expect(check.problems.isEmpty, "\(check.problems)")
  }

  @Test func `the tests beside the starter rules pass, and each rule has one that fires and one that does not`() {
    let tests = RuleTestRun(directory: directory, only: nil)
    #expect(tests.problems.isEmpty, "\(tests.problems)")
    for result in tests.results where !result.failures.isEmpty {
      Issue.record("\(result.file): \(result.name): \(result.failures)")
    }
    #expect(tests.neverFired.isEmpty && tests.neverSilent.isEmpty, "\(tests.neverFired) \(tests.neverSilent)")
  }

  @Test func `no event of any kind makes a starter rule fail`() throws {
    let run = try Run(directory)
    let odd: [Item?] = [
      nil, .map([]), .map([("text", .int(5)), ("facets", .text("x")), ("embed", .null), ("displayName", .array([]))]),
      .map([
        ("text", .text("x bit.ly/x")), ("reply", .text("x")), ("createdAt", .int(-1)), ("name", .map([])),
        ("list", .int(1)), ("subject", .array([])), ("purpose", .null), ("description", .text("\u{0} a.b.c")),
      ]),
      .map([("text", .text("")), ("facets", .array([.int(1), .map([("features", .array([.null, .map([])]))])]))]),
      .map([
        ("text", .text(String(repeating: "x", count: 300_000))),
        ("displayName", .text(String(repeating: "м", count: 300_000))),
      ]),
    ]
    for name in ActionName.allCases {
      for collection in [
        "app.bsky.feed.post", "app.bsky.graph.follow", "app.bsky.actor.profile", "app.bsky.graph.list",
        "app.bsky.graph.listitem", "app.bsky.graph.starterpack", "app.bsky.graph.block",
      ] {
        for record in odd {
          var event = TestEvent(name: name, collection: collection, record: record)
          event.handle = String(repeating: "x.", count: 1_000)
          run.judge(event, after: 1)
        }
      }
    }
    #expect(run.faults.isEmpty, "\(run.faults)")
  }
}
