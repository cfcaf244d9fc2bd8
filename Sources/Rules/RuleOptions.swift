/// What a load may be told besides where the files are.
package struct RuleOptions: Sendable {
  /// Faults of one rule within a minute of stream time after which it is set aside until the rules are loaded again.
  package var faultsMax = RuleLimits.ruleFaultsMax
  /// What `faultsMax` may be.
  package static let faultsRange = 1...1_000_000
  /// What is known about accounts.
  package var directory: AccountDirectory?
  /// What rules remembered when the snapshot was taken: the state to begin with, unless the load replaces another set, whose
  /// state goes on.
  package var restoring: RuleSnapshot?
  /// To measure: the set is repeated under other names to so many rules, each copy with counters of its own. 0: it is not.
  package var rulesWanted = 0
  /// Whether a rule that would only find nothing again, by what it asked before, is not run (known.c). Off to compare: the
  /// verdicts are the same.
  package var keepsKnownMisses = true
  /// Whether features called `_Name` stand in verdicts too: for the tests of rules, which may expect them.
  package var showsPrivateFeatures = false
  /// Nanoseconds of the thread's time after which a rule is ended. More for programs that are slow by their build, with a
  /// sanitizer for one: what a rule does within its instructions is then not cut off by the clock.
  package var ruleNanosecondsMax = RuleLimits.ruleNanosecondsMax

  package init(
    faultsMax: Int = RuleLimits.ruleFaultsMax, directory: AccountDirectory? = nil, restoring: RuleSnapshot? = nil
  ) {
    self.faultsMax = max(1, faultsMax)
    self.directory = directory
    self.restoring = restoring
  }
}
