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

  /// `/rules`, as JSON.
  var json: [UInt8] {
    let out = ByteWriter()
    func text(_ name: StaticString, _ value: String) {
      out.append(name)
      withBytes(Array(value.utf8)) { _ = out.append(jsonString: $0) }
    }
    text("{\"ruleset\":", hash)
    out.append(",\"rules\":[")
    for (index, status) in rules.enumerated() {
      let rule = status.rule
      text(index == 0 ? "{\"name\":" : ",{\"name\":", rule.name)
      text(",\"mode\":", rule.mode.rawValue)
      text(",\"about\":", rule.about)
      text(",\"owner\":", rule.owner)
      text(",\"file\":", rule.file)
      text(",\"hash\":", rule.fileHash)
      text(",\"actions\":", rule.actions.joined(separator: " "))
      text(",\"collections\":", rule.collections.joined(separator: " "))
      out.append(",\"evaluations\":")
      out.append(decimal: Int64(status.numbers.evaluations))
      out.append(",\"hits\":")
      out.append(decimal: Int64(status.numbers.hits))
      out.append(",\"errors\":")
      out.append(decimal: Int64(status.numbers.errors))
      out.append(status.numbers.isSetAside ? ",\"set_aside\":true}" : ",\"set_aside\":false}")
    }
    out.append("]}\n")
    return out.bytes.array
  }
}
