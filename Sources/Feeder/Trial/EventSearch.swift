import ATProto
import Osprey
import Rules

/// Runs a rule set over traffic up to one event, and explains what every rule did with that one.
package final class EventSearch: ActionConsumer, @unchecked Sendable {
  // Unchecked: used by the judging thread, and by the owner before it starts and after it has ended.

  /// The event looked for.
  package enum Target: Sendable, Equatable {
    /// `at://DID/collection/rkey`; the first event about it.
    case uri(String)
    case actionID(Int64)

    /// nil where the text is neither.
    package init?(_ text: String) {
      if text.hasPrefix("at://") {
        self = .uri(text)
      } else if let id = Int64(text), id > 0 {
        self = .actionID(id)
      } else {
        return nil
      }
    }
  }

  private let host: RuleHost
  private let uri: [UInt8]
  private let actionID: Int64
  private let verdict = Verdict()

  /// The event, once it has come.
  package private(set) var event: TrialSample?
  /// The event's clock, ms since 1970, and its sequence number.
  package private(set) var clockMs: Int64 = 0
  package private(set) var sequence: Int64 = 0
  package private(set) var explanations: [RuleExplanation] = []

  package init(_ host: RuleHost, target: Target) {
    self.host = host
    switch target {
    case .uri(let text):
      uri = Array(text.utf8)
      actionID = 0
    case .actionID(let id):
      uri = []
      actionID = id
    }
  }

  package func take(_ action: Action) -> Bool {
    guard isWanted(action) else {
      _ = host.judge(action, into: verdict)
      return true
    }
    explanations = host.explain(action, into: verdict)
    var features: [NamedValue] = []
    for feature in verdict.features {
      if case .text(let slice) = feature.value {
        features.append(NamedValue(name: verdict[feature.name].string, value: verdict[slice].string))
      }
    }
    event = TrialSample(action, features: features.filter { defaultFeatureNames.contains($0.name) })
    clockMs = action.clockMs
    sequence = action.sequence
    return false
  }

  private func isWanted(_ action: Action) -> Bool {
    if actionID != 0 { return action.id == actionID }
    return withBytes(uri) { action.uri == $0 }
  }
}
