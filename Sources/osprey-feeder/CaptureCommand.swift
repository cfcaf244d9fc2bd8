import ArgumentParser
import Capture
import Feeder
import Foundation
import Logging
import Network
import Synchronization

struct CaptureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "capture", abstract: "A live source → a capture file, exactly as received.",
    discussion: """
      Receive times go beside it, into FILE.times. Ends after --frames or --seconds, or when stopped.
        osprey-feeder capture --relay-host wss://bsky.network --seconds 60 --output minute.frames.zst
      """)

  @Option(help: "Relay to read from; repeat it to have others tried in turn.")
  var relayHost: [String] = ["wss://bsky.network"]
  @Option(name: .shortAndLong, help: "FILE.frames, or FILE.frames.zst for a compressed one.")
  var output: String
  @Option(help: "Stop after so many frames.")
  var frames: Int?
  @Option(help: "Stop after so many seconds.")
  var seconds: Int?
  @Option(help: "Sequence number to begin at (default: live).")
  var cursor: Int64?
  @Flag(help: "Overwrite an existing file.")
  var force = false

  mutating func validate() throws {
    guard output.hasSuffix(".frames") || output.hasSuffix(".frames.zst") else {
      throw ValidationError("--output: '\(output)' ends neither in .frames nor in .frames.zst")
    }
    guard frames ?? 1 > 0, seconds ?? 1 > 0, cursor ?? 0 >= 0 else {
      throw ValidationError("--frames, --seconds and --cursor take positive numbers")
    }
    for host in relayHost where RelayAddress(host) == nil {
      throw ValidationError("--relay-host: '\(host)' is no relay address; try: wss://HOST")
    }
  }

  mutating func run() throws {
    guard force || !FileManager.default.fileExists(atPath: output) else {
      throw UsageError("capture: \(output) exists; try: --force")
    }
    let recorder: Recorder
    do throws(CaptureError) {
      recorder = try Recorder(path: output, limit: frames)
    } catch {
      throw UsageError("capture: \(error)")
    }
    StopSignals.catchAll { recorder.end() }
    let log = Logger.feeder(.text)
    let start = cursor
    var configuration = RelayClient.Configuration(hosts: relayHost)
    configuration.userAgent = "osprey-feeder/\(OspreyFeeder.version)"
    let client: RelayClient
    do throws(NetworkError) {
      client = try RelayClient(
        configuration: configuration,
        events: RelayEvents(
          onFrame: { recorder.take($0, micros: $1) },
          onOversized: { bytes, _ in
            log.error("a message of \(bytes) bytes is over the limit and was not captured")
            return true
          },
          onText: { _, _ in
            log.error("a text message was not captured")
            return true
          },
          onState: { state in
            if case .disconnected(let host, let reason, _) = state {
              log.warning("disconnected from \(host): \(reason)")
            }
            if case .connected(_, let host) = state { log.info("connected to \(host)") }
          },
          cursor: { _ in recorder.count == 0 ? start : nil }))
    } catch {
      throw UsageError("capture: \(error)")
    }
    client.start()
    recorder.wait(seconds: seconds) { count in Console.show("\(count) frames") }
    client.stop()
    Console.show("")
    do throws(CaptureError) {
      try recorder.close()
    } catch {
      throw Failure("capture: \(error)")
    }
    Console.write("\(recorder.count) frames in \(output)\n")
  }
}

/// Takes frames on the client's thread and writes them.
final class Recorder: @unchecked Sendable {
  // Unchecked: `writer` is used by the client's thread, and by the owner after the client has stopped.
  private let writer: CaptureWriter
  private let limit: Int
  private let taken = Atomic<Int>(0)
  private let ended = DispatchSemaphore(value: 0)
  private var problem: CaptureError?

  init(path: String, limit: Int?) throws(CaptureError) {
    writer = try CaptureWriter(path: path, times: true)
    self.limit = limit ?? .max
  }

  var count: Int { taken.load(ordering: .relaxed) }

  func end() { ended.signal() }

  /// Always takes the frame; after the limit or a failure it is passed over.
  func take(_ frame: UnsafeRawBufferPointer, micros: Int64) -> Bool {
    guard count < limit, problem == nil else { return true }
    do throws(CaptureError) {
      try writer.write(frame, receivedAt: UInt64(micros))
      taken.add(1, ordering: .relaxed)
    } catch {
      problem = error
    }
    if count == limit || problem != nil { end() }
    return true
  }

  func wait(seconds: Int?, _ tick: (Int) -> Void) {
    let deadline = seconds.map { DispatchTime.now() + .seconds($0) } ?? .distantFuture
    while ended.wait(timeout: min(deadline, .now() + .seconds(1))) == .timedOut {
      tick(count)
      if DispatchTime.now() >= deadline { return }
    }
  }

  func close() throws(CaptureError) {
    if let problem { throw problem }
    try writer.close()
  }
}
