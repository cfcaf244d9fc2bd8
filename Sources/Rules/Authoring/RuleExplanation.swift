import ATProto
import CLuaHost
import Osprey

/// What one rule did with one event, and why.
package struct RuleExplanation: Sendable {
  /// Whether the rule ran, and what it said or why not.
  package enum Status: String, Sendable {
    case hit, miss
    /// `when` returned nil: the rule does not apply to this event.
    case notApplicable
    case failed
    /// The rule does not look at this kind of action, or not at this collection.
    case otherAction, otherCollection
    /// The rule failed too often and waits for a reload.
    case setAside
    /// The rules before it used up the event's budget.
    case outOfBudget
  }

  package var rule: RuleDefinition
  package var status: Status
  /// What went wrong, where `status` is `failed`.
  package var error: String?
  /// What `when` returned besides the hit.
  package var features: [NamedValue] = []
  /// Values the rule looked at, in order, each once: `event.text`, `event.record.embed`, `count("follows", …):add()`.
  package var reads: [NamedValue] = []
  /// Reads past the first 200.
  package var readsLeftOut = 0
  /// What follows from the hit, as a sentence each.
  package var effects: [String] = []
  /// Units of budget the rule used (VM instructions and what the library charged), and time in ns, tracing included.
  package var instructions: Int64 = 0
  package var nanoseconds: Int64 = 0

  /// Whether the rule was asked.
  package var didRun: Bool {
    switch status {
    case .hit, .miss, .notApplicable, .failed: true
    case .otherAction, .otherCollection, .setAside, .outOfBudget: false
    }
  }

  /// What became of the rule, in words.
  package var reason: String {
    switch status {
    case .hit: "hit"
    case .miss: "no hit"
    case .notApplicable: "does not apply: `when` returned nil"
    case .failed: "failed: \(error ?? "no reason given")"
    case .otherAction: "not asked: its actions are \(rule.actions.joined(separator: ", "))"
    case .otherCollection: "not asked: its collections are \(rule.collections.joined(separator: ", "))"
    case .setAside: "not asked: it failed too often and is set aside until the next reload"
    case .outOfBudget: "not asked: the rules before it used up the event's budget"
    }
  }
}

extension RuleHost {
  /// Judges `action` as `judge` does, once, and tells for every rule of the set what it did and what it looked at. It stands in
  /// for `judge`: state moves on as it would have. `verdict` is filled in any case.
  package func explain(_ action: Action, into verdict: Verdict = Verdict()) -> [RuleExplanation] {
    let tracer = RuleTracer()
    self.tracer = tracer
    lh_trace(lua, 1)
    defer {
      self.tracer = nil
      lh_trace(lua, 0)
    }
    _ = judge(action, into: verdict, fillsAlways: true)
    return rules.indices.map { explanation(of: $0, action, verdict, tracer) }
  }

  private func explanation(
    of index: Int, _ action: Action, _ verdict: Verdict, _ tracer: RuleTracer
  ) -> RuleExplanation {
    let rule = rules[index]
    var told = RuleExplanation(rule: rule, status: .otherCollection)
    guard let trace = tracer.traces[index] else {
      if let absence = tracer.absences[index] {
        told.status = absence == .setAside ? .setAside : .outOfBudget
      } else if !rule.actions.isEmpty, !rule.actions.contains(action.name.text.description) {
        told.status = .otherAction
      }
      return told
    }
    told.status = trace.status
    told.error = trace.error
    told.instructions = trace.instructions
    told.nanoseconds = trace.nanoseconds
    told.reads = trace.reads
    told.readsLeftOut = trace.leftOut
    told.features = features.values(of: index)
    told.effects = verdict.effects.filter { verdict[$0.rule].string == rule.name }.map { describe($0, verdict) }
    return told
  }

  /// `label "spam" on AtUri at://… for 24 h: nine links`.
  func describe(_ effect: Verdict.Effect, _ verdict: Verdict) -> String {
    var text = "\(effect.type.text) \(quoted(verdict[effect.value].string)) on \(verdict[effect.entityType].string)"
    text += " \(verdict[effect.entity].string)"
    if let hours = effect.hours { text += " for \(hours) h" }
    let comment = verdict[effect.comment].string
    if !comment.isEmpty { text += ": \(comment)" }
    return text
  }
}
