import ATProto
import Kafka
import Osprey
import Rules
import Synchronization

/// The one thread that sees events in stream order: runs the rules, writes verdicts and dead letters, and hands every
/// message of a frame to Kafka (DESIGN.md decision 1).
final class Judge {
  /// What the judge sends to.
  struct Output {
    var producer: Producer
    var actions: TopicHandle
    var verdicts: TopicHandle
    var deadLetters: TopicHandle
  }

  private let ring: FrameRing
  private let output: Output
  private let tracker: Tracker
  private let metrics: FeederMetrics
  private let hosts: HostTable
  private let moderation: Moderation
  private let letterWriter: DeadLetterWriter
  private let state: StateKeeper?
  private var stream: ActionStream
  private let verdicts = ByteWriter(capacity: 1 << 14)
  /// For each pending action its verdict in `verdicts`; empty for none.
  private var verdictSlices: [Slice] = []
  private let letter = ByteWriter(capacity: 1 << 14)
  /// Why the producer takes no more, once it does not.
  private(set) var failure: SendResult?

  /// - Parameters:
  ///   - stream: where the stream stands at the start.
  ///   - state: who takes snapshots of what the rules remember; nil for nobody.
  init(
    ring: FrameRing, output: Output, tracker: Tracker, metrics: FeederMetrics, hosts: HostTable,
    moderation: Moderation, letterWriter: DeadLetterWriter, stream: ActionStream, state: StateKeeper?
  ) {
    self.ring = ring
    self.output = output
    self.tracker = tracker
    self.metrics = metrics
    self.hosts = hosts
    self.moderation = moderation
    self.letterWriter = letterWriter
    self.stream = stream
    self.state = state
  }

  /// Judges until the ring is closed and empty, or the producer fails.
  func run() {
    while let range = ring.takeReady() {
      var done = range.lowerBound
      while done < range.upperBound, failure == nil, step(ring.slot(done)) { done += 1 }
      metrics.judgeBusyNanos.set(Int(Now.threadCPUNanos()))
      ring.release(range.lowerBound..<done)
      if failure != nil { return }
      if let state, state.isDue { state.offer(snapshot()) }
    }
  }

  /// What the rules remember, and after which frames. The judge's thread, or after its end.
  func snapshot() -> StateSnapshot {
    StateSnapshot(stream: stream.snapshot, rules: moderation.snapshot())
  }

  /// The frame of the cursor that a capture should have had and has not; nil where all is well. After the end.
  var missingCursor: Int64? { stream.resumesAfter }

  /// One decoded frame: is it new, what time is it, what do the rules say, and off to Kafka.
  ///
  /// False where the frame stays in the ring because the tracker takes no more; every other frame is the tracker's from here.
  func step(_ slot: FrameSlot) -> Bool {
    guard let place = stream.place(slot) else {
      metrics.frames[FeederMetrics.skipLabel(.repeated)].add()
      return true
    }
    if place.isReset { metrics.sequenceResets.add() }
    moderation.refresh()
    let hits = judge(slot, clockMs: place.clockMs)
    let needsLetter = slot.decoded.outcome == .reject || slot.decoded.outcome == .partial
    metrics.count(slot.decoded)
    guard
      let token = tracker.begin(
        host: stream.host, sequence: slot.decoded.sequence, timeMs: slot.decoded.timeMs, isReset: place.isReset,
        messages: slot.pending.count + hits + (needsLetter ? 1 : 0), label: FeederMetrics.frameLabel(slot.decoded),
        receivedAtMicros: slot.receivedAtMicros)
    else {
      failure = .closed
      return false
    }
    send(slot, token)
    if needsLetter { sendLetter(slot, token) }
    if slot.decoded.sequence > 0 {
      stream.progress?.judged.store(slot.decoded.sequence, ordering: .releasing)
      metrics.lastSequence.set(Int(slot.decoded.sequence))
      if let timeMs = slot.decoded.timeMs { metrics.lastTimeMs.set(Int(timeMs)) }
    }
    return true
  }

  /// Runs the rules over every action of the frame; returns how many verdicts there are.
  private func judge(_ slot: FrameSlot, clockMs: Int64) -> Int {
    verdicts.removeAll()
    verdictSlices.removeAll(keepingCapacity: true)
    var hits = 0
    for pending in slot.pending {
      let action = ActionStream.action(slot, pending, clockMs: clockMs)
      metrics.actions[Int(action.name.rawValue)].add()
      metrics.collections.add(action.name, action.collection)
      let start = verdicts.count
      if moderation.judge(action, to: verdicts) { hits += 1 }
      verdictSlices.append(Slice(offset: start, count: verdicts.count - start))
    }
    return hits
  }

  private let unknownKey = Bytes("<unknown>")

  private func send(_ slot: FrameSlot, _ token: UInt64) {
    guard !slot.pending.isEmpty else { return }
    let did = slot.bytes[slot.decoded.did]
    let key = did.isEmpty ? unknownKey : did
    for (index, pending) in slot.pending.enumerated() {
      send(output.actions, key, slot.actions[pending.written.message], slot, token)
      if verdictSlices[index].count > 0 {
        metrics.verdicts.add()
        send(output.verdicts, key, verdicts[verdictSlices[index]], slot, token)
      }
    }
  }

  private func sendLetter(_ slot: FrameSlot, _ token: UInt64) {
    letter.removeAll()
    letterWriter.write(slot, host: hosts[stream.host].name, to: letter)
    let did = slot.bytes[slot.decoded.did]
    send(output.deadLetters, did.isEmpty ? unknownKey : did, letter.bytes, slot, token)
    letter.shrink(to: 1 << 20)
    metrics.deadLetters.add()
  }

  /// Hands one message over, waiting for room as long as it takes.
  private func send(_ topic: TopicHandle, _ key: Bytes, _ value: Bytes, _ slot: FrameSlot, _ token: UInt64) {
    guard failure == nil else { return }
    let result = output.producer.sendWhenRoom(
      topic, key: key.raw, value: value.raw, timestampMs: max(1, slot.receivedAtMicros / 1000), token: token,
      timeoutMs: -1)
    if result != .queued { failure = result }
  }
}
