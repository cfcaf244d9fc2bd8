import ATProto
import Foundation
import Kafka
import Logging
import Osprey
import Simulator
import Synchronization
import Testing

@testable import Feeder

extension Stage {
  fileprivate func run(_ frames: [[UInt8]]) throws -> (end: RunEnd, metrics: FeederMetrics) {
    let metrics = FeederMetrics(workers: settings.workers)
    let pipeline = try Pipeline(settings: settings, metrics: metrics, source: PacedSource(frames, metrics), log: log)
    return (pipeline.run(), metrics)
  }
}

/// What the decoder alone makes of the frames: (DID, message without its send time) of every action, in order.
private func expected(_ frames: [[UInt8]]) -> [(did: String, message: String)] {
  let decoder = FrameDecoder(options: DecodeOptions())
  let writer = ActionWriter(shape: .osprey)
  var decoded = DecodedFrame()
  let out = ByteWriter()
  var actions: [(String, String)] = []
  for frame in frames {
    withBytes(frame) { bytes in
      decoder.decode(bytes, into: &decoded)
      guard decoded.eventCount > 0 else { return }
      for index in decoded.type == .commit ? decoded.operations.indices : 0..<1
      where decoded.type != .commit || decoded.operations[index].dropped == nil {
        out.removeAll()
        let id = ActionID.make(ms: ActionID.milliseconds(decoded), sequence: decoded.sequence, operation: index)
        let written = writer.write(
          bytes, decoded, operation: index, json: decoder.json, id: id, receivedAtMicros: 1_783_175_888_000_000, to: out
        )
        actions.append((bytes[decoded.did].string, out[written.message].string))
      }
    }
  }
  return actions
}

private func frames(_ count: Int, malformedPerMillion: Int = 0) -> [[UInt8]] {
  let world = World(SimulatorConfiguration(seed: 3, accounts: 200, malformedPerMillion: malformedPerMillion))
  return (0..<count).map { _ in
    var frame: [UInt8] = []
    _ = world.next(into: &frame)
    return frame
  }
}

private let everyPost = """
  return rule {
    name = "EveryPost", about = "Every post.", actions = { "operation#create" },
    collections = { "app.bsky.feed.post" }, when = function(event) return true end,
    effects = { verdict "review" },
  }
  """

@Suite(.serialized) struct PipelineTests {
  @Test func `every event is in the actions topic once, in order per DID, and every frame is accounted for`() throws {
    let stage = try Stage(rule: everyPost)
    let frames = frames(3_000, malformedPerMillion: 50_000)
    let (end, metrics) = try stage.run(frames)
    guard case .drained = end else {
      Issue.record("\(end)")
      return
    }
    let wanted = expected(frames)
    let topic = try stage.read("osprey.actions_input", partitions: 4)
    #expect(topic.reduce(0) { $0 + $1.count } == wanted.count)
    var byDID: [String: [String]] = [:]
    for partition in topic { for message in partition { byDID[message.key, default: []].append(message.value) } }
    for (did, messages) in Dictionary(grouping: wanted, by: \.did) {
      #expect(byDID[did] == messages.map(\.message))
    }
    // Law 3: received = delivered + partial + skipped + rejected + in flight, and nothing is in flight any more.
    #expect(metrics.received.count == frames.count)
    #expect(metrics.frames.total == frames.count)
    #expect(metrics.operationsSeen.count == metrics.operationsProduced.count + metrics.operationsDropped.total)
    // Each post has its verdict, each faulty frame its letter.
    let verdicts = try stage.read("osprey.feeder.verdicts", partitions: 2).flatMap { $0 }
    let posts = wanted.count { $0.message.contains("\"action\":\"create\",\"collection\":\"app.bsky.feed.post\"") }
    #expect(verdicts.count == posts && posts > 100)
    #expect(verdicts.allSatisfy { $0.value.contains("\"__verdicts\":[\"review\"]") })
    let letters = try stage.read("osprey.feeder.dead_letters", partitions: 1).flatMap { $0 }
    let faulty = frames.count { frame in
      withBytes(frame) { bytes in
        var decoded = DecodedFrame()
        FrameDecoder(options: DecodeOptions()).decode(bytes, into: &decoded)
        return decoded.outcome == .reject || decoded.outcome == .partial
      }
    }
    #expect(letters.count == faulty && faulty > 20)
  }

  @Test func `a producer that fails for good is replaced, and the replay begins at the cursor`() throws {
    let stage = try Stage()
    let frames = frames(2_000)
    // The broker refuses a batch in a way that no producer survives.
    try stage.broker.execute(BrokerCommand(line: "errors produce 1 INVALID_PRODUCER_EPOCH"))
    let (end, metrics) = try stage.run(frames)
    guard case .drained = end else {
      Issue.record("\(end)")
      return
    }
    let topic = try stage.read("osprey.actions_input", partitions: 4).flatMap { $0 }
    #expect(Set(topic.map(\.value)) == Set(expected(frames).map(\.message)))
    // Frames in flight at the failure are counted as replayed, so the sum still holds.
    #expect(metrics.producerRestarts.count == 1)
    #expect(metrics.received.count == metrics.frames.total)
  }

  @Test func `the saved cursor is the last frame, and a second run begins behind it`() throws {
    let stage = try Stage()
    stage.settings.cursorStore = .kafka
    let frames = frames(600)
    _ = try stage.run(Array(frames.prefix(400)))
    let (_, metrics) = try stage.run(frames)
    #expect(metrics.received.count == 201)
    let topic = try stage.read("osprey.actions_input", partitions: 4).flatMap { $0 }
    // A relay that counts the cursor in sends its frame once more.
    #expect(topic.count == expected(frames).count + expected([frames[399]]).count)
  }

  @Test func `the same frames give the same verdicts at one, two and seven workers`() throws {
    let frames = frames(1_500)
    var runs: [[String]] = []
    for workers in [1, 2, 7] {
      let stage = try Stage(rule: everyPost)
      stage.settings.workers = workers
      _ = try stage.run(frames)
      let verdicts = try stage.read("osprey.feeder.verdicts", partitions: 2).flatMap { $0 }.map {
        $0.value.replacing(/"__eval_us":\d+/, with: "")
      }
      runs.append(verdicts)
    }
    #expect(!runs[0].isEmpty && runs[0] == runs[1] && runs[1] == runs[2])
  }

  @Test func `rules that do not load stop the start with every problem named`() throws {
    let stage = try Stage(rule: "return rule { name = \"lower\", when = function() return true end, nonsense = 1 }")
    let error = #expect(throws: StartError.self) { try stage.run([]) }
    #expect(error?.description.contains("rule.lua") == true)
  }

  @Test func `an unreachable broker stops the start with one clear line`() throws {
    let stage = try Stage()
    stage.settings.kafka.bootstrapServers = "127.0.0.1:1"
    stage.settings.connectTimeoutMs = 1_000
    let error = #expect(throws: StartError.self) { try stage.run([]) }
    #expect(error?.description.contains("127.0.0.1:1") == true)
  }
}
