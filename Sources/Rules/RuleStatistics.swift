extension RuleStatistics {
  /// Mean time of one evaluation in nanoseconds; 0 without evaluations.
  package var meanNanoseconds: Int { evaluations == 0 ? 0 : nanoseconds / evaluations }

  /// The time under which `share` (0 to 1) of the evaluations stayed, in nanoseconds, as exact as the histogram is: its entries
  /// double, and within one the evaluations are taken to lie evenly.
  package func percentile(_ share: Double) -> Int {
    let total = histogram.reduce(0, +)
    guard total > 0 else { return 0 }
    let wanted = share * Double(total)
    var before = 0
    for (index, count) in histogram.enumerated() where count > 0 {
      if Double(before + count) >= wanted {
        let upper = RuleCounters.bucketNanoseconds(index)
        let lower = index == 0 ? 0 : RuleCounters.bucketNanoseconds(index - 1)
        let part = max(0, wanted - Double(before)) / Double(count)
        return lower + Int(part * Double(upper - lower))
      }
      before += count
    }
    return RuleCounters.bucketNanoseconds(histogram.count - 1)
  }

  /// The largest share of its instruction budget that the rule used on one event, 0 to 1 (a little more where it was ended).
  package var budgetUsed: Double { Double(peakInstructions) / Double(RuleLimits.ruleInstructionsMax) }
}

extension RuleHost {
  /// What rule number `rule` returned beside its hit on the action judged last.
  package func features(of rule: Int) -> [NamedValue] { features.values(of: rule) }
}
