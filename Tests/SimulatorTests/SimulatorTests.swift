import ATProto
import Signatures
import Testing

@testable import Simulator

/// A small network that every test may use.
private func smallWorld(seed: UInt64 = 7, malformed: Int = 0) -> World {
  World(SimulatorConfiguration(seed: seed, accounts: 400, malformedPerMillion: malformed, eventsPerSecond: 200))
}

@Suite struct StreamTests {
  @Test func `every frame of a healthy network decodes without a complaint, down to the last block`() {
    let world = smallWorld()
    var options = DecodeOptions()
    options.verifyAllBlocks = true
    options.strictCBOR = true
    options.emitSync = true
    let decoder = FrameDecoder(options: options)
    var decoded = DecodedFrame()
    var frame: [UInt8] = []
    for number in 0..<3_000 {
      let info = world.next(into: &frame)
      withBytes(frame) { decoder.decode($0, into: &decoded) }
      let isEmpty = decoded.outcome == .skip && decoded.skipped == .noOperations
      #expect(
        decoded.outcome == .accept || isEmpty, "frame \(number): \(String(describing: decoded.reason)) \(info.kind)")
      #expect(decoded.sequence == info.seq)
      #expect(decoded.defects == [])
      #expect(decoded.operations.allSatisfy { $0.dropped == nil && $0.recordError == nil })
    }
  }
}
