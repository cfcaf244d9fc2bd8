import ATProto
import Rules

/// One loaded rule and its numbers.
package struct RuleStatus: Sendable {
  package var rule: RuleDefinition
  package var numbers: RuleStatistics

}

/// What is loaded and how it does.
package struct RuleSetStatus: Sendable {
  /// `__ruleset` of its verdicts.
  package var hash: String
  package var rules: [RuleStatus]

  init(_ host: RuleHost) {
    hash = host.hash
    rules = host.rules.indices.map { RuleStatus(rule: host.rules[$0], numbers: host.counters.statistics($0)) }
  }

  /// `/rules`: the live set, and the candidate with what it would change, as JSON.
  static func page(
    _ live: RuleSetStatus, candidate: (set: RuleSetStatus, differences: [CandidateDifference])?
  ) -> [UInt8] {
    let out = ByteWriter()
    live.append(to: out)
    if let candidate {
      out.append(",\"candidate\":")
      candidate.set.append(to: out)
      out.append(",\"differences\":[")
      for (index, difference) in candidate.differences.enumerated() {
        if index > 0 { out.append(",") }
        out.append("{")
        text("\"rule\":", difference.rule, to: out)
        number(",\"both\":", difference.both, to: out)
        number(",\"only_candidate\":", difference.onlyCandidate, to: out)
        number(",\"only_live\":", difference.onlyLive, to: out)
        text(",\"sample\":", difference.sample, to: out)
        out.append("}")
      }
      out.append("]}")
    }
    out.append("}\n")
    return out.bytes.array
  }

  /// Everything but the closing brace.
  private func append(to out: ByteWriter) {
    Self.text("{\"ruleset\":", hash, to: out)
    out.append(",\"rules\":[")
    for (index, status) in rules.enumerated() {
      let rule = status.rule
      Self.text(index == 0 ? "{\"name\":" : ",{\"name\":", rule.name, to: out)
      Self.text(",\"mode\":", rule.mode.rawValue, to: out)
      Self.text(",\"about\":", rule.about, to: out)
      Self.text(",\"owner\":", rule.owner, to: out)
      Self.text(",\"file\":", rule.file, to: out)
      Self.text(",\"hash\":", rule.fileHash, to: out)
      Self.text(",\"actions\":", rule.actions.joined(separator: " "), to: out)
      Self.text(",\"collections\":", rule.collections.joined(separator: " "), to: out)
      Self.number(",\"evaluations\":", status.numbers.evaluations, to: out)
      Self.number(",\"hits\":", status.numbers.hits, to: out)
      Self.number(",\"errors\":", status.numbers.errors, to: out)
      out.append(status.numbers.isSetAside ? ",\"set_aside\":true}" : ",\"set_aside\":false}")
    }
    out.append("]")
  }

  private static func text(_ name: StaticString, _ value: String, to out: ByteWriter) {
    out.append(name)
    withBytes(Array(value.utf8)) { _ = out.append(jsonString: $0) }
  }

  private static func number(_ name: StaticString, _ value: Int, to out: ByteWriter) {
    out.append(name)
    out.append(decimal: Int64(value))
  }
}
