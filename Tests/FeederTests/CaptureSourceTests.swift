import ATProto
import Capture
import FrameKit
import Foundation
import Osprey
import Simulator
import Synchronization
import Testing

@testable import Feeder

/// What a trial saw of each action.
private final class Seen: ActionConsumer {
  struct Event: Equatable {
    var id: Int64
    var sequence: Int64
    var time: String
    var clockMs: Int64
    var receivedAtMicros: Int64
    var did: String
  }

  let events = Mutex<[Event]>([])

  func take(_ action: Action) -> Bool {
    let event = Event(
      id: action.id, sequence: action.sequence, time: action.time.string, clockMs: action.clockMs,
      receivedAtMicros: action.receivedAtMicros, did: action.did.string)
    events.withLock { $0.append(event) }
    return true
  }
}

@Suite(.serialized) struct CaptureSourceTests {
  private let folder: TemporaryFolder
  private var path: String { folder.path("a.frames") }

  init() throws { folder = try TemporaryFolder() }

  /// A capture of so many frames of the simulator, ten a second.
  private func capture(_ frames: Int, times: Bool = false) throws {
    let world = World(SimulatorConfiguration(seed: 3, accounts: 100, eventsPerSecond: 10))
    let writer = try CaptureWriter(path: path, times: times)
    var frame: [UInt8] = []
    for number in 0..<frames {
      _ = world.next(into: &frame)
      try writer.write(frame, receivedAt: 1_783_000_000_000_000 + UInt64(number) * 1_000)
    }
    try writer.close()
  }

  private func events(_ speed: CaptureSpeed = .max, isLoop: Bool = false, max: Int = .max) throws -> [Seen.Event] {
    var settings = TrialSettings()
    settings.workers = 2
    settings.actionsMax = max
    let metrics = FeederMetrics(workers: 2)
    let source = CaptureFileSource(path: path, speed: speed, isLoop: isLoop, metrics: metrics)
    let seen = Seen()
    #expect(Trial(settings: settings, source: source, metrics: metrics).run(seen, tickMs: 10) {} == .complete)
    return seen.events.withLock { $0 }
  }

  @Test func `each pass of a loop adds the file's span of seq and time, and its events are events of their own`() throws
  {
    try capture(80)
    let once = try events()
    let count = once.count
    let thrice = try events(isLoop: true, max: 3 * count)
    #expect(thrice.count == 3 * count && Array(thrice.prefix(count)) == once)
    // 80 frames, ten a second: 80 numbers, and 7.9 s from the first to the last.
    for (pass, number) in [(1, 0), (1, count - 1), (2, 0), (2, count / 2)] {
      let (first, again) = (once[number], thrice[pass * count + number])
      #expect(again.did == first.did && again.sequence == first.sequence + Int64(pass) * 80)
      #expect(again.clockMs == first.clockMs + Int64(pass) * 7_900)
      let ms = try #require(withBytes(Array(again.time.utf8)) { Timestamp.milliseconds($0) })
      #expect(ms == again.clockMs && again.receivedAtMicros == ms * 1000)
    }
    #expect(Set(thrice.map(\.id)).count == 3 * count)
    #expect(zip(thrice, thrice.dropFirst()).allSatisfy { $0.sequence <= $1.sequence && $0.clockMs <= $1.clockMs })
  }

  @Test func `a frame of a later pass says so in its message, and its dead letter is the frame as it was`() {
    let settings = WorkerSettings(
      decode: DecodeOptions(), shape: .osprey, withPosition: true, epochMs: ActionID.defaultEpochMs,
      messageBytesMax: 1_000_000)
    let frame = CommitFrame([
      Op("create", "app.bsky.feed.post/3kabc", CommitFrame.post), Op("create", "nothing", CommitFrame.post),
    ])
    .encoded
    func work(_ shift: FrameShift) -> (slot: FrameSlot, message: String, letter: String) {
      let slot = FrameSlot()
      frame.withUnsafeBytes { slot.fill(.frame, $0, receivedAtMicros: 0, connection: 0, shift: shift) }
      Worker(ring: FrameRing(capacity: 1), settings: settings).decode(slot)
      let letter = ByteWriter(capacity: 64)
      DeadLetterWriter(source: "capture", messageBytesMax: 1_000_000).write(slot, host: "h", to: letter)
      return (slot, slot.pending.first.map { slot.actions[$0.written.message].string } ?? "", letter.bytes.string)
    }
    let first = work(FrameShift())
    let later = work(FrameShift(sequence: 1_000, ms: 3_600_000))
    #expect(first.slot.decoded.outcome == .partial && later.slot.decoded.outcome == .partial)
    #expect(later.slot.decoded.sequence == first.slot.decoded.sequence + 1_000)
    #expect(later.message.contains("\"seq\":\(first.slot.decoded.sequence + 1_000)"), "\(later.message)")
    #expect(later.slot.decoded.timeMs == first.slot.decoded.timeMs.map { $0 + 3_600_000 })
    #expect(later.message.contains("\"timestamp\":\"\(later.slot.bytes[later.slot.decoded.time].string)\""))
    let base64 = "\"frame_base64\":"
    #expect(first.letter.components(separatedBy: base64)[1] == later.letter.components(separatedBy: base64)[1])
  }

  @Test func `frames come as they came, or so many times as fast`() throws {
    try capture(21)
    func seconds(_ speed: CaptureSpeed) throws -> Double {
      let start = ContinuousClock.now
      #expect(try events(speed).count >= 20)
      return start.duration(to: .now) / .seconds(1)
    }
    // Two seconds of stream. Upper bounds would only measure how busy the machine is.
    #expect(try seconds(.times(4)) >= 0.5)
    #expect(try seconds(.times(1)) >= 2)
    // Receive times count more than the events' own: here they are a millisecond apart.
    try capture(21, times: true)
    #expect(try seconds(.times(0.1)) >= 0.2)
  }

  @Test func `a loop at a given speed waits as long from the last frame to the first as the file says`() throws {
    try capture(11)
    let count = try events().count
    let start = ContinuousClock.now
    #expect(try events(.times(10), isLoop: true, max: 4 * count).count == 4 * count)
    #expect(start.duration(to: .now) >= .milliseconds(395))
  }

  @Test func `a wait for a frame that is far off ends when it is told to`() throws {
    try capture(200)
    let metrics = FeederMetrics(workers: 1)
    let source = CaptureFileSource(path: path, speed: .times(0.001), metrics: metrics)
    let trial = Trial(settings: TrialSettings(), source: source, metrics: metrics)
    let start = ContinuousClock.now
    #expect(trial.run(Seen(), tickMs: 10) { trial.stop() } == .stopped)
    #expect(start.duration(to: .now) < .seconds(30), "the second frame is due after a hundred seconds")
  }

  @Test func `a loop over a file without a frame ends`() throws {
    try Data().write(to: URL(fileURLWithPath: path))
    #expect(try events(isLoop: true).isEmpty)
  }

  @Test func `a loop over frames that cannot be read goes on until it is told to stop`() throws {
    let writer = try CaptureWriter(path: path)
    for frame in [[], [0xa1], [0xff, 0x00]] as [[UInt8]] { try writer.write(frame) }
    try writer.close()
    let metrics = FeederMetrics(workers: 1)
    let source = CaptureFileSource(path: path, isLoop: true, metrics: metrics)
    let trial = Trial(settings: TrialSettings(), source: source, metrics: metrics)
    #expect(trial.run(Seen(), tickMs: 10) { if metrics.undecodedFrames > 100 { trial.stop() } } == .stopped)
  }

  @Test(arguments: [
    ("max", CaptureSpeed.max), ("realtime", .times(1)), ("10x", .times(10)), ("0.5x", .times(0.5)),
  ])
  func `a speed is max, realtime or Nx`(text: String, speed: CaptureSpeed) { #expect(CaptureSpeed(text) == speed) }

  @Test(arguments: ["", "fast", "x", "0x", "-1x", "10", "nanx", "infx"])
  func `anything else is no speed`(text: String) { #expect(CaptureSpeed(text) == nil) }
}
