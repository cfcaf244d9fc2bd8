import Foundation
import Network
import Simulator

/// What a synthetic relay is to serve.
struct SimulationOptions {
  var listen = "127.0.0.1:0"
  var rate = RelayServer.Rate.perSecond(1000)
  var seed: UInt64 = 1
  var accounts: Int?
  var campaigns = CampaignPlan.standard
  var malformedPerMillion = 0
  /// Frames to produce in all.
  var limit: Int?
  /// A file of pre-signed frames to replay with fresh seq and time, and how many there are to be in it.
  var ring: (path: String, frames: Int)?
  /// Frames held for consumers that come back.
  var windowFrames: Int?
  /// Where to write ground truth.
  var truth: String?
  /// Where to write the accounts.
  var directory: String?
  /// First seq.
  var startSeq = SimulatorConfiguration.defaultStartSeq
  var startsOnFirstConsumer = false
  /// First time, and the moment that accounts' ages are counted back from, microseconds since 1970.
  var startTime = Self.programStart

  private static let programStart = UInt64(Date().timeIntervalSince1970 * 1_000_000)

  /// `max`, or frames a second.
  static func rate(_ text: String, option: String) throws -> RelayServer.Rate {
    if text == "max" { return .max }
    guard let rate = Int(text), (1...1_000_000).contains(rate) else {
      throw UsageError("\(option): '\(text)' is neither max nor a number of frames a second between 1 and 1000000")
    }
    return .perSecond(rate)
  }

  var configuration: SimulatorConfiguration {
    var perSecond = 1_000
    if case .perSecond(let rate) = rate { perSecond = rate }
    return SimulatorConfiguration(
      seed: seed, accounts: accounts ?? 20_000, campaigns: campaigns, malformedPerMillion: malformedPerMillion,
      startSeq: startSeq, startTime: startTime, eventsPerSecond: perSecond, framesMax: ring == nil ? limit : nil)
  }
}

/// A synthetic relay on a loopback port.
final class Simulation {
  private let server: RelayServer

  init(_ options: SimulationOptions) throws {
    var configuration = RelayServer.Configuration(listen: options.listen)
    configuration.rate = options.rate
    configuration.limit = options.limit
    configuration.startsOnFirstConsumer = options.startsOnFirstConsumer
    if let frames = options.windowFrames { configuration.windowFrames = frames }
    if options.rate == .max { configuration.waitsForConsumers = true }
    let directory: SimulatedDirectory
    let source: RelayFrameSource
    if let ring = options.ring {
      var world = options.configuration
      world.startTime = SimulatorConfiguration.defaultStartTime
      directory = SimulatedDirectory(world)
      source = try Self.replay(ring.path, frames: ring.frames, world, options)
      // A replayed frame is a function of its seq: the window costs nothing.
      configuration.windowFrames = options.windowFrames ?? .max
    } else {
      let world = World(options.configuration)
      directory = world.directory
      source = .generated(next: try Self.generator(world, options))
    }
    if let path = options.directory {
      do throws(SimulationFiles.Problem) {
        try SimulationFiles.write(directory, to: path)
      } catch {
        throw UsageError("--directory: cannot write \(path): \(error)")
      }
    }
    server = RelayServer(configuration: configuration, source: source) { directory.document($0) }
  }

  private static func replay(
    _ path: String, frames: Int, _ world: SimulatorConfiguration, _ options: SimulationOptions
  ) throws -> RelayFrameSource {
    do throws(Ring.Problem) {
      let ring = try Ring.open(
        path: path, configuration: world, frames: frames, firstSeq: options.startSeq,
        firstTime: options.startTime, eventsPerSecond: world.eventsPerSecond
      ) { Console.show("signing \($0) of \(frames) frames") }
      Console.show("")
      return .computed(firstSeq: options.startSeq) { seq, buffer in
        buffer.append(count: ring.frameBytes(seq: seq)) { _ = ring.copyFrame(seq: seq, to: $0) }
      }
    } catch {
      throw Failure("simulate: the ring \(path) cannot be used: \(error)")
    }
  }

  private static func generator(_ world: World, _ options: SimulationOptions) throws -> (inout FrameBuffer) -> Int64? {
    var truth: FileHandle?
    if let path = options.truth {
      guard FileManager.default.createFile(atPath: path, contents: nil), let file = FileHandle(forWritingAtPath: path)
      else { throw UsageError("--truth: cannot write \(path)") }
      truth = file
    }
    var frame: [UInt8] = []
    return { buffer in
      let info = world.next(into: &frame)
      buffer.append(frame)
      if let truth, !info.truth.isEmpty {
        truth.write(Data(info.truth.map { $0.json + "\n" }.joined().utf8))
      }
      return info.seq
    }
  }

  /// Begins to serve; returns the address.
  func start() throws -> String {
    do throws(NetworkError) {
      return try server.start()
    } catch {
      throw UsageError("--listen: \(error)")
    }
  }

  var status: RelayServer.Status { server.status }

  func stop() { server.stop() }
}
