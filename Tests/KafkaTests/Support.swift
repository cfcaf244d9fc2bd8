import Foundation
import Synchronization
import Testing

@testable import Kafka

/// A broker, the ledger everything is counted in, and the shortcuts the tests share.
final class Bench {
  let ledger = HandleLedger()
  let broker: EmbeddedBroker

  init(brokers: Int = 1, topics: [(name: String, partitions: Int)] = [("t", 1)]) throws {
    broker = try EmbeddedBroker(brokers: brokers, topics: topics, ledger: ledger)
  }

  deinit {
    // Closing takes up to a second inside librdkafka; no test has to wait for it, but for those that count handles.
    let broker = self.broker
    Thread.detachNewThread { broker.close() }
  }

  func configuration(_ properties: [String: String] = [:]) -> KafkaConfiguration {
    KafkaConfiguration(bootstrapServers: broker.bootstrapServers, properties: properties, ledger: ledger)
  }

  func control(_ line: String) throws {
    try broker.execute(BrokerCommand(line: line))
  }

  /// Reads a partition from its first message to its end, and fails on a gap in the offsets.
  func readAll(_ topic: String, partition: Int32 = 0) throws -> [Stored] {
    let consumer = try Consumer(configuration())
    defer { consumer.close() }
    try consumer.assign(topic: topic, partition: partition, from: .beginning)
    var messages: [Stored] = []
    let deadline = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < deadline {
      let result = consumer.poll(timeoutMs: 5_000) { message in
        #expect(message.offset == Int64(messages.count), "a gap in the offsets")
        messages.append(Stored(message))
      }
      if case .endOfPartition = result { return messages }
      if case .failed(let error) = result, !error.isRetriable { throw error }
    }
    Issue.record("no end of partition in 30 s")
    return messages
  }
}

struct Stored: Equatable {
  let key: String?
  let value: String?
  let partition: Int32
  let timestampMs: Int64

  init(_ message: ConsumedMessage) {
    key = message.key.map { String(decoding: $0, as: UTF8.self) }
    value = message.value.map { String(decoding: $0, as: UTF8.self) }
    partition = message.partition
    timestampMs = message.timestampMs
  }
}

extension Producer {
  func send(_ topic: TopicHandle, _ key: String, _ value: String, token: UInt64, at: Int64 = 1_700_000_000_000)
    -> SendResult
  {
    Array(key.utf8).withUnsafeBytes { key in
      Array(value.utf8).withUnsafeBytes { send(topic, key: key, value: $0, timestampMs: at, token: token) }
    }
  }

  /// Serves deliveries on this thread until nothing is outstanding; fails after `seconds`.
  func drain(seconds: Int = 20) -> [Delivery] {
    var deliveries: [Delivery] = []
    let deadline = ContinuousClock.now + .seconds(seconds)
    while queuedMessages > 0, ContinuousClock.now < deadline {
      waitForDeliveries(timeoutMs: 200) { deliveries.append($0) }
    }
    #expect(queuedMessages == 0, "messages still outstanding after \(seconds) s")
    return deliveries
  }
}

/// A delivery thread as the feeder has one.
final class DeliveryThread: @unchecked Sendable {
  // Unchecked: `seen` is behind a Mutex, `stop` is atomic, the thread and the semaphore are made for sharing.
  private let seen = Mutex<[Delivery]>([])
  private let stop = Atomic<Bool>(false)
  private let ended = DispatchSemaphore(value: 0)

  init(_ producer: Producer) {
    Thread.detachNewThread { [self] in
      while !stop.load(ordering: .acquiring) {
        producer.waitForDeliveries(timeoutMs: 50) { delivery in seen.withLock { $0.append(delivery) } }
      }
      ended.signal()
    }
  }

  func finish() -> [Delivery] {
    stop.store(true, ordering: .releasing)
    ended.wait()
    return seen.withLock { $0 }
  }
}

/// Java's murmur2 over a key, and the partition Kafka's default partitioner picks; written from its definition.
func murmur2Partition(_ key: String, of partitions: Int32) -> Int32 {
  let data = Array(key.utf8)
  let multiplier: UInt32 = 0x5bd1_e995
  var hash: UInt32 = 0x9747_b28c ^ UInt32(data.count)
  var index = 0
  while index + 4 <= data.count {
    var word =
      UInt32(data[index]) | UInt32(data[index + 1]) << 8 | UInt32(data[index + 2]) << 16 | UInt32(data[index + 3]) << 24
    word = word &* multiplier
    word ^= word >> 24
    word = word &* multiplier
    hash = (hash &* multiplier) ^ word
    index += 4
  }
  if index < data.count {
    for (place, byte) in data[index...].enumerated() { hash ^= UInt32(byte) << (8 * UInt32(place)) }
    hash = hash &* multiplier
  }
  hash ^= hash >> 13
  hash = hash &* multiplier
  hash ^= hash >> 15
  return Int32(hash & 0x7fff_ffff) % partitions
}
