import ArgumentParser
import Foundation
import Rules

struct RulesNewCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new", abstract: "Write a rule with its test, ready to edit.",
    discussion: "Both pass `rules check` and `rules test` as they are.")

  @Argument(help: "The rule's name, PascalCase.")
  var name: String
  @Option(help: "The rule directory.")
  var dir = "rules"
  @Option(help: "Folder below it.")
  var folder = ""

  func run() throws {
    let folder = folder.split(separator: "/").joined(separator: "/")
    guard let template = RuleTemplate(name: name, folder: folder) else {
      throw UsageError("'\(name)' is not PascalCase; try: osprey-feeder rules new LinkFlood")
    }
    guard !folder.split(separator: "/").contains(where: { $0.hasPrefix(".") }), folder != "lib", folder != "lists",
      !folder.hasPrefix("lib/"), !folder.hasPrefix("lists/")
    else { throw UsageError("--folder \(folder): rules are not looked for there; try: --folder spam") }
    let files = FileManager.default
    if files.fileExists(atPath: dir),
      let taken = RuleInventory(directory: dir).entries.first(where: { $0.rule.name == name })
    {
      throw UsageError("the name \(name) is taken by \(dir)/\(taken.rule.file):\(taken.rule.line); try another one")
    }
    for file in [template.rule, template.test] where files.fileExists(atPath: "\(dir)/\(file.path)") {
      throw UsageError("\(dir)/\(file.path) is there already; try another name or --folder")
    }
    for file in [template.rule, template.test] {
      let path = "\(dir)/\(file.path)"
      do {
        try files.createDirectory(
          atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(file.text.utf8).write(to: URL(fileURLWithPath: path), options: .withoutOverwriting)
      } catch {
        throw Failure("cannot write \(path): \(error.localizedDescription)")
      }
      printText("\(path)\n")
    }
    printText("try: osprey-feeder rules test \(dir) --only \(name)\n")
  }
}
