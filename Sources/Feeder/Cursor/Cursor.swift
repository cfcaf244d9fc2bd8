import ATProto
import Foundation

/// How far one host's stream is safely in Kafka.
package struct Cursor: Equatable, Sendable {
  /// The host that gave the sequence number, as configured (also after a redirect).
  package var host: String
  package var sequence: Int64
  /// The frame's own time, milliseconds since 1970; nil where it had none.
  package var timeMs: Int64?

  package init(host: String, sequence: Int64, timeMs: Int64?) {
    self.host = host
    self.sequence = sequence
    self.timeMs = timeMs
  }

  /// The one line that stands in the file or the topic (CONTRACT.md, "Cursor").
  package func line(savedAtMicros: Int64) -> [UInt8] {
    let out = ByteWriter(capacity: 256)
    out.append("{\"v\":1,\"host\":")
    withBytes(Array(host.utf8)) { _ = out.append(jsonString: $0) }
    out.append(",\"seq\":")
    out.append(decimal: sequence)
    out.append(",\"time\":\"")
    if let timeMs { Timestamp.append(micros: timeMs * 1000, digits: 3, suffix: "Z", to: out) }
    out.append("\",\"saved_at\":\"")
    Timestamp.append(micros: savedAtMicros, digits: 3, suffix: "Z", to: out)
    out.append("\"}\n")
    return out.bytes.array
  }

  /// Reads such a line; nil where it is damaged.
  package init?(line: [UInt8]) {
    struct Line: Decodable {
      var v: Int
      var host: String
      var seq: Int64
      var time: String
    }
    guard let read = try? JSONDecoder().decode(Line.self, from: Data(line)), read.v == 1, read.seq >= 0,
      read.seq <= Limits.sequenceMax, !read.host.isEmpty
    else { return nil }
    self.init(
      host: read.host, sequence: read.seq, timeMs: withBytes(Array(read.time.utf8)) { Timestamp.milliseconds($0) })
  }
}

/// Where cursors are kept between runs.
package enum CursorStore: Equatable, Sendable {
  /// Nowhere: a restart begins at `--start`.
  case none
  case file(String)
  /// The compacted topic `osprey.feeder.cursor`.
  case kafka

  package static let topic = "osprey.feeder.cursor"

  /// Parses `none`, `kafka` or `file:PATH`.
  package init?(_ text: String) {
    if text == "none" {
      self = .none
    } else if text == "kafka" {
      self = .kafka
    } else if text.hasPrefix("file:"), text.count > 5 {
      self = .file(String(text.dropFirst(5)))
    } else {
      return nil
    }
  }
}

/// What is wrong with a saved cursor, and what to do about it.
package struct CursorError: Error, CustomStringConvertible {
  package let description: String
  /// True where the configuration or the file is at fault (exit 2), false where it could not be written (exit 1).
  package let isConfiguration: Bool
}

/// The cursor file: one line for each host, written to a temporary name, synced and renamed, so that a crash leaves the old
/// or the new content.
package enum CursorFile {
  /// The saved cursors; none where the file does not exist.
  package static func read(_ path: String) throws(CursorError) -> [Cursor] {
    guard let data = FileManager.default.contents(atPath: path) else {
      guard FileManager.default.fileExists(atPath: path) else { return [] }
      throw CursorError(
        description: "cursor file \(path) cannot be read; try: check its permissions", isConfiguration: true)
    }
    var cursors: [Cursor] = []
    for line in data.split(separator: 0x0a) {
      guard let cursor = Cursor(line: Array(line)) else {
        throw CursorError(
          description: "cursor file \(path) is damaged; try: remove it and choose --start",
          isConfiguration: true)
      }
      cursors.append(cursor)
    }
    guard !cursors.isEmpty else {
      throw CursorError(
        description: "cursor file \(path) is empty; try: remove it and choose --start", isConfiguration: true)
    }
    return cursors
  }

  package static func write(_ cursors: [Cursor], to path: String, savedAtMicros: Int64) throws(CursorError) {
    var content: [UInt8] = []
    for cursor in cursors { content += cursor.line(savedAtMicros: savedAtMicros) }
    do throws(DurableFile.Failure) {
      try DurableFile.write(content, to: path)
    } catch {
      throw CursorError(
        description: "the cursor file \(path) cannot be saved: cannot \(error.step): \(error.reason)",
        isConfiguration: false)
    }
  }
}
