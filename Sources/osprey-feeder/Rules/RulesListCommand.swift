import ArgumentParser
import Rules

struct RulesListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Name, mode, owner, hash, actions, collections, features and tests of each rule.")

  @Argument(help: "The rule directory.")
  var directory = "rules"
  @Flag(help: "One JSON object instead of a table.")
  var json = false

  func run() throws {
    let inventory = RuleInventory(directory: directory)
    try inventory.stopAtProblems()
    if json { return printText(inventory.json + "\n") }
    var rows = [["NAME", "MODE", "OWNER", "HASH", "ACTIONS", "COLLECTIONS", "FEATURES", "TESTS", "FILE"]]
    for entry in inventory.entries {
      let rule = entry.rule
      rows.append([
        rule.name, rule.mode.rawValue, rule.owner.isEmpty ? "-" : rule.owner, String(rule.fileHash.prefix(12)),
        rule.actions.isEmpty ? "all" : rule.actions.map { $0.replacing("operation#", with: "") }.joined(separator: ","),
        rule.collections.isEmpty ? "all" : rule.collections.joined(separator: ","),
        entry.features.isEmpty ? "-" : entry.features.map(\.name).joined(separator: ","), "\(entry.tests)",
        "\(rule.file):\(rule.line)",
      ])
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    for row in rows {
      let cells = row.enumerated().map { index, cell in
        index == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[index] - cell.count)
      }
      printText(cells.joined(separator: "  ") + "\n")
    }
    printText("\(counted(inventory.entries.count, "rule")), \(inventory.hash)\n")
  }
}

extension RuleInventory {
  /// Prints why the set does not load, and ends with exit code 1.
  func stopAtProblems() throws {
    guard !problems.isEmpty else { return }
    for problem in problems {
      printText("\(problem.file):\(problem.line): \(problem.what)\n")
      if !problem.attempt.isEmpty { printText("  try: \(problem.attempt)\n") }
    }
    throw ExitCode(1)
  }
}
