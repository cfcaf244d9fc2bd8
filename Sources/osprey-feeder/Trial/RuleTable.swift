import Feeder
import Rules

/// What a trial found out about the rules, as text.
enum RuleTable {
  /// One line per rule.
  static func lines(_ reports: [RuleReport], withLast: Bool = false) -> [String] {
    var table = TextTable(
      ["<rule", "<mode", "asked", "hits", "rate", "errors", "mean", "p50", "p99", "budget"]
        + (withLast ? ["<last hit"] : []))
    for report in reports {
      let numbers = report.numbers
      table.add(
        [
          report.rule.name, report.rule.mode.rawValue + (numbers.isSetAside ? " (set aside)" : ""),
          grouped(numbers.evaluations), grouped(numbers.hits),
          percent(numbers.evaluations == 0 ? nil : Double(numbers.hits) / Double(numbers.evaluations)),
          grouped(numbers.errors), duration(nanoseconds: numbers.meanNanoseconds),
          duration(nanoseconds: numbers.percentile(0.5)), duration(nanoseconds: numbers.percentile(0.99)),
          percent(numbers.budgetUsed),
        ] + (withLast ? [shortened(report.last, 60)] : []))
    }
    return table.lines
  }

  /// Accounts, samples and faults of every rule that has any.
  static func details(_ reports: [RuleReport]) -> [String] {
    var lines: [String] = []
    for report in reports where report.numbers.hits > 0 || !report.fault.isEmpty {
      let top = report.top.map { "\($0.did) \(grouped($0.hits))" }.joined(separator: ", ")
      let accounts = "\(report.isLossy ? "at least " : "")\(grouped(report.accounts)) accounts"
      lines.append("")
      lines.append(
        "\(report.rule.name): \(grouped(report.numbers.hits)) hits on \(accounts)\(top.isEmpty ? "" : "; most: \(top)")"
      )
      if !report.fault.isEmpty { lines.append("  failed: \(report.fault)") }
      if report.numbers.quotaTrips > 0 {
        lines.append("  over its quota \(grouped(report.numbers.quotaTrips)) times: shadow from there")
      }
      for sample in report.samples { lines.append("  \(line(sample))") }
    }
    return lines
  }

  /// One sample on one line.
  static func line(_ sample: TrialSample) -> String {
    let features = sample.features.map { "\($0.name) \(shortened($0.value, 120))" }.joined(separator: " · ")
    return "\(sample.time)  \(sample.subject)\(features.isEmpty ? "" : "  \(features)")"
  }

  /// Pairs of rules that hit the same events.
  static func overlaps(_ overlaps: [RuleOverlap], _ reports: [RuleReport], limit: Int = 20) -> [String] {
    guard !overlaps.isEmpty else { return [] }
    let hits = Dictionary(uniqueKeysWithValues: reports.map { ($0.rule.name, $0.numbers.hits) })
    var table = TextTable(["<rules that hit the same events", "shared", "<"])
    for overlap in overlaps.prefix(limit) {
      let shares = [overlap.first, overlap.second].map { name in
        "\(percent(Double(overlap.shared) / Double(max(1, hits[name] ?? 0)))) of \(name)"
      }
      table.add(["\(overlap.first) + \(overlap.second)", grouped(overlap.shared), shares.joined(separator: ", ")])
    }
    return [""] + table.lines + (overlaps.count > limit ? ["… and \(overlaps.count - limit) more pairs"] : [])
  }
}
