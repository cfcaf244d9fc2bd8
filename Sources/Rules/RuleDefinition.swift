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
  /// Hexadecimal SHA-256 of the rule's file.
  package var fileHash: String
  /// Number of its `when` in the host.
  var function: Int32
}

/// What an effect is applied to.
package enum EffectTarget: String, Sendable, CaseIterable { case did, uri }

/// What kinds of effects exist.
package enum EffectKind: String, Sendable, CaseIterable { case verdict, label }

/// An effect as the rule says it.
package struct EffectDefinition: Sendable {
  package var kind: EffectKind
  package var value: String
  package var target: EffectTarget
  /// Seconds after the event's clock, nil without expiry.
  package var expiresSeconds: Int64?
  /// Comment, split at its `{Feature}` placeholders.
  package var comment: [CommentPart]
}

/// Literal text or the name of a feature whose value goes there.
package enum CommentPart: Sendable, Equatable {
  case text(String)
  case feature(String)
}
