import ATProto
import Foundation
import Osprey
import Testing

private let data = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared/data")
private let vectors = FileManager.default.fileExists(atPath: data.path)
private let missing: Comment = "the folder ../shared/data with the test vectors is not here"

private func lines(_ path: String) throws -> [String] {
  String(decoding: try Data(contentsOf: data.appendingPathComponent(path)), as: UTF8.self)
    .split(separator: "\n").map(String.init)
}

/// Every message of a file of frames, with the two clock fields set to those of the expected files.
private func messages(_ path: String, _ shape: ActionShape) throws -> [String] {
  let bytes = [UInt8](try Data(contentsOf: data.appendingPathComponent(path)))
  var options = DecodeOptions()
  options.escaping = .html
  options.verifyAllBlocks = true
  let decoder = FrameDecoder(options: options)
  let writer = ActionWriter(shape: shape, escaping: .html)
  var decoded = DecodedFrame()
  let out = ByteWriter()
  var messages: [String] = []
  var at = 0
  while at < bytes.count {
    let count = (0..<4).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
    withBytes(Array(bytes[at + 4..<at + 4 + count])) { frame in
      decoder.decode(frame, into: &decoded)
      for index in 0..<max(decoded.operations.count, 1)
      where decoded.eventCount > 0 && (decoded.type != .commit || decoded.operations[index].dropped == nil) {
        out.removeAll()
        let written = writer.write(
          frame, decoded, operation: index, json: decoder.json, id: 1_783_175_954_000_000_000,
          receivedAtMicros: 1_783_175_954_000_000, to: out)
        messages.append(out[written.message].string)
      }
    }
    at += 4 + count
  }
  return messages
}

@Test(.enabled(if: vectors, missing))
func `real frames come out as at-kafka's bytes, but for the precision of send_time`() throws {
  let expected = try lines("atkafka/expected_osprey_none_000_099.jsonl").map {
    $0.replacingOccurrences(
      of: "\"send_time\":\"2026-07-04T14:39:14Z\"", with: "\"send_time\":\"2026-07-04T14:39:14.000000Z\"")
  }
  #expect(try messages("frames/frames_000_099.bin", .osprey) == expected)
}

@Test(.enabled(if: vectors, missing))
func `the standard shape is at-kafka's, byte for byte`() throws {
  let expected = try lines("atkafka/expected_standard_none_000_099.jsonl")
  #expect(try messages("frames/frames_000_099.bin", .standard) == expected)
}

@Test(
  .enabled(if: vectors, missing),
  arguments: [
    "account_lifecycle", "deactivation", "firehose_commit_4621317030", "firehose_commit_4623075231", "legacy",
    "post_lifecycle",
  ])
func `relay scenarios deliver what at-kafka's structs give`(name: String) throws {
  let expected = try lines("relay_scenarios/\(name).expected_atkafka_standard.jsonl")
  #expect(try messages("relay_scenarios/\(name).frames.bin", .standard) == expected)
}

@Test func `an action id carries the event's time above its place in the stream`() {
  let id = ActionID.make(ms: 1_783_175_888_085, sequence: 31_527_015_322, operation: 2)
  #expect(id >> 22 == 1_783_175_888_085 - 1_420_070_400_000)
  #expect(id & ((1 << 22) - 1) == (31_527_015_322 + 2 * 20_011) % (1 << 22))
}

@Test func `an action id stays positive where the time is absent or absurd`() {
  #expect(ActionID.make(ms: nil, sequence: 1 << 22, operation: 0) == 1 << 22)
  #expect(ActionID.make(ms: Int64.min, sequence: 5, operation: 0) == 1 << 22 | 5)
  #expect(ActionID.make(ms: Int64.max, sequence: 5, operation: 0) == ((1 << 41) - 1) << 22 | 5)
}
