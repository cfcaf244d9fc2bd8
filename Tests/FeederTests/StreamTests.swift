import ATProto
import Osprey
import Testing

@testable import Feeder

@Suite struct StreamTests {
  @Test func `the stream clock follows event times and never goes back`() {
    var clock = StreamClock()
    #expect(clock.tick(timeMs: 1_000_000, startMs: 1_000_500) == (1_000_000, false))
    #expect(clock.nowMs == 1_000_500)
    #expect(clock.tick(timeMs: 1_020_000, startMs: 0) == (1_020_000, false))
    #expect(clock.tick(timeMs: 1_010_000, startMs: 0) == (1_010_000, false))
    #expect(clock.nowMs == 1_020_000)
  }

  @Test func `an event far from the stream clock gets the clock's time and moves it a minute at most`() {
    var clock = StreamClock()
    _ = clock.tick(timeMs: 10_000_000, startMs: 10_000_000)
    #expect(clock.tick(timeMs: 99_000_000, startMs: 0) == (10_060_000, true))
    #expect(clock.tick(timeMs: 1, startMs: 0) == (10_060_000, true))
    #expect(clock.tick(timeMs: nil, startMs: 0) == (10_060_000, false))
  }

  @Test func `only the same sequence number, DID and rev make a frame a repeat`() {
    var seen = SeenFrames(capacity: 16)
    let alice = Bytes("did:plc:alice")
    let bob = Bytes("did:plc:bob")
    let answers = [
      seen.insert(sequence: 7, did: alice, revTID: 1), seen.insert(sequence: 7, did: alice, revTID: 1),
      seen.insert(sequence: 7, did: bob, revTID: 1), seen.insert(sequence: 7, did: bob, revTID: 2),
      seen.insert(sequence: 8, did: bob, revTID: 2), seen.insert(sequence: 8, did: bob, revTID: 2),
    ]
    #expect(answers == [false, true, false, false, false, true])
  }

  @Test func `a hundred frames below the cursor after a connect mean a new sequence`() {
    var watch = SequenceWatch()
    watch.connected(requested: 1_000, sameHost: false)
    let resets = (1...150).filter { watch.isReset(sequence: Int64($0), timeMs: nil) }
    #expect(resets == [100])
  }

  @Test func `one frame at the cursor proves the old sequence`() {
    var watch = SequenceWatch()
    watch.connected(requested: 1_000, sameHost: false)
    let before = (1...99).filter { watch.isReset(sequence: Int64($0), timeMs: nil) }
    let at = watch.isReset(sequence: 1_000, timeMs: nil)
    let after = (1...300).filter { watch.isReset(sequence: Int64($0), timeMs: nil) }
    #expect(before.isEmpty && !at && after.isEmpty)
  }

  @Test func `a lower number with a time past the cursor's by over a minute means a new sequence`() {
    var watch = SequenceWatch()
    watch.connected(requested: -1, sameHost: false)
    let first = watch.isReset(sequence: 500, timeMs: 100_000)
    let late = watch.isReset(sequence: 400, timeMs: 160_000)
    let new = watch.isReset(sequence: 3, timeMs: 160_001)
    let next = watch.isReset(sequence: 4, timeMs: 160_002)
    #expect([first, late, new, next] == [false, false, true, false])
  }

  @Test func `collections after the sixty-fourth are counted as other`() {
    let counters = CollectionCounters()
    for number in 0..<70 {
      withBytes(Array("com.example.c\(number)".utf8)) { counters.add(.operationCreate, $0) }
    }
    counters.add(.identity, .empty)
    let rows = counters.snapshot
    #expect(rows.count == 66)
    #expect(rows.contains { $0 == ("operation#create", "other", 6) })
    #expect(rows.contains { $0 == ("identity", "", 1) })
  }
}
