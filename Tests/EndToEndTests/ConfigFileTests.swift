import Foundation
import Testing

/// `run --config FILE`.
@Suite(.serialized) struct ConfigFileTests {
  private let folder: Folder
  private let path: String

  init() throws {
    folder = try Folder()
    path = folder.path("feeder.yaml")
    try FileManager.default.createDirectory(atPath: folder.path("rules"), withIntermediateDirectories: true)
  }

  private func run(
    _ text: String, _ arguments: [String] = [], environment: [String: String] = [:]
  ) throws -> Program.Result {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    return try Program.run(["run", "--config", path] + arguments, environment: environment)
  }

  @Test func `options come from the file by their names, with comments, quotes and both kinds of lists`() throws {
    let result = try run(
      """
      ---
      # A trial that only looks.
      source: capture:\(folder.path("none.frames"))   # not there
      bootstrap-servers: 'embedded'
      rules: "\(folder.path("rules"))"
      relay-host: [ wss://a.example , "wss://b.example" ]
      replication-factor: -1
      check: true
      X:
        - linger.ms=20
        # the second one
        - 'client.rack=it''s here'
      """)
    #expect(result.code == 2 && result.error.contains("cannot read \(folder.path("none.frames"))"), "\(result.error)")
    let fine = try run(
      "source: simulator\r\nbootstrap-servers: embedded\r\ncheck: yes\r\nrules: \(folder.path("rules"))\r\n")
    #expect(fine.code == 0 && fine.out.hasPrefix("ok: "), "\(fine.error)")
  }

  @Test func `a flag counts more than the environment, the environment more than the file, the file more than nothing`()
    throws
  {
    let text = "bootstrap-servers: embedded\nsource: simulator\npartitions: of-the-file\ncheck: true\n"
    let inFile = try run(text)
    #expect(inFile.code == 2 && inFile.error.contains("feeder.yaml:3: --partitions: 'of-the-file'"), "\(inFile.error)")
    let environment = ["OSPREY_FEEDER_PARTITIONS": "of-the-environment"]
    let overridden = try run(text, environment: environment)
    #expect(overridden.error.contains("error: --partitions: 'of-the-environment'"), "\(overridden.error)")
    let given = try run(text, ["--partitions", "of-the-flag"], environment: environment)
    #expect(given.error.contains("error: --partitions: 'of-the-flag'"), "\(given.error)")
    // Properties add up, and the last one of a name counts.
    let properties = "\(text)X: [acks=0]\n".replacing("of-the-file", with: "1")
    let refused = try run(properties, ["-X", "linger.ms=5"])
    #expect(refused.code == 2 && refused.error.contains("acks"), "\(refused.error)")
    #expect(try run(properties, ["-X", "acks=all", "--rules", folder.path("rules")]).code == 0)
    // The file itself may be named by the environment.
    let named = try Program.run(["run"], environment: ["OSPREY_FEEDER_CONFIG": path])
    #expect(named.code == 2 && named.error.contains("acks"), "\(named.error)")
  }

  @Test(arguments: [
    ("source: relay\nrelay_host: wss://a.example", "2: 'relay_host' is no option of run, did you mean 'relay-host'?"),
    ("config: other.yaml", "1: 'config' is no option of run"),
    ("kafka:\n  acks: 1", "1: 'kafka' is no option of run"),
    ("\nsource: relay\n\nsource: simulator", "4: 'source' stands in line 2 already"),
    ("source:", "1: 'source' has no value"),
    ("relay-host:\nname: x", "1: 'relay-host' has no value"),
    ("source: ~", "1: a value is missing"),
    ("source:relay", "1: there is no space behind 'source:'"),
    ("relay", "1: 'relay' is not 'name: value'"),
    ("name: a: b", "1: YAML reads 'a: b' as something else"),
    ("name: *other", "1: YAML reads '*other' as something else"),
    ("name: 'a", "1: the quoted text is not closed"),
    ("name: \"a\\q\"", "1: the quoted text is not closed, or has an escape"),
    ("name: 'a' b", "1: 'b' stands behind the value"),
    ("relay-host: [a, b", "1: the list does not end"),
    ("name: [a, b]", "1: YAML reads '[a, b]' as something else"),
    ("name: x\n- y", "2: an item, '- VALUE', stands below"),
    ("name: x\n  y", "2: an indented line is an item"),
    ("relay-host:\n\t- y", "2: YAML indents with spaces"),
    ("workers: 0", "1: --workers: '0' is no number"),
    ("X: [acks]", "1: -X: 'acks' is not KEY=VALUE"),
    ("start: yesterday", "1: --start: 'yesterday' is none of"),
    ("osprey-compatible: perhaps", "1: --osprey-compatible: 'perhaps' is neither"),
  ])
  func `what is wrong in the file is named with its line`(text: String, problem: String) throws {
    let result = try run(text, ["--bootstrap-servers", "embedded"])
    #expect(result.code == 2 && result.error.contains("feeder.yaml:\(problem)"), "\(result.error)")
  }

  @Test func `a file that cannot be read ends the start`() throws {
    let result = try Program.run(["run", "--config", folder.path("none.yaml")])
    #expect(result.code == 2 && result.error.contains("--config: cannot read"), "\(result.error)")
  }
}
