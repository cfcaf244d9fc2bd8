import Network
import Testing

@testable import Simulator

/// The seqs a window holds, read back from its frames.
private func held(_ window: RelayWindow) -> [UInt8] {
  var seqs: [UInt8] = []
  for place in window.oldest..<window.head {
    var batch = FrameBuffer(capacity: 100)
    window.write(place, into: &batch)
    batch.withLastMessage { payload in
      seqs.append(payload[0])
      #expect(payload.allSatisfy { $0 == payload[0] })
    }
    #expect(window.seq(at: place) == Int64(seqs.last!))
  }
  return seqs
}

@Suite struct RelayWindowTests {
  /// Frames of 1 to 40 bytes, each full of its seq; only even seqs, so that there are gaps.
  private func generated(frames: Int, bytes: Int, limit: Int? = nil) -> RelayWindow {
    var seq: Int64 = 0
    return RelayWindow(
      source: .generated { frame in
        guard seq < 200 else { return nil }
        seq += 2
        frame.append([UInt8](repeating: UInt8(seq), count: 1 + Int(seq * 7) % 40))
        return seq
      }, framesMax: frames, bytesMax: bytes, limit: limit)
  }

  @Test func `a window keeps the newest frames within its bounds of number and bytes`() {
    for (frames, bytes) in [(5, 10_000), (1, 10_000), (1000, 100), (7, 120), (1000, 40)] {
      let window = generated(frames: frames, bytes: bytes)
      var made: [UInt8] = []
      for _ in 0..<100 {
        #expect(window.produce(1) == 1)
        made.append(UInt8(made.count * 2 + 2))
        let kept = held(window)
        #expect(kept == Array(made.suffix(kept.count)))
        #expect(!kept.isEmpty && kept.count <= frames)
        #expect(window.bytes(from: window.oldest) <= bytes)
        #expect(window.lastEvictedSeq == (kept.count == made.count ? 1 : Int64(kept[0]) - 2))
      }
      #expect(window.produce(1) == 0 && window.isExhausted)
    }
  }

  @Test func `a seq leads to the first held frame at or after it`() {
    let window = generated(frames: 10, bytes: 10_000)
    #expect(window.headSeq == nil)
    #expect(window.produce(20) == 20)
    #expect(window.headSeq == 40)
    #expect(window.seq(at: window.place(atOrAfter: 30)) == 30)
    #expect(window.seq(at: window.place(atOrAfter: 31)) == 32)
    #expect(window.place(atOrAfter: 1) == window.oldest)
    #expect(window.place(atOrAfter: 41) == window.head)
  }

  @Test func `computed frames need no storage and follow the same rules`() {
    let window = RelayWindow(
      source: .computed(firstSeq: 100) { seq, frame in frame.append([UInt8(seq)]) }, framesMax: 10, bytesMax: 1,
      limit: 50)
    #expect(window.produce(30) == 30)
    #expect(held(window) == Array(120...129))
    #expect(window.lastEvictedSeq == 119)
    #expect(window.place(atOrAfter: 125) == window.head - 5)
    #expect(!window.isExhausted)
    #expect(window.produce(30) == 20)
    #expect(window.isExhausted && window.headSeq == 149)
  }

  @Test func `info and error frames are the DAG-CBOR of the specification`() {
    let info = RelayMessages.info(name: "OutdatedCursor", message: "m")
    #expect(
      info == [0xA2, 0x61, 0x74, 0x65] + Array("#info".utf8) + [0x62, 0x6F, 0x70, 0x01, 0xA2, 0x64] + Array("name".utf8)
        + [0x6E] + Array("OutdatedCursor".utf8) + [0x67] + Array("message".utf8) + [0x61, 0x6D])
    let error = RelayMessages.error("FutureCursor", message: String(repeating: "x", count: 30))
    #expect(
      error == [0xA1, 0x62, 0x6F, 0x70, 0x20, 0xA2, 0x65] + Array("error".utf8) + [0x6C] + Array("FutureCursor".utf8)
        + [0x67] + Array("message".utf8) + [0x78, 30] + Array(repeating: UInt8(ascii: "x"), count: 30))
  }
}
