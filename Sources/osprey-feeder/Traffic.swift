import ATProto
import Feeder
import Foundation
import Logging
import Network
import Rules
import Simulator

/// Where frames come from, made from what the user asked for.
struct Traffic {
  var choice: SourceChoice
  var relayHosts: [String] = ["wss://bsky.network"]
  var simulation = SimulationOptions()
  var speed = CaptureSpeed.max
  var isLoop = false

  /// Reads `--speed` and `--loop`, which only a capture file has.
  mutating func setPace(speed text: String, isLoop: Bool) throws {
    guard let speed = CaptureSpeed(text) else {
      throw UsageError("--speed: '\(text)' is none of max, realtime, Nx; try: --speed 10x")
    }
    let isCapture = if case .capture = choice { true } else { false }
    guard isCapture || speed == .max && !isLoop else {
      throw UsageError("\(isLoop ? "--loop" : "--speed"): goes with --source capture:FILE")
    }
    self.speed = speed
    self.isLoop = isLoop
  }

  /// The source, and the synthetic relay it reads where it was asked for, which the caller stops in the end.
  func source(_ metrics: FeederMetrics, log: Logger) throws(StartError) -> (any FrameSource, Simulation?) {
    switch choice {
    case .capture(let path):
      guard FileManager.default.isReadableFile(atPath: path) else { throw StartError("cannot read \(path)") }
      return (CaptureFileSource(path: path, speed: speed, isLoop: isLoop, metrics: metrics), nil)
    case .relay:
      var configuration = RelayClient.Configuration(hosts: relayHosts)
      configuration.userAgent = "osprey-feeder/\(OspreyFeeder.version)"
      for host in configuration.hosts where RelayAddress(host) == nil {
        throw StartError("--relay-host: '\(host)' is no relay address; try: wss://HOST")
      }
      return (RelaySource(configuration: configuration, metrics: metrics, log: log), nil)
    case .simulator:
      do {
        let simulation = try Simulation(simulation)
        let address = try simulation.start()
        let configuration = RelayClient.Configuration(hosts: ["ws://\(address)"])
        return (RelaySource(configuration: configuration, metrics: metrics, log: log), simulation)
      } catch {
        throw StartError("the simulator did not start: \(error)")
      }
    }
  }

  /// What rules are told about accounts: what the file says, or else the accounts of the synthetic network that is read.
  static func accounts(
    _ file: String?, simulated: SimulationOptions?, log: Logger? = nil
  ) throws -> AccountDirectory? {
    do throws(DirectoryError) {
      let accounts: AccountDirectory
      if let file {
        accounts = try .load(file)
      } else if let simulated {
        accounts = try .load(lines: SimulationFiles.lines(SimulatedDirectory(simulated.configuration)))
      } else {
        return nil
      }
      log?.info("\(accounts.count) accounts from \(file ?? "the simulator"), \(accounts.memoryBytes >> 20) MiB")
      return accounts
    } catch {
      throw UsageError("--directory: \(error)")
    }
  }
}

extension Verification {
  /// `--verify` where nobody knows the accounts' signing keys.
  static func withoutKeys(_ text: String) throws -> Verification {
    guard let verification = Verification(rawValue: text) else {
      throw UsageError("--verify: '\(text)' is none of none, cid, mst")
    }
    guard verification != .signature else {
      throw UsageError(
        "--verify signature: needs the accounts' signing keys, and looking these up comes with account metadata in a "
          + "later version; try: --verify mst, or for single accounts: decode --verify signature --signing-key DID:KEY")
    }
    return verification
  }
}
