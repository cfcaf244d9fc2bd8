import ATProto
import Foundation
import Rules

/// What the rules remember, as it was when the judge had seen exactly the frames up to where `stream` stands.
struct StateSnapshot: Sendable {
  var stream: StreamSnapshot
  /// What the rules wrote of themselves.
  var rules: RuleSnapshot
}

/// What is wrong with the folder of snapshots, and what to do about it.
struct StateError: Error, CustomStringConvertible {
  let description: String
}

/// The snapshots of one feeder in a folder, one file each.
///
/// A snapshot is valid only once the cursor has passed its positions: frames behind it that Kafka has not acknowledged would
/// otherwise be in the state and not in the topics (DESIGN.md decision 7). So several are kept, and the newest one the saved
/// cursor has passed counts.
struct StateStore: Sendable {
  private static let magic = Array("osprey-feeder state 1".utf8)
  private static let suffix = ".state"
  /// A position for each host makes a header longer; nobody reads from a thousand.
  private static let headerBytesMax = 1 << 18

  private let folder: String
  private let prefix: String

  /// - Parameters:
  ///   - folder: made if it is not there.
  ///   - name: the cursor's name; several feeders may share a folder.
  init(folder: String, name: String) throws(StateError) {
    self.folder = folder
    prefix =
      name.utf8.map { byte in
        let isPlain = (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
        return isPlain || byte == 0x2e || byte == 0x5f
          ? String(UnicodeScalar(byte)) : "%" + String(Int(byte) + 0x100, radix: 16).dropFirst()
      }.joined() + "-"
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw StateError(description: "the state folder \(folder) cannot be made: \(error.localizedDescription)")
    }
    guard access(folder, W_OK | R_OK | X_OK) == 0 else {
      throw StateError(description: "the state folder \(folder) is not writable: \(String(cString: strerror(errno)))")
    }
  }

  private struct Header: Codable {
    struct Position: Codable {
      var host: String
      var seq: Int64
      var mark: UInt64?
    }
    var clock_ms: Int64?
    var positions: [Position]
  }

  /// The snapshots, newest first.
  private func files() throws(StateError) -> [(number: Int, path: String)] {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      throw StateError(description: "the state folder \(folder) cannot be read: \(error.localizedDescription)")
    }
    return names.compactMap { name in
      guard name.hasPrefix(prefix), name.hasSuffix(Self.suffix),
        let number = Int(name.dropFirst(prefix.count).dropLast(Self.suffix.count))
      else { return nil }
      return (number, folder + "/" + name)
    }.sorted { $0.number > $1.number }
  }

  private static func digest(_ line: Data) -> String { withBytes(Array(line)) { SHA256Digest.hex($0) } }

  /// The newest snapshot that the cursors have passed; nil where there is none.
  func newest(passedBy cursors: [Cursor]) throws(StateError) -> StateSnapshot? {
    for (_, path) in try files() {
      let (header, start) = try self.header(path)
      guard Self.isPassed(header, by: cursors) else { continue }
      let bytes = FileManager.default.contents(atPath: path).map { Array($0.dropFirst(start)) } ?? []
      let rules: RuleSnapshot
      do throws(SnapshotError) {
        rules = try RuleSnapshot(bytes)
      } catch {
        throw StateError(description: "the state file \(path): \(error)")
      }
      return StateSnapshot(
        stream: StreamSnapshot(
          clockMs: header.clock_ms,
          positions: header.positions.map { .init(host: $0.host, sequence: $0.seq, mark: $0.mark) }), rules: rules)
    }
    return nil
  }

  private static func isPassed(_ header: Header, by cursors: [Cursor]) -> Bool {
    header.positions.allSatisfy { position in
      cursors.contains { $0.host == position.host && $0.sequence >= position.seq }
    }
  }

  private static func damaged(_ path: String) -> StateError {
    StateError(description: "the state file \(path) is damaged; try: remove it to begin at an older one or without")
  }

  /// What a file says of itself, and where its payload begins.
  private func header(_ path: String) throws(StateError) -> (Header, start: Int) {
    guard let file = FileHandle(forReadingAtPath: path), let data = try? file.read(upToCount: Self.headerBytesMax)
    else {
      throw StateError(description: "the state file \(path) cannot be read; try: check its permissions")
    }
    let lines = data.split(separator: 0x0a, maxSplits: 3, omittingEmptySubsequences: false)
    guard lines.count == 4, Array(lines[0]) == Self.magic, lines[2].elementsEqual(Self.digest(lines[1]).utf8),
      let header = try? JSONDecoder().decode(Header.self, from: Data(lines[1]))
    else { throw Self.damaged(path) }
    return (header, lines[3].startIndex - data.startIndex)
  }

  /// Writes a snapshot, and removes those that are older than the newest one the saved cursors have passed.
  func write(_ snapshot: StateSnapshot, savedCursors: [Cursor]) throws(StateError) {
    let header = Header(
      clock_ms: snapshot.stream.clockMs,
      positions: snapshot.stream.positions.map { .init(host: $0.host, seq: $0.sequence, mark: $0.mark) })
    let before = try files()
    // Numbers only grow, whatever the clock on the wall does.
    let number = (before.first?.number ?? 0) + 1
    do {
      let line = try JSONEncoder().encode(header)
      try DurableFile.write(
        Self.magic + [0x0a] + line + [0x0a] + Self.digest(line).utf8 + [0x0a] + snapshot.rules.encoded(),
        to: "\(folder)/\(prefix)\(number)\(Self.suffix)")
    } catch let error as DurableFile.Failure {
      throw StateError(description: "the state cannot be saved: cannot \(error.step): \(error.reason)")
    } catch {
      throw StateError(description: "the state cannot be saved: \(error)")
    }
    var isOlder = false
    for (_, path) in before {
      if isOlder {
        unlink(path)
      } else {
        isOlder = Self.isPassed(try self.header(path).0, by: savedCursors)
      }
    }
  }
}
