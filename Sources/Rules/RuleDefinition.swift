/// A value of a rule table as the host announced it.
indirect enum RuleValue {
  case text(String)
  case integer(Int64)
  case number(Double)
  case bool(Bool)
  case function
  case table([RuleEntry])
}

/// One entry of a rule table: `key` where it is named, else `index` from 1.
struct RuleEntry {
  var key: String
  var index: Int64
  var value: RuleValue
}

/// Whether a rule's effects count or are only noted.
package enum RuleMode: String, Sendable, CaseIterable { case live, shadow }

/// A rule as its file says it, checked.
package struct RuleDefinition: Sendable {
  package var name: String
  package var about: String
  package var owner: String
  package var file: String
  package var line: Int
  /// Names of actions; empty means every action.
  package var actions: [String]
  /// NSIDs, or prefixes that end in `.*`; empty means every collection, and events without one.
  package var collections: [String]
  package var mode: RuleMode
  package var effects: [EffectDefinition]
  /// On how many events it may act; past that it is shadow.
  package var quota: Quota?
  /// Hexadecimal SHA-256 of the rule's file.
  package var fileHash: String
  /// Whether it stands in local/, where rules override those of the same name elsewhere.
  package var isLocal: Bool { file.hasPrefix("local/") }
  /// Which copy of the rule this is (`rules bench --repeat`); 0 for the rule itself.
  var copy = 0
  /// Number of its `when` in the host.
  var function: Int32
}
