import ATProto
import Osprey
import Rules

/// One event that a rule hit, kept for people to look at.
package struct TrialSample: Sendable, Equatable {
  package var actionID: Int64
  /// `operation#create` …
  package var action: String
  package var did: String
  /// Empty where the event has none.
  package var uri: String
  /// The event's own `time`.
  package var time: String
  /// What the rule returned beside the hit, and what says most about the event.
  package var features: [NamedValue]

  private static let textBytesMax = 200

  init(_ action: Action, features: [NamedValue]) {
    actionID = action.id
    self.action = action.name.text.description
    did = action.did.string
    uri = action.uri.string
    time = action.time.string
    self.features = features
  }

  /// What a rule hit: its own features, and the text people wrote.
  init(_ action: Action, rule: Int, of host: RuleHost, _ verdict: Verdict) {
    self.init(action, features: host.features(of: rule))
    if !action.handle.isEmpty { features.append(NamedValue(name: "Handle", value: action.handle.string)) }
    for feature in verdict.features where verdict[feature.name] == "PostText" {
      if case .text(let slice) = feature.value {
        let text = verdict[slice]
        let shown = Bytes(base: text.base, count: min(text.count, Self.textBytesMax)).string
        features.append(NamedValue(name: "PostText", value: shown + (text.count > Self.textBytesMax ? "…" : "")))
      }
    }
  }

  /// What to call the event: its address, or its account.
  package var subject: String { uri.isEmpty ? did : uri }
}
