import ATProto
import Osprey
import Rules

/// What two rule sets do differently with the same traffic, for one rule name.
package struct RuleDifference: Sendable {
  package var rule: String
  /// nil where the set has no rule of this name.
  package var baseline: RuleReport?
  package var candidate: RuleReport?
  /// Events the rule hit in both sets, and how many of those with other effects or features.
  package var both = 0
  package var changed = 0
  /// Events the rule hits only in the candidate, only in the baseline.
  package var newly = 0
  package var gone = 0
  package var newlySamples: [TrialSample] = []
  package var goneSamples: [TrialSample] = []
  package var changedSamples: [TrialSample] = []

  /// `mode live → shadow` and the like: what differs whatever the traffic.
  package var notes: [String] {
    guard let baseline else { return ["added"] }
    guard let candidate else { return ["removed"] }
    var notes: [String] = []
    if baseline.rule.mode != candidate.rule.mode {
      notes.append("mode \(baseline.rule.mode.rawValue) → \(candidate.rule.mode.rawValue)")
    }
    if baseline.rule.fileHash != candidate.rule.fileHash { notes.append("edited") }
    return notes
  }

  package var hasChangedMode: Bool {
    guard let baseline, let candidate else { return false }
    return baseline.rule.mode != candidate.rule.mode
  }
}

/// Two rule sets over the same traffic, each with its own memory.
package final class SetComparison: ActionConsumer, @unchecked Sendable {
  // Unchecked: used by the judging thread, and by the owner before it starts and after it has ended.

  private struct Counts {
    var both = 0
    var changed = 0
    var newly = 0
    var gone = 0
    var newlySamples: EvenSamples<TrialSample>
    var goneSamples: EvenSamples<TrialSample>
    var changedSamples: EvenSamples<TrialSample>

    init(_ samples: Int) {
      newlySamples = EvenSamples(samples)
      goneSamples = EvenSamples(samples)
      changedSamples = EvenSamples(samples)
    }
  }

  package let baseline: RuleTrial
  package let candidate: RuleTrial
  private let names: [String]
  private var counts: [Counts]
  /// Index into `names` by position in each set.
  private let ofBaseline: [Int]
  private let ofCandidate: [Int]

  /// - Parameter samples: events kept for each rule and kind of difference.
  package init(baseline: RuleTrial, candidate: RuleTrial, samples: Int) {
    self.baseline = baseline
    self.candidate = candidate
    let names = Set(baseline.host.rules.map(\.name)).union(candidate.host.rules.map(\.name)).sorted()
    let places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
    self.names = names
    ofBaseline = baseline.host.rules.map { places[$0.name] ?? 0 }
    ofCandidate = candidate.host.rules.map { places[$0.name] ?? 0 }
    counts = names.map { _ in Counts(samples) }
  }

  package func take(_ action: Action) -> Bool {
    _ = baseline.judge(action)
    _ = candidate.judge(action)
    for (rule, outcome) in baseline.outcomes where outcome == .hit {
      let name = ofBaseline[rule]
      if let other = candidate.outcomes.first(where: { $0.outcome == .hit && ofCandidate[$0.rule] == name }) {
        compare(action, name, rule, other.rule)
      } else {
        counts[name].gone += 1
        if counts[name].goneSamples.wantsNext() {
          counts[name].goneSamples.keep(TrialSample(action, rule: rule, of: baseline.host, baseline.verdict))
        }
      }
    }
    for (rule, outcome) in candidate.outcomes where outcome == .hit {
      let name = ofCandidate[rule]
      if baseline.outcomes.contains(where: { $0.outcome == .hit && ofBaseline[$0.rule] == name }) { continue }
      counts[name].newly += 1
      if counts[name].newlySamples.wantsNext() {
        counts[name].newlySamples.keep(TrialSample(action, rule: rule, of: candidate.host, candidate.verdict))
      }
    }
    return true
  }

  /// A rule that hit in both sets: did it say the same?
  private func compare(_ action: Action, _ name: Int, _ old: Int, _ new: Int) {
    counts[name].both += 1
    let before = said(old, baseline)
    let after = said(new, candidate)
    guard before != after else { return }
    counts[name].changed += 1
    guard counts[name].changedSamples.wantsNext() else { return }
    let gone = before.filter { !after.contains($0) }.map { NamedValue(name: "before: \($0.name)", value: $0.value) }
    let come = after.filter { !before.contains($0) }.map { NamedValue(name: "after: \($0.name)", value: $0.value) }
    counts[name].changedSamples.keep(TrialSample(action, features: gone + come))
  }

  /// Features and effects of one rule. What tells the sets apart by itself (hashes of files, modes) is left out.
  private func said(_ rule: Int, _ set: RuleTrial) -> [NamedValue] {
    let verdict = set.verdict
    let name = set.host.rules[rule].name
    let effects = verdict.effects.filter { name.utf8.elementsEqual(verdict[$0.rule].raw) }.map { effect in
      NamedValue(
        name: "\(effect.type)",
        value: [
          verdict[effect.value].string, "on \(verdict[effect.entity].string)", effect.hours.map { "for \($0) h" } ?? "",
          verdict[effect.comment].string,
        ].filter { !$0.isEmpty }.joined(separator: " "))
    }
    return set.host.features(of: rule) + effects
  }

  /// Every rule of either set, by name. After the trial.
  package var differences: [RuleDifference] {
    let before = Dictionary(uniqueKeysWithValues: baseline.report().map { ($0.rule.name, $0) })
    let after = Dictionary(uniqueKeysWithValues: candidate.report().map { ($0.rule.name, $0) })
    return names.enumerated().map { index, name in
      let counts = counts[index]
      return RuleDifference(
        rule: name, baseline: before[name], candidate: after[name], both: counts.both, changed: counts.changed,
        newly: counts.newly, gone: counts.gone, newlySamples: counts.newlySamples.samples,
        goneSamples: counts.goneSamples.samples, changedSamples: counts.changedSamples.samples)
    }
  }
}
