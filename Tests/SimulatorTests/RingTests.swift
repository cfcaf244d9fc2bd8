import ATProto
import Foundation
import Signatures
import Testing

@testable import Simulator

@Suite struct RingTests {
  private static let frames = 1_100
  private static let firstSeq: Int64 = 50_000_000_000
  private static let firstTime: UInt64 = 1_800_000_000_123_000

  private func open(_ path: String, seed: UInt64 = 5) throws -> Ring {
    try Ring.open(
      path: path, configuration: SimulatorConfiguration(seed: seed, accounts: 100, repositoryPercent: 2),
      frames: Self.frames,
      firstSeq: Self.firstSeq, firstTime: Self.firstTime, eventsPerSecond: 250)
  }

  private func withRing(_ body: (Ring, String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("ring-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }  // A left-over file harms nobody.
    try body(open(path), path)
  }

  @Test func `a ring gives valid frames with fresh seq and time, round after round`() throws {
    try withRing { ring, _ in
      var options = DecodeOptions()
      options.verifyAllBlocks = true
      let decoder = FrameDecoder(options: options)
      var decoded = DecodedFrame()
      var frame: [UInt8] = []
      var checker = CommitSignature()
      let directory = SimulatedDirectory(SimulatorConfiguration(seed: 5, accounts: 100, repositoryPercent: 2))
      for number in stride(from: 0, to: 3 * Self.frames, by: 7) {
        let seq = Self.firstSeq + Int64(number)
        ring.frame(seq: seq, into: &frame)
        withBytes(frame) { decoder.decode($0, into: &decoded) }
        #expect(decoded.outcome == .accept || decoded.outcome == .skip)
        #expect(decoded.sequence == seq)
        #expect(decoded.timeMs == Int64(Self.firstTime / 1_000) + Int64(number) * 4)
        guard decoded.type == .commit else { continue }
        let did = String(decoding: frame[decoded.did.offset..<decoded.did.offset + decoded.did.count], as: UTF8.self)
        let account = try #require(directory.accounts.account(did: did))
        let key = try VerifyingKey(directory.accounts.signingKey(account).publicKey)
        let start = decoded.commitBlock.offset
        let block = Array(frame[start..<start + decoded.commitBlock.count])
        try checker.verify(commit: block, with: key)
      }
    }
  }

  @Test func `a ring has the frames and the truth of its world, in order`() throws {
    try withRing { ring, _ in
      let world = World(SimulatorConfiguration(seed: 5, accounts: 100, repositoryPercent: 2))
      var expected: [UInt8] = []
      var frame: [UInt8] = []
      var truthLines = 0
      for number in 0..<Self.frames {
        let info = world.next(into: &expected)
        let seq = Self.firstSeq + Int64(number)
        ring.frame(seq: seq, into: &frame)
        #expect(frame.count == expected.count)
        frame.replaceSubrange(info.seqOffset..<info.seqOffset + 8, with: expected[info.seqOffset..<info.seqOffset + 8])
        frame.replaceSubrange(
          info.timeOffset..<info.timeOffset + 24, with: expected[info.timeOffset..<info.timeOffset + 24])
        #expect(frame == expected)
        let truth = ring.truth(seq: seq)
        #expect(truth.map(\.uri) == info.truth.map(\.uri))
        #expect(truth.allSatisfy { $0.seq == seq })
        truthLines += truth.count
      }
      #expect(truthLines > 0)
    }
  }

  @Test func `a ring is reused, and rebuilt when it was made from something else or is damaged`() throws {
    try withRing { _, path in
      func inode() throws -> Int? { try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int }
      let first = try inode()
      _ = try open(path)
      #expect(try inode() == first)
      #expect(throws: Ring.Problem.mismatch(path: path)) {
        try Ring(
          path: path, configuration: SimulatorConfiguration(seed: 6, accounts: 100, repositoryPercent: 2),
          frames: Self.frames,
          firstSeq: Self.firstSeq, firstTime: 0, eventsPerSecond: 1)
      }
      let whole = try Data(contentsOf: URL(fileURLWithPath: path))
      try whole.dropLast(1_000).write(to: URL(fileURLWithPath: path))
      let rebuilt = try open(path)
      #expect(rebuilt.count == Self.frames)
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == whole)
    }
  }
}
