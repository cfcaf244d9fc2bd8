import ATProto
import Logging
import Osprey
import Rules
import Synchronization

/// Everything a trial found out about one rule.
package struct RuleReport: Sendable {
  package var rule: RuleDefinition
  package var numbers: RuleStatistics
  /// Hits of the rule by account, the most first; `accounts` is how many different ones there were, a lower bound where
  /// `isLossy`.
  package var top: [(did: String, hits: Int)]
  package var accounts: Int
  package var isLossy: Bool
  package var samples: [TrialSample]
  /// What the rule hit last.
  package var last: String
  /// What went wrong last, and where; empty where nothing did.
  package var fault: String
}

/// Two rules that hit the same events.
package struct RuleOverlap: Sendable {
  package var first: String
  package var second: String
  /// Events both hit.
  package var shared: Int
}

/// One rule set on trial. Judges as `run` does, through the same `Moderation`, and keeps what a report needs.
package final class RuleTrial: @unchecked Sendable {
  // Unchecked: the judging thread alone uses everything but `state`, which `lock` guards, and the set's own atomic counters.

  private struct Kept {
    var accounts = HeavyHitters()
    var samples: EvenSamples<TrialSample>
    var last = ""
    var fault = ""
  }

  private struct State {
    var rules: [Kept]
    var overlaps: [Int: Int] = [:]
    var evaluated = 0
    var hits = 0
  }

  /// What rules that fail had to say, by rule name. The host calls it, so it must not hold the host.
  private final class FaultBook: Sendable {
    let texts = Mutex<[String: String]>([:])
    func note(_ fault: RuleFault) {
      let subject = fault.uri.isEmpty ? fault.did : fault.uri
      let text = "\(fault.message) (on \(subject))\(fault.isSetAside ? "; set aside" : "")"
      texts.withLock { $0[fault.rule] = text }
    }
  }

  package let host: RuleHost
  let moderation: Moderation
  private let faults = FaultBook()
  private let lock = Monitor(conditions: 0)
  private var state: State
  private let message = ByteWriter(capacity: 1 << 13)

  /// - Parameters:
  ///   - host: a freshly loaded set.
  ///   - samples: events kept for each rule.
  ///   - messageBytesMax: longest verdict with its key.
  package init(_ host: RuleHost, samples: Int, messageBytesMax: Int) {
    self.host = host
    moderation = Moderation(
      exchange: RuleExchange(host), emitsAll: false, messageBytesMax: messageBytesMax,
      metrics: FeederMetrics(workers: 0), log: Logger(label: "trial") { _ in SwiftLogNoOpLogHandler() }, mode: .dryRun,
      onFault: { [faults] in faults.note($0) })
    state = State(rules: host.rules.map { _ in Kept(samples: EvenSamples(samples)) })
  }

  /// What the rules said about the action judged last, in rule order; those that did not run are left out.
  var outcomes: RuleOutcomes { host.outcomes }
  /// Filled where a rule hit the action judged last.
  var verdict: Verdict { moderation.verdict }

  /// Judges an action. The verdict message, as `run` would send it, is empty where no rule hit; valid until the next action.
  func judge(_ action: Action) -> Bytes {
    message.removeAll()
    let hasVerdict = moderation.judge(action, to: message)
    if !host.outcomes.isEmpty { note(action, hasHit: hasVerdict) }
    return message.bytes
  }

  private func note(_ action: Action, hasHit: Bool) {
    lock.lock()
    defer { lock.unlock() }
    state.evaluated += 1
    guard hasHit else { return }
    state.hits += 1
    let count = host.rules.count
    for (at, outcome) in host.outcomes.enumerated() where outcome.outcome == .hit {
      keep(action, outcome.rule, &state.rules[outcome.rule])
      for other in host.outcomes[(at + 1)...] where other.outcome == .hit {
        state.overlaps[outcome.rule * count + other.rule, default: 0] += 1
      }
    }
  }

  private var snapshot: State {
    lock.lock()
    defer { lock.unlock() }
    return state
  }

  private func keep(_ action: Action, _ rule: Int, _ kept: inout Kept) {
    let did = action.did.string
    kept.accounts.add(did)
    kept.last = action.uri.isEmpty ? did : action.uri.string
    if kept.samples.wantsNext() { kept.samples.keep(TrialSample(action, rule: rule, of: host, verdict)) }
  }

  /// Actions that met at least one rule, and actions that at least one rule hit. Any thread.
  package var totals: (evaluated: Int, hits: Int) {
    let state = snapshot
    return (state.evaluated, state.hits)
  }

  /// What is known about every rule, in rule order. Any thread.
  package func report(top: Int = 3) -> [RuleReport] {
    let faults = faults.texts.withLock { $0 }
    return snapshot.rules.enumerated().map { rule, kept in
      RuleReport(
        rule: host.rules[rule], numbers: host.counters.statistics(rule),
        top: kept.accounts.top(top).map { ($0.key, $0.count) }, accounts: kept.accounts.distinct,
        isLossy: kept.accounts.isLossy, samples: kept.samples.samples, last: kept.last,
        fault: faults[host.rules[rule].name] ?? "")
    }
  }

  /// Pairs of rules that hit the same events, the most shared first. Any thread.
  package var overlaps: [RuleOverlap] {
    let count = host.rules.count
    return snapshot.overlaps.map { pair, shared in
      RuleOverlap(first: host.rules[pair / count].name, second: host.rules[pair % count].name, shared: shared)
    }.sorted { ($1.shared, $0.first, $0.second) < ($0.shared, $1.first, $1.second) }
  }
}
