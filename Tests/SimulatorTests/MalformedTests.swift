import ATProto
import Testing

@testable import Simulator

@Suite struct MalformedTests {
  private let world = World(
    SimulatorConfiguration(seed: 11, accounts: 100, malformedPerMillion: 300_000, repositoryPercent: 2))

  @Test func `each kind of damage is judged as the truth says`() throws {
    let decoder = FrameDecoder(options: DecodeOptions())
    var decoded = DecodedFrame()
    for kind in MalformedKind.allCases {
      var draft = FrameDraft()
      draft.info.seq = 1 << 33
      draft.info.time = world.configuration.startTime
      world.malformed(kind, into: &draft)
      withBytes(draft.bytes) { decoder.decode($0, into: &decoded) }
      let expected = try #require(draft.info.truth.first?.expectation)
      // A rejected frame has one reason; what its operations say is part of that.
      if decoded.outcome == .reject { decoded.operations.removeAll() }
      var reasons = [decoded.reason?.rawValue, decoded.skipped?.rawValue].compactMap { $0 }
      reasons += decoded.operations.compactMap { $0.dropped?.rawValue ?? $0.recordError?.rawValue }
      for (bit, name) in Defects.names.enumerated() where decoded.defects.contains(Defects(rawValue: 1 << UInt16(bit)))
      {
        reasons.append(name)
      }
      #expect(decoded.outcome.rawValue == expected.outcome, "\(kind): \(reasons)")
      // The decoder knows no clock and no keys.
      if kind != .clockSkew, kind != .badSignature {
        #expect(reasons == [expected.reason ?? ""], "\(kind)")
      } else {
        #expect(reasons == [])
      }
    }
  }

  @Test func `damaged frames come between the same healthy ones`() {
    let healthy = World(SimulatorConfiguration(seed: 11, accounts: 100, repositoryPercent: 2))
    var damagedCount = 0
    var expected: [String] = []
    var seen: [String] = []
    var draft = FrameDraft()
    for _ in 0..<300 {
      healthy.draft(into: &draft)
      if draft.info.kind == .commit { expected.append("\(draft.info.account)") }
      world.draft(into: &draft)
      if draft.info.kind == .malformed { damagedCount += 1 }
      if draft.info.kind == .commit { seen.append("\(draft.info.account)") }
    }
    #expect((50...130).contains(damagedCount))
    // Plays move with the clock; until the first one starts the two networks do the same.
    #expect(Array(expected.prefix(100)) == Array(seen.prefix(100)))
  }

  @Test func `the truth of a damaged frame says what to expect`() {
    var draft = FrameDraft()
    world.malformed(.badPath, into: &draft)
    #expect(draft.info.truth[0].json.hasSuffix(#""kind":"badPath","outcome":"partial","reason":"bad_path"}"#))
  }
}
