import ATProto
import Foundation
import Kafka
import Logging
import Synchronization
import Testing

@testable import Feeder

/// A broker, a rule folder and settings around them.
final class Stage {
  let broker: EmbeddedBroker
  let folder: URL
  var settings: PipelineSettings
  let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  init(rule: String = "") throws {
    broker = try EmbeddedBroker(topics: [
      ("osprey.actions_input", 4), ("osprey.feeder.verdicts", 2), ("osprey.feeder.dead_letters", 1),
      (CursorStore.topic, 1),
    ])
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("pipeline-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    if !rule.isEmpty { try Data(rule.utf8).write(to: folder.appendingPathComponent("rule.lua")) }
    settings = PipelineSettings(
      kafka: KafkaConfiguration(bootstrapServers: broker.bootstrapServers, clientID: "test", properties: [:]),
      rulesFolder: folder.path, name: "test")
    settings.workers = 2
  }

  deinit {
    try? FileManager.default.removeItem(at: folder)
    // Closing joins a sleeping thread of the library for up to a second; nobody has to wait for it here.
    _ = OwnedThread("close") { [broker] in broker.close() }
  }

  /// Everything in a topic by partition, in order, as (key, value).
  func read(_ topic: String, partitions: Int32) throws -> [[(key: String, value: String)]] {
    let consumer = try Consumer(
      KafkaConfiguration(bootstrapServers: broker.bootstrapServers, clientID: "test", properties: [:]))
    defer { consumer.close() }
    var messages: [[(key: String, value: String)]] = Array(repeating: [], count: Int(partitions))
    var left = 0
    for partition in 0..<partitions {
      let (low, high) = try consumer.watermarks(topic: topic, partition: partition, timeoutMs: 10_000)
      #expect(low == 0, "the broker dropped messages: the test is too large")
      guard high > low else { continue }
      left += Int(high)
      try consumer.assign(topic: topic, partition: partition, from: .offset(0))
    }
    while left > 0 {
      let result = consumer.poll(timeoutMs: 10_000) { message in
        let partition = Int(message.partition)
        #expect(message.offset == messages[partition].count)
        messages[partition].append((text(message.key), text(message.value)))
        left -= 1
      }
      if case .failed(let error) = result { throw error }
      if case .nothing = result { break }
    }
    #expect(left == 0)
    return messages
  }
}

private func text(_ bytes: UnsafeRawBufferPointer?) -> String {
  bytes.map { String(decoding: $0, as: UTF8.self) } ?? ""
}

/// Offers given frames once, over one connection, does something before each, and then ends.
final class PacedSource: FrameSource {
  private let frames: [[UInt8]]
  private let metrics: FeederMetrics
  private let between: @Sendable (Int) -> Void
  private let thread = Mutex<OwnedThread?>(nil)

  init(_ frames: [[UInt8]], _ metrics: FeederMetrics, between: @escaping @Sendable (Int) -> Void = { _ in }) {
    self.frames = frames
    self.metrics = metrics
    self.between = between
  }

  func start(into ring: FrameRing, hosts: HostTable, onEnd: @escaping @Sendable (String?) -> Void) {
    let host = hosts.host(named: "relay")
    // As some relays do: what came before the cursor is not sent again, the frame of the cursor is.
    let cursor = host.progress.nextCursor() ?? 0
    let connection = Connection.pack(number: 1, host: host.number)
    let thread = OwnedThread("paced") { [frames, metrics, between] in
      for (index, frame) in frames.enumerated() where cursor == 0 || sequence(frame) >= cursor {
        between(index)
        while !frame.withUnsafeBytes({
          ring.offer(.frame, $0, receivedAtMicros: 1_783_175_888_000_000, connection: connection)
        }) {
          guard ring.waitForRoom(bytes: frame.count) else { return }
        }
        metrics.countReceived(frame.count)
      }
      onEnd(nil)
    }
    self.thread.withLock { $0 = thread }
  }

  func stop() {
    thread.withLock { thread in
      thread?.join()
      thread = nil
    }
  }
}

/// A frame's sequence number, 0 where it has none.
private func sequence(_ frame: [UInt8]) -> Int64 {
  withBytes(frame) { bytes in
    var decoded = DecodedFrame()
    FrameDecoder(options: DecodeOptions()).decode(bytes, into: &decoded)
    return decoded.sequence
  }
}

/// A folder of its own for one test, gone with it. Held by a suite's value: the test ends, the folder goes.
final class TemporaryFolder: Sendable {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("feeder-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(at: url) }  // A left-over folder harms nobody.

  /// Where something may be put that is not there yet.
  func path(_ name: String = UUID().uuidString) -> String { url.appendingPathComponent(name).path }
}
