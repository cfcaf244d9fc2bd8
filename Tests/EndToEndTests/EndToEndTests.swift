import Foundation
import Testing

@Suite(.serialized) struct EndToEndTests {
  @Test func `the simulator writes the same file for the same seed, and decode reads all of it`() throws {
    let folder = try Folder()
    for name in ["a.frames", "b.frames"] {
      let made = try Program.run(
        ["simulate", "--seed", "5", "--accounts", "100", "--events", "500", "--output", folder.path(name)])
      #expect(made.code == 0)
    }
    #expect(
      FileManager.default.contentsEqual(atPath: folder.path("a.frames"), andPath: folder.path("b.frames")))
    let report = try Program.run(["decode", folder.path("a.frames"), "--report", "--strict"])
    #expect(report.code == 0 && report.lines.count == 500)
    #expect(report.lines.allSatisfy { $0.contains("\"outcome\":\"accept\"") || $0.contains("\"outcome\":\"skip\"") })
  }

  @Test func `a frame that cannot be used never stops decode, and strict says so with its exit code`() throws {
    let input = "a1\n\nzz\n"
    let bad = try Program.run(["decode", "--hex", "--report"], input: input)
    #expect(bad.code == 2 && bad.error.contains("line 3"))
    let report = try Program.run(["decode", "--hex", "--report"], input: "a1\n\n")
    #expect(report.code == 0)
    #expect(report.lines.map { $0.contains("\"reason\":\"truncated\"") } == [true, false])
    #expect(report.lines.last?.contains("\"reason\":\"empty\"") == true)
    #expect(try Program.run(["decode", "--hex", "--strict"], input: "a1\n").code == 1)
  }

  @Test func `a capture file that ends inside a frame is reported in the last line and by the exit code`() throws {
    let folder = try Folder()
    _ = try Program.run(["simulate", "--accounts", "100", "--events", "20", "--output", folder.path("a.frames")])
    let data = try Data(contentsOf: folder.url.appendingPathComponent("a.frames"))
    try data.dropLast(10).write(to: folder.url.appendingPathComponent("torn.frames"))
    let report = try Program.run(["decode", folder.path("torn.frames"), "--report"])
    #expect(report.code == 1 && report.lines.count == 20)
    #expect(
      report.lines.last
        == "{\"frame\":19,\"outcome\":\"reject\",\"reason\":\"torn_file\",\"offset\":0,"
        + "\"message\":\"the capture file ends inside a frame\"}"
    )
  }

  @Test(arguments: [
    ["run"], ["run", "--bootstrap-servers", "embedded", "--sorce", "relay"], ["run", "--workers"],
    ["run", "--bootstrap-servers", "embedded", "--workers", "none"], ["decode", "/no/such/file"], ["nonsense"],
    ["simulate"], ["decode", "--verify", "all"], ["run", "--bootstrap-servers", "embedded", "-X", "acks=0"],
    ["run", "--bootstrap-servers", "embedded", "--rules", "/no/such/folder"],
    ["run", "--bootstrap-servers", "embedded", "--loop"],
    ["run", "--bootstrap-servers", "embedded", "--source", "capture:x", "--speed", "10"],
    ["run", "--bootstrap-servers", "embedded", "--source", "capture:x", "--loop", "--cursor", "file:y"],
    ["dry-run", "--source", "simulator", "--speed", "2x"], ["dry-run", "--source", "kafka:t", "--loop"],
    ["backtest", "--source", "capture:x", "--loop"],
  ])
  func `wrong use ends with 2 and says what to try`(arguments: [String]) throws {
    let result = try Program.run(arguments)
    #expect(result.code == 2)
    #expect(result.error.contains("error: "))
    #expect(result.out.isEmpty)
  }

  @Test(arguments: [["run", "--bootstrap-servers", "embedded"], ["dry-run", "--source", "simulator"]])
  func `checking signatures is refused with the reason and what to do instead`(arguments: [String]) throws {
    let result = try Program.run(arguments + ["--verify", "signature"])
    #expect(result.code == 2 && result.out.isEmpty)
    #expect(result.error.contains("signing keys") && result.error.contains("--verify mst"), "\(result.error)")
  }

  @Test func `help and version are printed and end with 0`() throws {
    #expect(try Program.run(["--version"]).out == "0.1.0\n")
    for command in ["run", "decode", "capture", "simulate", "broker"] {
      let help = try Program.run([command, "--help"])
      #expect(help.code == 0 && help.out.contains("USAGE: osprey-feeder \(command)"))
    }
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func `a shell can complete every option of run`(shell: String) throws {
    let help = try Program.run(["run", "--help"])
    let names = help.lines.filter { $0.hasPrefix("  --") }.map { $0.dropFirst(4).prefix { $0 != " " } }
    #expect(names.count > 30 && names.contains("config"))
    let script = try Program.run(["--generate-completion-script", shell])
    #expect(script.code == 0)
    // What fish has for the command stands in lines of its own; the others have a function for it.
    let part =
      shell == "fish"
      ? script.lines.filter { $0.contains("\"osprey-feeder run\"") || $0.contains("\"osprey-feeder run ") }.joined()
      : script.out.components(separatedBy: "_osprey-feeder_run() {").last?.components(separatedBy: "\n}").first ?? ""
    let missing = names.filter { !part.contains(shell == "fish" ? "-l '\($0)'" : "--\($0)") }
    #expect(missing.isEmpty, "\(missing)")
  }

  @Test func `killed twice at full speed, the feeder loses nothing and keeps the order per DID`() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.currentDirectoryURL = Program.folder
    process.arguments = [
      "python3", "tools/chaos.py", "--binary", Program.path, "--cycles", "2", "--events", "9000", "--ring-frames",
      "3000",
    ]
    let out = Pipe()
    process.standardOutput = out
    try process.run()
    let printed = String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(printed)")
    #expect(printed.contains("chaos: PASS: 2 kills"))
  }
}
