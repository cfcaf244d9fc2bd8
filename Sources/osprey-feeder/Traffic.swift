import Feeder
import Foundation
import Logging
import Network

/// Where frames come from, made from what the user asked for.
struct Traffic {
  var choice: SourceChoice
  var relayHosts: [String] = ["wss://bsky.network"]
  /// `max`, or frames a second.
  var simulateRate = "1000"
  var simulateSeed: UInt64 = 1

  /// The source, and the synthetic relay it reads where it was asked for, which the caller stops in the end.
  func source(_ metrics: FeederMetrics, log: Logger) throws(StartError) -> (any FrameSource, Simulation?) {
    switch choice {
    case .capture(let path):
      guard FileManager.default.isReadableFile(atPath: path) else { throw StartError("cannot read \(path)") }
      return (CaptureFileSource(path: path, metrics: metrics), nil)
    case .relay:
      var configuration = RelayClient.Configuration(hosts: relayHosts)
      configuration.userAgent = "osprey-feeder/\(OspreyFeeder.version)"
      for host in configuration.hosts where RelayAddress(host) == nil {
        throw StartError("--relay-host: '\(host)' is no relay address; try: wss://HOST")
      }
      return (RelaySource(configuration: configuration, metrics: metrics, log: log), nil)
    case .simulator:
      do {
        var options = SimulationOptions()
        options.rate = try SimulationOptions.rate(simulateRate)
        options.seed = simulateSeed
        let simulation = try Simulation(options)
        let address = try simulation.start()
        let configuration = RelayClient.Configuration(hosts: ["ws://\(address)"])
        return (RelaySource(configuration: configuration, metrics: metrics, log: log), simulation)
      } catch {
        throw StartError("the simulator did not start: \(error)")
      }
    }
  }
}
