import ATProto
import Osprey
import Rules

/// A rule set over traffic: what it says, and how well it does where the truth is known. Also what a dry-run is.
package final class Backtest: ActionConsumer, @unchecked Sendable {
  // Unchecked: used by the judging thread, and by the owner before it starts and after it has ended; `rules` synchronises itself.

  package let rules: RuleTrial
  private let truth: TruthScore?
  private let verdicts: LineFile?

  /// - Parameters:
  ///   - truth: what the hits are held against.
  ///   - verdicts: gets every verdict message as a line.
  package init(_ rules: RuleTrial, truth: TruthScore? = nil, verdicts: LineFile? = nil) {
    self.rules = rules
    self.truth = truth
    self.verdicts = verdicts
  }

  package func take(_ action: Action) -> Bool {
    let message = rules.judge(action)
    if !message.isEmpty { verdicts?.append(message) }
    truth?.note(action, rules.outcomes, rules.verdict)
    return verdicts?.problem == nil
  }
}
