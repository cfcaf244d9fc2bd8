import ATProto
import Osprey
import Rules
import Synchronization

/// What a candidate set does differently from the live one, rule by rule, by name.
package struct CandidateDifference: Sendable {
  package var rule: String
  /// Events that the rule of this name hit in both sets, in the candidate alone, in the live set alone.
  package var both = 0
  package var onlyCandidate = 0
  package var onlyLive = 0
  /// The newest event hit by one of them alone: its AT URI, or its DID where it has none.
  package var sample = ""
}

/// Runs a second rule set beside the live one on the same actions and counts what it would change. Nothing it says is
/// published. The judge's thread, but for `differences`.
final class CandidateWatch: @unchecked Sendable {
  // Unchecked: the judge's thread alone uses everything but `state`, which its lock guards, and `exchange`.

  /// A sample is kept at most so often per rule: the one text the judge makes.
  private static let sampleMs: Int64 = 1000

  private final class Counts: Sendable {
    let name: String
    let both = Counter()
    let onlyCandidate = Counter()
    let onlyLive = Counter()
    let sample = Mutex("")
    /// When the sample was taken, stream time.
    let sampledMs = Atomic<Int64>(.min)
    init(_ name: String) { self.name = name }
  }

  private struct State {
    var counts: [String: Counts] = [:]
    var shown: [Counts] = []
  }

  private let exchange: RuleExchange
  private var host: RuleHost
  private let verdict = Verdict()
  private let state = Mutex(State())
  /// The numbers of each rule by its position in the live set and in the candidate.
  private var ofLive: [Counts] = []
  private var ofCandidate: [Counts] = []

  /// - Parameters:
  ///   - exchange: where the candidate and its reloads come from.
  ///   - live: the set it is compared with.
  init(exchange: RuleExchange, live: RuleHost) {
    self.exchange = exchange
    host = exchange.active
    match(live)
  }

  /// Between two frames: takes a reloaded candidate, if one waits.
  @inline(__always)
  func refresh(live: RuleHost) {
    guard let next = exchange.take() else { return }
    next.takeOver(from: host)
    host = next
    match(live)
  }

  /// Puts rules of the same name together, after either set has changed. Counts go on.
  func match(_ live: RuleHost) {
    state.withLock { state in
      let names = Set(live.rules.map(\.name)).union(host.rules.map(\.name))
      for name in names where state.counts[name] == nil { state.counts[name] = Counts(name) }
      state.counts = state.counts.filter { names.contains($0.key) }
      ofLive = live.rules.compactMap { state.counts[$0.name] }
      ofCandidate = host.rules.compactMap { state.counts[$0.name] }
      state.shown = names.sorted().compactMap { state.counts[$0] }
    }
  }

  /// Judges an action that the live set has just judged, and compares.
  func judge(_ action: Action, live: RuleHost) {
    _ = host.judge(action, into: verdict)
    for (rule, outcome) in live.outcomes where outcome == .hit {
      let counts = ofLive[rule]
      if host.outcomes.contains(where: { $0.outcome == .hit && ofCandidate[$0.rule] === counts }) {
        counts.both.add()
      } else {
        counts.onlyLive.add()
        sample(action, counts)
      }
    }
    for (rule, outcome) in host.outcomes where outcome == .hit {
      let counts = ofCandidate[rule]
      if !live.outcomes.contains(where: { $0.outcome == .hit && ofLive[$0.rule] === counts }) {
        counts.onlyCandidate.add()
        sample(action, counts)
      }
    }
  }

  private func sample(_ action: Action, _ counts: Counts) {
    let last = counts.sampledMs.load(ordering: .relaxed)
    guard last == .min || abs(action.clockMs - last) >= Self.sampleMs else { return }
    counts.sampledMs.store(action.clockMs, ordering: .relaxed)
    let text = (action.uri.isEmpty ? action.did : action.uri).string
    counts.sample.withLock { $0 = text }
  }

  /// What the sets did so far, by rule name. Any thread.
  var differences: [CandidateDifference] {
    state.withLock { $0.shown }.map { counts in
      CandidateDifference(
        rule: counts.name, both: counts.both.count, onlyCandidate: counts.onlyCandidate.count,
        onlyLive: counts.onlyLive.count, sample: counts.sample.withLock { $0 })
    }
  }
}
