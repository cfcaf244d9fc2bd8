import Foundation
import Kafka
import Logging
import Simulator
import Synchronization
import Testing

@testable import Feeder

/// Counts each account's events, and each one's own: any event judged twice, left out or in a wrong order shows in a verdict.
private let counting = """
  return rule {
    name = "Counting", about = "Says how many events there were.",
    when = function(event)
      return true, {
        CountingAll = count("all", "all", days(1)):add(),
        CountingMine = count("mine", event.did, hours(1)):add(),
        CountingPeople = distinct("people", "all", minutes(30)):add(event.did),
      }
    end,
    effects = { verdict "seen" },
  }
  """

@Suite(.serialized) struct StateTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func frames(_ count: Int) -> [[UInt8]] {
    let world = World(SimulatorConfiguration(seed: 9, accounts: 50))
    return (0..<count).map { _ in
      var frame: [UInt8] = []
      _ = world.next(into: &frame)
      return frame
    }
  }

  private func stage(cursor: String, state: String) throws -> Stage {
    let stage = try Stage(rule: counting)
    stage.settings.cursorStore = .file(cursor)
    stage.settings.stateFolder = state
    stage.settings.stateIntervalMs = 0
    return stage
  }

  private func run(_ stage: Stage, _ frames: [[UInt8]], between: @escaping @Sendable (Int) -> Void = { _ in }) throws {
    let metrics = FeederMetrics(workers: 2)
    let source = PacedSource(frames, metrics, between: between)
    let pipeline = try Pipeline(settings: stage.settings, metrics: metrics, source: source, log: stage.log)
    guard case .drained = pipeline.run() else {
      Issue.record("the run did not drain")
      return
    }
  }

  /// Verdicts by action id, without what may differ between runs.
  private func verdicts(_ stage: Stage) throws -> [String: String] {
    var found: [String: String] = [:]
    for message in try stage.read("osprey.feeder.verdicts", partitions: 2).flatMap({ $0 }) {
      let value = message.value.replacing(/"__eval_us":\d+/, with: "")
      let id = String(value.prefix { $0 != "," })
      #expect(found[id] == nil || found[id] == value, "a repeat says something else")
      found[id] = value
    }
    return found
  }

  @Test func `a run that ends and goes on gives the verdicts of one that never ended`() throws {
    let frames = frames(1_200)
    let whole = try Stage(rule: counting)
    try run(whole, frames)
    let wanted = try verdicts(whole)
    let stage = try stage(cursor: folder.path(), state: folder.path())
    for end in [300, 301, 900, 1_200] { try run(stage, Array(frames.prefix(end))) }
    #expect(try verdicts(stage) == wanted && wanted.count > 1_000)
  }

  @Test func `whatever moment a kill leaves behind, the restart gives the verdicts of a run that was never killed`()
    throws
  {
    let frames = frames(1_500)
    let whole = try Stage(rule: counting)
    try run(whole, frames)
    let wanted = try verdicts(whole)
    let (cursor, state) = (folder.path(), folder.path())
    let left = Mutex<[(cursor: String, state: String)]>([])
    // What a kill leaves is what stands on the disk at that moment: it is copied while the run goes on.
    try run(try stage(cursor: cursor, state: state), frames) { index in
      guard index > 0, index % 300 == 0 else { return }
      usleep(1_100_000)
      // As the disk would have it: the state first, then a cursor that may be newer. A file that is just being replaced cannot
      // be copied; a moment later there is another one.
      for _ in 0..<100 {
        let copy = (cursor: folder.path(), state: folder.path())
        guard (try? FileManager.default.copyItem(atPath: state, toPath: copy.state)) != nil,
          (try? FileManager.default.copyItem(atPath: cursor, toPath: copy.cursor)) != nil
        else {
          usleep(10_000)
          continue
        }
        return left.withLock { $0.append(copy) }
      }
    }
    let copies = left.withLock { $0 }
    #expect(copies.count == 4)
    for copy in copies {
      let resumed = try #require(try CursorFile.read(copy.cursor).first?.sequence)
      let stage = try stage(cursor: copy.cursor, state: copy.state)
      try run(stage, frames)
      let found = try verdicts(stage)
      #expect(found.count >= 1_000 - Int(resumed) && found.allSatisfy { wanted[$0.key] == $0.value })
    }
  }

  @Test func `without its state a restart at the cursor counts anew`() throws {
    let frames = frames(400)
    let whole = try Stage(rule: counting)
    try run(whole, frames)
    let cursor = folder.path()
    let first = try stage(cursor: cursor, state: folder.path())
    try run(first, Array(frames.prefix(300)))
    let second = try stage(cursor: cursor, state: folder.path())
    try run(second, frames)
    let (wanted, found) = (try verdicts(whole), try verdicts(second))
    #expect(!found.isEmpty && found.allSatisfy { wanted[$0.key] != $0.value })
  }
}
