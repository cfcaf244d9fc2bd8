import ArgumentParser
import Feeder
import Foundation
import Simulator

struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate", abstract: "Serve a synthetic relay, or write a capture file of it.",
    discussion: """
      A small network with real trees, signed commits, abuse campaigns and things that only look like them. The same seed
      gives the same bytes on every machine.
        osprey-feeder simulate --listen 127.0.0.1:2470 --rate 1000
        osprey-feeder simulate --events 100000 --output day.frames.zst --truth day.truth.jsonl
      """)

  @Option(help: "Seed.")
  var seed: UInt64 = 1
  @Option(help: "Everyday accounts.")
  var accounts: Int?
  @Option(help: "Campaigns and hard negatives, as JSON (default: built in).")
  var campaigns: String?
  @Option(help: "Share of malformed frames, 0 to 1.")
  var malformed: Double = 0
  @Option(help: "Serve as a relay at HOST:PORT; port 0 picks one. The address is the first line.")
  var listen: String?
  @Option(help: "Frames a second, or max.")
  var rate = "1000"
  @Option(help: "With --output: frames to write. With --listen: frames to produce in all.")
  var events: Int?
  @Option(help: "Write a capture file: FILE.frames or FILE.frames.zst.")
  var output: String?
  @Option(help: "Write ground truth: one JSON line per abusive event.")
  var truth: String?
  @Option(help: "Write the accounts, one JSON line each, for --directory of other commands.")
  var directory: String?
  @Option(help: "With --listen: replay pre-signed frames from this file, built if missing (about 5.5 KB a frame).")
  var ring: String?
  @Option(help: "Frames in the ring.")
  var ringFrames = 200_000
  @Option(help: "With --listen: frames held for consumers that come back.")
  var window: Int?
  @Flag(help: "With --listen: begin only when the first consumer has connected.")
  var waitForConsumer = false

  mutating func validate() throws {
    guard (listen == nil) != (output == nil) else { throw ValidationError("give either --listen or --output") }
    guard listen != nil || events != nil else { throw ValidationError("--output needs --events") }
    guard (0...1).contains(malformed) else { throw ValidationError("--malformed: a share between 0 and 1") }
    guard events ?? 1 > 0, ringFrames > 0, window ?? 1 > 0, accounts ?? 64 >= 64 else {
      throw ValidationError("--events, --ring-frames and --window are positive, --accounts at least 64")
    }
    guard ring == nil || listen != nil else { throw ValidationError("--ring goes with --listen") }
    guard truth == nil || ring == nil else { throw ValidationError("--truth does not go with --ring") }
  }

  private func plan() throws -> CampaignPlan {
    guard let campaigns else { return .standard }
    guard let data = FileManager.default.contents(atPath: campaigns) else {
      throw UsageError("--campaigns: cannot read \(campaigns)")
    }
    do throws(CampaignPlan.Problem) {
      return try CampaignPlan(json: [UInt8](data))
    } catch {
      throw UsageError("--campaigns: \(campaigns): \(error)")
    }
  }

  mutating func run() throws {
    if let output { try write(to: output) } else { try serve() }
  }

  private func write(to output: String) throws {
    let configuration = SimulatorConfiguration(
      seed: seed, accounts: accounts ?? 20_000, campaigns: try plan(),
      malformedPerMillion: Int(malformed * 1_000_000), framesMax: events)
    do throws(SimulationFiles.Problem) {
      let total = events ?? 0
      let summary = try SimulationFiles(frames: output, truth: truth, directory: directory)
        .write(configuration, events: total) { Console.show("\($0) of \(total) frames") }
      Console.show("")
      Console.write("\(summary.frames) frames, \(summary.bytes) bytes, \(summary.truthLines) lines of truth\n")
    } catch {
      throw Failure("simulate: \(error)")
    }
  }

  private func serve() throws {
    var options = SimulationOptions()
    options.listen = listen ?? options.listen
    options.rate = try SimulationOptions.rate(rate, option: "--rate")
    options.seed = seed
    options.accounts = accounts
    options.campaigns = try plan()
    options.malformedPerMillion = Int(malformed * 1_000_000)
    options.limit = events
    options.ring = ring.map { ($0, ringFrames) }
    options.windowFrames = window
    options.truth = truth
    options.directory = directory
    options.startsOnFirstConsumer = waitForConsumer
    let stopped = DispatchSemaphore(value: 0)
    StopSignals.catchAll { stopped.signal() }
    let simulation = try Simulation(options)
    print(try simulation.start())
    fflush(nil)
    while stopped.wait(timeout: .now() + .seconds(1)) == .timedOut {
      let status = simulation.status
      Console.show("\(status.produced) frames produced, \(status.consumers) consumers, \(status.cutOff) cut off")
    }
    Console.show("")
    simulation.stop()
  }
}
