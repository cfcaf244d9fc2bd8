import Capture
import Foundation

/// Writes a simulated stretch of the firehose to files: frames, ground truth, directory.
package struct SimulationFiles: Sendable {
  /// The capture file; `.zst` is compressed.
  package var frames: String
  /// JSON lines, one per abusive event.
  package var truth: String?
  /// JSON lines, one per account.
  package var directory: String?

  /// Why the files could not be written.
  package enum Problem: Error, Sendable {
    case capture(CaptureError)
    case file(path: String, message: String)
  }

  /// What was written.
  package struct Summary: Sendable, Equatable {
    package var frames = 0
    package var bytes = 0
    package var truthLines = 0
  }

  package init(frames: String, truth: String? = nil, directory: String? = nil) {
    self.frames = frames
    self.truth = truth
    self.directory = directory
  }

  /// Writes `events` frames. `progress` is called now and then with the number of frames written.
  package func write(
    _ configuration: SimulatorConfiguration, events: Int, threads: Int = ProcessInfo.processInfo.activeProcessorCount,
    progress: (Int) -> Void = { _ in }
  ) throws(Problem) -> Summary {
    let world = World(configuration)
    if let directory { try Self.write(world.directory, to: directory) }
    var summary = Summary()
    var truthText: [UInt8] = []
    do throws(CaptureError) {
      let writer = try CaptureWriter(path: frames)
      try SigningPool(world, threads: threads).make(events) { (frame, info) throws(CaptureError) in
        try writer.write(frame)
        summary.frames += 1
        summary.bytes += frame.count
        for entry in info.truth {
          truthText.append(contentsOf: entry.json.utf8)
          truthText.append(UInt8(ascii: "\n"))
          summary.truthLines += 1
        }
        if summary.frames % 10_000 == 0 { progress(summary.frames) }
      }
      try writer.close()
    } catch {
      throw .capture(error)
    }
    if let truth { try Self.save(truthText, to: truth) }
    return summary
  }

  /// Writes the accounts as JSON lines, as they are at the start.
  package static func write(_ accounts: SimulatedDirectory, to path: String) throws(Problem) {
    try save(lines(accounts), to: path)
  }

  /// The accounts as JSON lines, as they are at the start.
  package static func lines(_ accounts: SimulatedDirectory) -> [UInt8] {
    var text: [UInt8] = []
    for number in 0..<accounts.count {
      text.append(contentsOf: accounts.line(number))
      text.append(UInt8(ascii: "\n"))
    }
    return text
  }

  private static func save(_ bytes: [UInt8], to path: String) throws(Problem) {
    do {
      try Data(bytes).write(to: URL(fileURLWithPath: path))
    } catch {
      throw .file(path: path, message: error.localizedDescription)
    }
  }
}
