import Foundation
import Signatures

/// A ring's file: header, one index entry per frame, the frames, the ground truth as text. Numbers are little-endian.
enum RingLayout {
  static let magic: UInt64 = 0x3230_474e_4952_464f  // "OFRING02"
  static let headerBytes = 64
  static let entryBytes = 24
  /// Stands for an offset in frames that are not patched (malformed ones).
  static let unpatched = UInt32.max

  struct Header: Equatable {
    var magic: UInt64
    var frames: Int
    var bytes: Int
    var truthOffset: Int
    var configuration: Digest

    init(_ configuration: SimulatorConfiguration, frames: Int, bytes: Int, truth: Int) {
      magic = RingLayout.magic
      self.frames = frames
      self.bytes = bytes
      truthOffset = truth
      self.configuration = RingLayout.digest(configuration)
    }

    init(_ base: UnsafeRawPointer) {
      func word(_ index: Int) -> UInt64 {
        UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
      }
      magic = word(0)
      frames = Int(truncatingIfNeeded: word(1))
      bytes = Int(truncatingIfNeeded: word(2))
      truthOffset = Int(truncatingIfNeeded: word(3))
      configuration = Digest(copying: UnsafeRawBufferPointer(start: base + 32, count: 32))
    }

    var encoded: [UInt8] {
      var result: [UInt8] = []
      for word in [magic, UInt64(frames), UInt64(bytes), UInt64(truthOffset)] {
        withUnsafeBytes(of: word.littleEndian) { result.append(contentsOf: $0) }
      }
      return result + configuration.bytes
    }
  }

  struct Entry {
    var offset: UInt64
    var length: UInt32
    var seqOffset: UInt32
    var timeOffset: UInt32
  }

  static func entry(_ base: UnsafeRawPointer, _ index: Int) -> Entry {
    let start = headerBytes + index * entryBytes
    func number(_ offset: Int) -> UInt32 {
      UInt32(littleEndian: base.loadUnaligned(fromByteOffset: start + offset, as: UInt32.self))
    }
    return Entry(
      offset: UInt64(littleEndian: base.loadUnaligned(fromByteOffset: start, as: UInt64.self)), length: number(8),
      seqOffset: number(12), timeOffset: number(16))
  }

  static func append(_ entry: Entry, to index: inout [UInt8]) {
    withUnsafeBytes(of: entry.offset.littleEndian) { index.append(contentsOf: $0) }
    for number in [entry.length, entry.seqOffset, entry.timeOffset, 0] {
      withUnsafeBytes(of: number.littleEndian) { index.append(contentsOf: $0) }
    }
  }

  /// Whether every entry stays inside the file: checked once, so that replaying need not.
  static func isSound(_ base: UnsafeRawPointer, _ header: Header) -> Bool {
    let framesStart = headerBytes + header.frames * entryBytes
    guard header.frames > 0, framesStart <= header.truthOffset, header.truthOffset <= header.bytes else { return false }
    for index in 0..<header.frames {
      let entry = entry(base, index)
      guard entry.offset >= framesStart, entry.offset <= header.truthOffset,
        UInt64(entry.length) <= UInt64(header.truthOffset) - entry.offset
      else { return false }
      guard entry.seqOffset != unpatched else { continue }
      guard UInt64(entry.seqOffset) + 8 <= entry.length, UInt64(entry.timeOffset) + 24 <= entry.length else {
        return false
      }
    }
    return true
  }

  /// The truth's lines: frame number, campaign, DID, URI or `-`, parted by tabs.
  static func truth(_ text: UnsafeRawBufferPointer) -> [Int: [TruthEntry]] {
    var result: [Int: [TruthEntry]] = [:]
    for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
      let parts = line.split(separator: "\t").map(String.init)
      guard parts.count == 4, let number = Int(parts[0]) else { continue }
      result[number, default: []].append(
        TruthEntry(uri: parts[3] == "-" ? nil : parts[3], did: parts[2], campaign: parts[1], seq: 0))
    }
    return result
  }

  static func line(_ number: Int, _ entry: TruthEntry) -> String {
    "\(number)\t\(entry.campaign)\t\(entry.did)\t\(entry.uri ?? "-")\n"
  }

  /// Everything that decides about a ring's bytes.
  private static func digest(_ configuration: SimulatorConfiguration) -> Digest {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    var input = Array(
      """
      \(configuration.seed) \(configuration.accounts) \(configuration.malformedPerMillion) \(configuration.startSeq) \
      \(configuration.startTime) \(configuration.eventsPerSecond) \(configuration.repositoryPercent)
      """.utf8)
    do {
      input.append(contentsOf: try encoder.encode(configuration.campaigns))
    } catch {
      preconditionFailure("a plan has only texts and numbers: \(error)")
    }
    return Digest(sha256: input)
  }
}
