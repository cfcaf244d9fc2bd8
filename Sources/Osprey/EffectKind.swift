/// What a rule can ask for (CONTRACT.md, "Verdicts topic"). The order is that of the columns in a verdict.
package enum EffectKind: UInt8, CaseIterable, Sendable {
  case verdict, label, unlabel, tag, report, escalate, acknowledge, comment, takedown, email, list, flag

  /// The name in rule files and in `__effects`.
  package var text: StaticString {
    switch self {
    case .verdict: "verdict"
    case .label: "label"
    case .unlabel: "unlabel"
    case .tag: "tag"
    case .report: "report"
    case .escalate: "escalate"
    case .acknowledge: "acknowledge"
    case .comment: "comment"
    case .takedown: "takedown"
    case .email: "email"
    case .list: "list"
    case .flag: "flag"
    }
  }

  /// The kind with this name.
  package init?(name: String) {
    guard let kind = EffectKind.allCases.first(where: { $0.text.description == name }) else { return nil }
    self = kind
  }
}
