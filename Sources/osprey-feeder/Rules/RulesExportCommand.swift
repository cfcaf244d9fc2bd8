import ArgumentParser
import Foundation
import Rules

struct RulesExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export-sml",
    abstract: "Write SML, labels and UI configuration that let Osprey's UI query the verdicts.",
    discussion: """
      Osprey's UI accepts a query only if it knows every name in it. Point a UI of its own at the directory this writes
      (OSPREY_RULES_PATH) and at the verdicts' datasource (DRUID_DATASOURCE): features, rules and labels can then be queried. The
      rules in it never fire. Types of features are taken from the code and from what the tests show.
      """)

  @Argument(help: "Directory to write; made if missing.")
  var output: String
  @Option(help: "The rule directory.")
  var rules = "rules"

  func run() throws {
    let inventory = RuleInventory(directory: rules)
    try inventory.stopAtProblems()
    let export = SMLExport(inventory)
    for file in export.files {
      let path = "\(output)/\(file.path)"
      do {
        try FileManager.default.createDirectory(
          atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(file.text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
      } catch {
        throw Failure("cannot write \(path): \(error.localizedDescription)")
      }
      printText("\(path)\n")
    }
    if !export.untyped.isEmpty {
      printText(
        "declared as text, because no code or test shows their type: \(export.untyped.joined(separator: ", "))\n")
    }
  }
}
