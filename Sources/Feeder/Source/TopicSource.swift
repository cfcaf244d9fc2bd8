import ATProto
import Kafka
import Osprey
import Synchronization

/// Actions from the actions topic, each partition to the end it had at the start, all partitions merged into one stream.
///
/// Order: events of one partition, and so of one account, come in their order. Across partitions the earlier `send_time` comes
/// first; where it is the same, the lower place in the stream, as the action id holds it (modulo 2^22). A frame's actions stay
/// together. For a topic that `run` wrote from a relay this is the stream's own order; for one written from a capture without
/// receive times it is the order of the events' own times. The same topic and range give the same stream.
package final class TopicSource: FrameSource {
  /// A partition being read, and the message that waits for its turn.
  private struct Lane {
    var number: Int
    var partition: Int32
    /// The next offset, and the one behind the last.
    var next: Int64
    var end: Int64
    var head: ActionReader.Head?
    var message: [UInt8] = []

    var isAtEnd: Bool { next >= end }
  }

  private let configuration: KafkaConfiguration
  private let range: TopicRange
  private let metrics: FeederMetrics
  private let isStopped = Atomic<Bool>(false)
  private let thread = Mutex<OwnedThread?>(nil)
  /// Messages read so far, and how many there are in the range.
  package let read = Counter()
  package let total = Counter()

  package init(configuration: KafkaConfiguration, range: TopicRange, metrics: FeederMetrics) {
    var configuration = configuration
    // Every partition is read by itself, and has so much memory for itself.
    if configuration.properties["queued.max.messages.kbytes"] == nil {
      configuration.properties["queued.max.messages.kbytes"] = "4096"
    }
    self.configuration = configuration
    self.range = range
    self.metrics = metrics
  }

  package func start(into ring: FrameRing, hosts: HostTable, onEnd: @escaping @Sendable (String?) -> Void) {
    let host = hosts.host(named: "kafka:\(range.topic)").number
    thread.withLock {
      $0 = OwnedThread("topic") {
        do throws(KafkaError) {
          try self.stream(into: ring, Connection.pack(number: 1, host: host))
          onEnd(nil)
        } catch {
          onEnd("\(error)")
        }
      }
    }
  }

  package func stop() {
    isStopped.store(true, ordering: .relaxed)
    thread.withLock { thread in
      thread?.join()
      thread = nil
    }
  }

  private static let timeoutMs: Int32 = 10_000

  private func stream(into ring: FrameRing, _ connection: Int) throws(KafkaError) {
    let consumer = try Consumer(configuration)
    defer { consumer.close() }
    var lanes = try open(consumer)
    var last = -1
    var lastHead = ActionReader.Head(id: 0, sentMicros: 0)
    while !isStopped.load(ordering: .relaxed) {
      for index in lanes.indices where lanes[index].head == nil && !lanes[index].isAtEnd {
        try fill(&lanes[index], consumer)
      }
      guard let index = Self.choose(lanes, last, lastHead), let head = lanes[index].head else {
        if lanes.allSatisfy(\.isAtEnd) { return }
        continue
      }
      repeat {
        guard ring.waitForRoom(bytes: lanes[index].message.count) else { return }
      } while !lanes[index].message.withUnsafeBytes({ bytes in
        ring.offer(.action, bytes, receivedAtMicros: head.sentMicros, connection: connection)
      })
      metrics.countReceived(lanes[index].message.count)
      lanes[index].head = nil
      last = index
      lastHead = head
    }
  }

  private func open(_ consumer: Consumer) throws(KafkaError) -> [Lane] {
    let admin = try TopicAdmin(configuration)
    guard let topic = try admin.describe(range.topic, timeoutMs: Self.timeoutMs) else {
      throw .topicMissing(topic: range.topic)
    }
    var lanes: [Lane] = []
    for partition in 0..<topic.partitions {
      let (low, high) = try consumer.watermarks(topic: range.topic, partition: partition, timeoutMs: Self.timeoutMs)
      let from = try offset(range.from, partition, consumer, none: low, behind: high)
      let end = try offset(range.to, partition, consumer, none: high, behind: high)
      let (first, last) = (max(low, from), min(high, end))
      guard first < last else { continue }
      total.add(Int(last - first))
      let number = try consumer.assignSeparately(topic: range.topic, partition: partition, from: .offset(first))
      lanes.append(Lane(number: number, partition: partition, next: first, end: last))
    }
    return lanes
  }

  private func offset(
    _ bound: TopicRange.Bound?, _ partition: Int32, _ consumer: Consumer, none: Int64, behind: Int64
  ) throws(KafkaError) -> Int64 {
    switch bound {
    case nil: none
    case .offset(let offset): offset
    case .time(let ms):
      try consumer.offset(topic: range.topic, partition: partition, atMs: ms, timeoutMs: Self.timeoutMs) ?? behind
    }
  }

  /// Reads the next message of a partition, if one comes soon.
  private func fill(_ lane: inout Lane, _ consumer: Consumer) throws(KafkaError) {
    let end = lane.end
    var taken: (offset: Int64, value: [UInt8])?
    let result = consumer.poll(separate: lane.number, timeoutMs: 1000) { message in
      taken = (message.offset, message.value.map { Array($0) } ?? [])
    }
    switch result {
    case .message:
      guard let taken else { return }
      lane.next = taken.offset + 1
      // Compaction and transactions leave gaps: the end itself may not exist.
      guard taken.offset < end else { return }
      read.add()
      lane.message = taken.value
      do {
        lane.head = try withBytes(lane.message) { try ActionReader.head($0) }
      } catch {
        // The worker says what is wrong with it; here it only needs a place.
        lane.head = ActionReader.Head(id: 0, sentMicros: 0)
      }
    case .endOfPartition: lane.next = end
    case .failed(let error):
      if !error.isRetriable { throw error }
    case .nothing: break
    }
  }

  /// The lane whose message is next; nil while one that may have an earlier message has none at hand.
  private static func choose(_ lanes: [Lane], _ last: Int, _ lastHead: ActionReader.Head) -> Int? {
    // The other actions of the frame that was sent last: same partition, same moment, same time in the id.
    if last >= 0, let head = lanes[last].head, head.sentMicros == lastHead.sentMicros,
      head.id >> 22 == lastHead.id >> 22
    {
      return last
    }
    var best: Int?
    for index in lanes.indices {
      guard let head = lanes[index].head else {
        if lanes[index].isAtEnd { continue }
        return nil
      }
      guard let known = best, let other = lanes[known].head else {
        best = index
        continue
      }
      if precedes(head, other) { best = index }
    }
    return best
  }

  private static func precedes(_ head: ActionReader.Head, _ other: ActionReader.Head) -> Bool {
    if head.sentMicros != other.sentMicros { return head.sentMicros < other.sentMicros }
    // Places count modulo 2^22; of two that are close, the one behind is less than half the circle away.
    let ahead = (other.id &- head.id) & 0x3f_ffff
    return ahead != 0 && ahead < 0x20_0000
  }
}
