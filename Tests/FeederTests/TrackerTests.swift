import Foundation
import Testing

@testable import Feeder

/// A tracker over one host, "relay", with a short way to begin frames.
private struct Bench {
  let hosts: HostTable
  let frames = LabelledCounters(["accept", "reject"])
  let latency = Histogram(boundsMicros: [1_000])
  let tracker: Tracker

  init(saved: Int64? = nil, capacity: Int = 1 << 10) {
    hosts = HostTable(
      saved: saved.map { [Cursor(host: "relay", sequence: $0, timeMs: nil)] } ?? [], start: .live)
    _ = hosts.host(named: "relay")
    tracker = Tracker(hosts: hosts, latency: latency, frames: frames, capacity: capacity)
  }

  func begin(_ sequence: Int64, messages: Int, isReset: Bool = false, label: Int = 0) -> UInt64 {
    tracker.begin(
      host: 0, sequence: sequence, timeMs: 1_000 * sequence, isReset: isReset, messages: messages, label: label,
      receivedAtMicros: 5) ?? .max
  }

  var cursor: Int64? { tracker.snapshot.first?.sequence }
}

@Suite struct TrackerTests {
  @Test func `the cursor never passes a frame with an unacknowledged message`() {
    let bench = Bench()
    let first = bench.begin(10, messages: 2)
    let second = bench.begin(11, messages: 1)
    bench.tracker.acknowledge([second], nowMicros: 10)
    #expect(bench.cursor == nil)
    bench.tracker.acknowledge([first], nowMicros: 10)
    #expect(bench.cursor == nil)
    bench.tracker.acknowledge([first], nowMicros: 10)
    #expect(bench.cursor == 11)
    #expect(bench.tracker.inFlight == (0, 0))
  }

  @Test func `acknowledgements in random order move the cursor to the last frame of the unbroken front`() {
    var random = SeededGenerator(seed: 7)
    for _ in 0..<50 {
      let bench = Bench()
      var tokens: [(token: UInt64, sequence: Int64)] = []
      for sequence in Int64(1)...60 {
        let messages = Int.random(in: 0...3, using: &random)
        let token = bench.begin(sequence, messages: messages)
        tokens += (0..<messages).map { _ in (token, sequence) }
      }
      tokens.shuffle(using: &random)
      while !tokens.isEmpty {
        let batch = (0..<min(tokens.count, Int.random(in: 1...9, using: &random))).map { _ in tokens.removeLast() }
        bench.tracker.acknowledge(batch.map(\.token), nowMicros: 9)
        let front = tokens.map(\.sequence).min().map { $0 - 1 } ?? 60
        #expect(bench.cursor ?? 0 == front)
      }
    }
  }

  @Test func `a frame without messages moves the cursor only when its turn comes`() {
    let bench = Bench()
    let first = bench.begin(1, messages: 1)
    _ = bench.begin(2, messages: 0)
    #expect(bench.cursor == nil)
    bench.tracker.acknowledge([first], nowMicros: 9)
    #expect(bench.cursor == 2)
  }

  @Test func `a frame without a sequence number holds the cursor back but does not move it`() {
    let bench = Bench(saved: 5)
    let rejected = bench.begin(0, messages: 1)
    let next = bench.begin(6, messages: 1)
    bench.tracker.acknowledge([next], nowMicros: 9)
    #expect(bench.cursor == 5)
    bench.tracker.acknowledge([rejected], nowMicros: 9)
    #expect(bench.cursor == 6)
  }

  @Test func `the cursor goes back only where the sequence was reset`() {
    let bench = Bench(saved: 100)
    bench.tracker.acknowledge([bench.begin(7, messages: 1)], nowMicros: 9)
    #expect(bench.cursor == 100)
    bench.tracker.acknowledge([bench.begin(8, messages: 1, isReset: true)], nowMicros: 9)
    #expect(bench.cursor == 8)
  }

  @Test func `a frame is counted under its outcome when its last message is acknowledged`() {
    let bench = Bench()
    let token = bench.begin(1, messages: 2, label: 1)
    bench.tracker.acknowledge([token], nowMicros: 9)
    #expect(bench.frames[1].count == 0)
    #expect(bench.tracker.inFlight == (1, 1))
    bench.tracker.acknowledge([token], nowMicros: 9)
    #expect(bench.frames[1].count == 1)
  }

  @Test func `a full tracker makes the judge wait for an acknowledgement`() {
    let bench = Bench(capacity: 2)
    let first = bench.begin(1, messages: 1)
    _ = bench.begin(2, messages: 1)
    let begun = Counter()
    let judge = OwnedThread("test") {
      _ = bench.begin(3, messages: 1)
      begun.add()
    }
    #expect(begun.count == 0)
    bench.tracker.acknowledge([first], nowMicros: 9)
    judge.join()
    #expect(begun.count == 1)
  }

  @Test func `a broken producer ends the wait`() {
    let bench = Bench(capacity: 1)
    _ = bench.begin(1, messages: 1)
    let judge = OwnedThread("test") { #expect(bench.begin(2, messages: 1) == .max) }
    bench.tracker.breakOff()
    judge.join()
    #expect(!bench.tracker.waitUntilDrained(milliseconds: 60_000))
  }

  @Test func `a save keeps the cursor of a host that was not met in this run`() {
    let other = Cursor(host: "other", sequence: 9, timeMs: nil)
    let hosts = HostTable(saved: [other], start: .live)
    _ = hosts.host(named: "relay")
    let tracker = Tracker(
      hosts: hosts, latency: Histogram(boundsMicros: [1]), frames: LabelledCounters(["accept"]), capacity: 4)
    let token = tracker.begin(
      host: 0, sequence: 3, timeMs: 5, isReset: false, messages: 1, label: 0, receivedAtMicros: 1)
    tracker.acknowledge([token ?? 0], nowMicros: 2)
    #expect(tracker.takeMoved() == [Cursor(host: "relay", sequence: 3, timeMs: 5), other])
  }

  @Test func `cursors are handed out for saving only when one has moved`() {
    let bench = Bench()
    #expect(bench.tracker.takeMoved() == nil)
    bench.tracker.acknowledge([bench.begin(3, messages: 1)], nowMicros: 9)
    #expect(bench.tracker.takeMoved() == [Cursor(host: "relay", sequence: 3, timeMs: 3_000)])
    #expect(bench.tracker.takeMoved() == nil)
  }
}

/// A small deterministic generator (SplitMix64), so that a failing test fails again.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
