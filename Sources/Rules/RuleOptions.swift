/// What a load may be told besides where the files are.
package struct RuleOptions: Sendable {
  /// Faults of one rule within a minute of stream time after which it is set aside until the rules are loaded again.
  package var faultsMax = RuleLimits.ruleFaultsMax
  /// What is known about accounts.
  package var directory: AccountDirectory?

  package init(faultsMax: Int = RuleLimits.ruleFaultsMax, directory: AccountDirectory? = nil) {
    self.faultsMax = max(1, faultsMax)
    self.directory = directory
  }
}
