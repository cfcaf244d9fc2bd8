import Osprey

/// What an effect is applied to.
package enum EffectTarget: Sendable, Equatable {
  /// The event's account, the event's record.
  case did, uri
  /// The entity of this type whose id is the value of a feature: `on = { "Domain", feature = "LinkFloodSite" }`. `UserId` and
  /// `AtUri` name other accounts and records than the event's own.
  case named(type: String, feature: String)

  /// The entity's type in the verdict.
  package var entityType: String {
    switch self {
    case .did: "UserId"
    case .uri: "AtUri"
    case .named(let type, _): type
    }
  }

  /// What `rules/labels.lua` calls this kind of entity.
  var labelKind: String {
    switch entityType {
    case "UserId": "did"
    case "AtUri": "uri"
    default: entityType
    }
  }
}

/// An effect as the rule says it.
package struct EffectDefinition: Sendable {
  package var kind: EffectKind
  /// Label, verdict, tag and so on; empty where a kind needs none. A `comment` has its text in `comment`.
  package var value: String
  package var target: EffectTarget
  /// Seconds after the event's clock, nil without expiry.
  package var expiresSeconds: Int64?
  /// For how many seconds the same effect of the same rule on the same entity is not given again; 0 for never mind.
  package var dedupeSeconds: Int64
  /// Comment, split at its `{Feature}` placeholders.
  package var comment: [CommentPart]

  /// Features whose values go into the comment or name the entity.
  var featureNames: [String] {
    var names = comment.compactMap { if case .feature(let name) = $0 { name } else { nil } }
    if case .named(_, let name) = target { names.append(name) }
    return names
  }
}

/// Literal text or the name of a feature whose value goes there.
package enum CommentPart: Sendable, Equatable {
  case text(String)
  case feature(String)
}

/// How often a rule may act, or a kind of effect be given: per hour and per day of event time, UTC. nil: as often as it likes.
package struct Quota: Sendable, Equatable {
  package var hour: Int?
  package var day: Int?

  /// What holds in all, for kinds that are not named in `rules/quotas.lua`; as indigo's hepa does (automod/engine/persisthelpers.go).
  package static let builtIn: [EffectKind: Quota] = [
    .report: Quota(day: 10_000), .takedown: Quota(day: 200), .escalate: Quota(day: 2_000),
  ]
}

extension EffectKind {
  /// The kind whose quota this one counts towards: escalating and acknowledging share one.
  var quotaKind: EffectKind { self == .acknowledge ? .escalate : self }

  /// A value is a must for these.
  var needsValue: Bool {
    switch self {
    case .verdict, .label, .unlabel, .tag, .report, .list, .flag, .email: true
    case .escalate, .acknowledge, .takedown, .comment: false
    }
  }

  var mayExpire: Bool {
    switch self {
    case .label, .tag, .takedown, .list, .flag: true
    case .verdict, .unlabel, .report, .escalate, .acknowledge, .comment, .email: false
    }
  }

  /// How the kind is written, for messages.
  var example: String {
    switch self {
    case .comment: "comment \"{LinkCount} links in one post\""
    case .list: "list { \"at://did:plc:…/app.bsky.graph.list/…\" }"
    case .escalate, .acknowledge, .takedown: "\(text) { on = \"did\" }"
    default: "\(text) \"spam\""
    }
  }
}
