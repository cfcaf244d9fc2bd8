import ATProto
import FrameKit
import Osprey
import Testing

@testable import Feeder

/// What a worker makes of one frame.
private func work(_ frame: [UInt8]) -> FrameSlot {
  let settings = WorkerSettings(
    decode: DecodeOptions(), shape: .osprey, withPosition: false, epochMs: ActionID.defaultEpochMs,
    messageBytesMax: 1_000_000)
  let slot = FrameSlot()
  frame.withUnsafeBytes { slot.fill(.frame, $0, receivedAtMicros: 1_783_175_888_000_000, connection: 0) }
  Worker(ring: FrameRing(capacity: 1), settings: settings).decode(slot)
  return slot
}

/// Creates that all name one record, whose block stands in the frame once.
private func creates(_ count: Int, of record: [UInt8]) -> [UInt8] {
  CommitFrame((0..<count).map { Op("create", "app.bsky.feed.post/copy\($0 + 100)", record) }).encoded
}

@Suite struct WorkerTests {
  @Test func `a frame whose operations share one large record does not swell into messages without bound`() throws {
    let text = String(repeating: "x", count: 20_000)
    let record = Item.map([("$type", .text("app.bsky.feed.post")), ("text", .text(text))]).encoded
    let frame = creates(200, of: record)
    let slot = work(frame)
    // 200 copies of 20 KB would be 4 MB.
    #expect(frame.count < 150_000)
    // 256 KiB and eight times the frame; then every action without its record, of less than 1 KB.
    #expect(slot.actions.count < 8 * frame.count + (256 << 10) + 200 * 1_000)
    #expect(slot.pending.count == 200, "every operation is an action")
    let bare = slot.decoded.operations.filter { $0.recordError == .tooLarge }.count
    #expect(bare > 50 && bare < 200)
    #expect(slot.decoded.outcome == .partial, "the whole frame goes to the dead letters")
    for (pending, operation) in zip(slot.pending, slot.decoded.operations) {
      let message = slot.actions[pending.written.message].string
      #expect(message.contains("\"record_error\":\"too_large\"") == (operation.recordError != nil))
      #expect(message.contains(text) == (operation.recordError == nil))
      #expect(operation.dropped == nil && !operation.record.isEmpty, "the rules still see the record")
    }
  }

  @Test func `a frame of many small records is delivered whole`() {
    let slot = work(creates(200, of: CommitFrame.post))
    #expect(slot.decoded.outcome == .accept && slot.pending.count == 200)
  }
}
