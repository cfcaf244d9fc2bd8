import Synchronization
import Testing

@testable import Kafka

extension KafkaTests {
  @Suite(.serialized) struct ProducerTests {
    @Test func `every message comes back as exactly one delivery with its token`() throws {
      let bench = try Bench(topics: [("t", 4)])
      let events = EventLog()
      let producer = try Producer(bench.configuration(), onEvent: { events.append($0) })
      let topic = try producer.topic("t")
      for token in 0..<5_000 as Range<UInt64> {
        #expect(producer.send(topic, "did:plc:\(token % 97)", "value \(token)", token: token) == .queued)
      }
      // The extremes of 8 bytes survive the trip through a pointer.
      #expect(producer.send(topic, "k", "v", token: .max) == .queued)
      let deliveries = producer.drain()
      #expect(deliveries.allSatisfy { $0.error == .none })
      #expect(deliveries.map(\.token).sorted() == Array(0..<5_000) + [.max])
      #expect(events.all.isEmpty, "a healthy producer has nothing to say")
      #expect(producer.brokerState == .up)
    }

    @Test func `key, value, timestamp and the murmur2 partition arrive as sent`() throws {
      let partitions: Int32 = 12
      let bench = try Bench(topics: [("t", Int(partitions))])
      let producer = try Producer(bench.configuration())
      let topic = try producer.topic("t")
      let keys = (0..<60).map { "did:plc:" + String(repeating: "x", count: $0 % 7) + "\($0)" } + ["", "<unknown>"]
      for (index, key) in keys.enumerated() {
        let sent = producer.send(
          topic, key, "value of \(key)", token: UInt64(index), at: 1_700_000_000_000 + Int64(index))
        #expect(sent == .queued)
      }
      #expect(producer.drain().count == keys.count)
      var found: [String: Stored] = [:]
      for partition in 0..<partitions {
        for message in try bench.readAll("t", partition: partition) { found[try #require(message.key)] = message }
      }
      #expect(found.count == keys.count)
      for (index, key) in keys.enumerated() {
        let message = try #require(found[key])
        #expect(message.value == "value of \(key)")
        #expect(message.timestampMs == 1_700_000_000_000 + Int64(index))
        #expect(message.partition == murmur2Partition(key, of: partitions), "key '\(key)'")
      }
    }

    @Test func `a null pointer is sent as empty bytes, never as a missing key`() throws {
      let bench = try Bench()
      let producer = try Producer(bench.configuration())
      let topic = try producer.topic("t")
      let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
      #expect(producer.send(topic, key: nothing, value: nothing, timestampMs: 5, token: 1) == .queued)
      #expect(producer.drain() == [Delivery(token: 1, error: .none)])
      let message = try #require(try bench.readAll("t").first)
      #expect(message.key == "")
      #expect(message.value == "")
    }

    @Test func `a full queue says full, wakes the waiting sender, and loses nothing`() throws {
      let bench = try Bench()
      let producer = try Producer(bench.configuration(["queue.buffering.max.messages": "100"]))
      let topic = try producer.topic("t")
      for token in 0..<100 as Range<UInt64> { #expect(producer.send(topic, "k", "v", token: token) == .queued) }
      #expect(producer.send(topic, "k", "v", token: 100) == .full)
      // Nobody serves deliveries: the wait must end by its time.
      #expect(!producer.waitForRoom(past: producer.roomGeneration, timeoutMs: 20))

      let deliveries = DeliveryThread(producer)
      let one = Array("k".utf8)
      for token in 100..<2_000 as Range<UInt64> {
        let result = one.withUnsafeBytes {
          producer.sendWhenRoom(topic, key: $0, value: $0, timestampMs: 1, token: token, timeoutMs: 10_000)
        }
        #expect(result == .queued)
      }
      #expect(producer.flush(timeoutMs: 10_000))
      let seen = deliveries.finish()
      #expect(seen.map(\.token).sorted() == Array(0..<2_000))
      #expect(producer.roomWaits > 1)
    }

    @Test func `an interrupted sender stops waiting for room`() throws {
      let bench = try Bench()
      let producer = try Producer(bench.configuration(["queue.buffering.max.messages": "1"]))
      let topic = try producer.topic("t")
      #expect(producer.send(topic, "k", "v", token: 0) == .queued)
      producer.interruptWaits()
      let one = Array("k".utf8)
      let result = one.withUnsafeBytes {
        producer.sendWhenRoom(topic, key: $0, value: $0, timestampMs: 1, token: 1, timeoutMs: -1)
      }
      #expect(result == .full)
      #expect(producer.drain().map(\.token) == [0])
    }

    @Test func `a message over the limit is refused as too large and leaves no delivery`() throws {
      let bench = try Bench()
      let configuration = bench.configuration(["message.max.bytes": "2000"])
      let producer = try Producer(configuration)
      let topic = try producer.topic("t")
      let largest = configuration.messageBytesMax - "key".utf8.count
      #expect(producer.send(topic, "key", String(repeating: "x", count: largest + 1), token: 1) == .tooLarge)
      #expect(producer.send(topic, "key", String(repeating: "x", count: largest), token: 2) == .queued)
      #expect(producer.drain() == [Delivery(token: 2, error: .none)])
    }

    @Test(arguments: ["NOT_LEADER_FOR_PARTITION", "NOT_ENOUGH_REPLICAS", "REQUEST_TIMED_OUT", "_TRANSPORT"])
    func `a retriable error is retried, nothing is lost and order holds`(error: String) throws {
      let bench = try Bench(topics: [("t", 3)])
      let producer = try Producer(bench.configuration(["retry.backoff.ms": "10", "reconnect.backoff.max.ms": "100"]))
      let topic = try producer.topic("t")
      // The first request is let through: the producer must already have its id when the errors come.
      #expect(producer.send(topic, "warm", "up", token: 0) == .queued)
      var deliveries = producer.drain()
      try bench.control("errors produce 6 \(error)")
      for token in 1..<600 as Range<UInt64> {
        #expect(producer.send(topic, "key \(token % 5)", "\(token)", token: token) == .queued)
        if token % 60 == 0 { producer.waitForDeliveries(timeoutMs: 10) { deliveries.append($0) } }
      }
      deliveries += producer.drain()
      #expect(deliveries.map(\.token).sorted() == Array(0..<600))
      #expect(deliveries.allSatisfy { $0.error == .none })

      var perKey: [String: [UInt64]] = [:]
      for partition in 0..<3 as Range<Int32> {
        for message in try bench.readAll("t", partition: partition) {
          perKey[message.key ?? "", default: []].append(UInt64(message.value ?? "") ?? 0)
        }
      }
      for (key, values) in perKey where key != "warm" {
        // The mock cluster does not drop repeats, so only first deliveries have to be in order.
        var seen: Set<UInt64> = []
        let first = values.filter { seen.insert($0).inserted }
        #expect(first == first.sorted(), "\(key)")
        #expect(first.count == values.count || error == "REQUEST_TIMED_OUT" || error == "_TRANSPORT", "\(key)")
      }
      #expect(Set(perKey.values.joined()).count == 600)
    }

    @Test func `a fatal error is reported as fatal, and sending stops`() throws {
      let bench = try Bench()
      let events = EventLog()
      // Down, so that the message is taken before the error can strike.
      try bench.control("down")
      try bench.control("errors init-producer-id 1 CLUSTER_AUTHORIZATION_FAILED")
      let settings = bench.configuration(["reconnect.backoff.max.ms": "100"])
      let producer = try Producer(settings, onEvent: { events.append($0) })
      let topic = try producer.topic("t")
      #expect(producer.fatalError == nil)
      #expect(producer.send(topic, "k", "v", token: 7) == .queued)
      try bench.control("up")
      var deliveries: [Delivery] = []
      let deadline = ContinuousClock.now + .seconds(30)
      while producer.fatalError == nil, ContinuousClock.now < deadline {
        producer.waitForDeliveries(timeoutMs: 100) { deliveries.append($0) }
      }
      let error = try #require(producer.fatalError)
      #expect(error.isFatal)
      #expect(error.name == "CLUSTER_AUTHORIZATION_FAILED")
      #expect(producer.send(topic, "k", "v", token: 8) == .fatal)
      producer.purge()
      deliveries += producer.drain()
      #expect(deliveries.map(\.token) == [7])
      #expect(deliveries.first?.error != KafkaErrorCode.none)
      #expect(events.all.contains { if case .error(_, _, true) = $0 { true } else { false } })
    }

    @Test(arguments: ["MSG_SIZE_TOO_LARGE", "INVALID_RECORD", "TOPIC_AUTHORIZATION_FAILED", "INVALID_PRODUCER_EPOCH"])
    func `a batch refused for good stops the producer before later messages pass it`(error: String) throws {
      let bench = try Bench()
      let producer = try Producer(bench.configuration(["batch.num.messages": "10", "max.in.flight": "1"]))
      let topic = try producer.topic("t")
      #expect(producer.send(topic, "k", "0", token: 0) == .queued)
      var deliveries = producer.drain()
      try bench.control("errors produce 1 \(error)")
      var taken: [UInt64] = [0]
      for token in 1..<100 as Range<UInt64> where producer.send(topic, "k", "\(token)", token: token) == .queued {
        taken.append(token)
      }
      deliveries += producer.drain()
      #expect(producer.fatalError?.name == "_GAPLESS_GUARANTEE")
      #expect(deliveries.map(\.token).sorted() == taken)
      #expect(deliveries.filter { $0.error == .none }.map(\.token) == [0])
      #expect(try bench.readAll("t").map(\.value) == ["0"])
      #expect(producer.errorCounts.contains { $0.name == error })

      // The cure: a new producer, from the cursor.
      producer.close()
      let second = try Producer(bench.configuration())
      let again = try second.topic("t")
      for token in 1..<100 as Range<UInt64> { #expect(second.send(again, "k", "\(token)", token: token) == .queued) }
      #expect(second.drain().allSatisfy { $0.error == .none })
      #expect(try bench.readAll("t").map(\.value) == (0..<100).map { "\($0)" })
    }

    @Test func `while the broker is down messages are held, and delivered when it is back`() throws {
      let bench = try Bench()
      let producer = try Producer(bench.configuration(["reconnect.backoff.max.ms": "100"]))
      let topic = try producer.topic("t")
      #expect(producer.send(topic, "k", "0", token: 0) == .queued)
      var deliveries = producer.drain()
      #expect(producer.brokerState == .up)

      try bench.control("down")
      let deadline = ContinuousClock.now + .seconds(30)
      while producer.brokerState == .up, ContinuousClock.now < deadline {
        producer.waitForDeliveries(timeoutMs: 100) { deliveries.append($0) }
      }
      guard case .down = producer.brokerState else {
        Issue.record("the loss of every broker was not noticed: \(producer.brokerState)")
        return
      }
      #expect(!producer.probeBroker(timeoutMs: 50))
      for token in 1..<200 as Range<UInt64> { #expect(producer.send(topic, "k", "\(token)", token: token) == .queued) }
      #expect(!producer.flush(timeoutMs: 50))
      #expect(deliveries.count == 1)

      try bench.control("up")
      deliveries += producer.drain()
      #expect(deliveries.map(\.token) == Array(0..<200))
      #expect(deliveries.allSatisfy { $0.error == .none })
      #expect(producer.brokerState == .up)
      #expect(producer.errorCounts.contains { $0.name == "_ALL_BROKERS_DOWN" })
      #expect(try bench.readAll("t").map(\.value) == (0..<200).map { "\($0)" })
    }

    @Test func `purge gives every token back once, as an error`() throws {
      let bench = try Bench()
      let producer = try Producer(bench.configuration())
      let topic = try producer.topic("t")
      #expect(producer.send(topic, "k", "v", token: 0) == .queued)
      _ = producer.drain()
      try bench.control("down")
      for token in 1...50 as ClosedRange<UInt64> { #expect(producer.send(topic, "k", "v", token: token) == .queued) }
      producer.purge()
      let deliveries = producer.drain()
      #expect(deliveries.map(\.token).sorted() == Array(1...50))
      #expect(deliveries.allSatisfy { $0.error.name.hasPrefix("_PURGE") })
      #expect(producer.errorCounts.contains { $0.name.hasPrefix("_PURGE") && $0.count > 0 })
    }

    @Test func `a closed producer answers closed`() throws {
      let bench = try Bench()
      let producer = try Producer(bench.configuration())
      let topic = try producer.topic("t")
      producer.close()
      #expect(producer.send(topic, "k", "v", token: 1) == .closed)
      #expect(producer.queuedMessages == 0)
      #expect(producer.waitForDeliveries(timeoutMs: 0) { _ in } == 0)
      #expect(throws: KafkaError.self) { try producer.topic("other") }
      producer.close()
    }

    @Test func `a topic handle keeps its producer alive`() throws {
      let bench = try Bench()
      var producer: Producer? = try Producer(bench.configuration())
      weak let watched = producer
      let topic = try #require(try producer?.topic("t"))
      producer = nil
      #expect(watched != nil)
      #expect(watched?.send(topic, "k", "v", token: 1) == .queued)
      withExtendedLifetime(topic) {}
    }
  }
}

/// Collects the events of a producer; written on the delivery thread.
final class EventLog: Sendable {
  private let events = Mutex<[KafkaEvent]>([])
  var all: [KafkaEvent] { events.withLock { $0 } }
  func append(_ event: KafkaEvent) { events.withLock { $0.append(event) } }
}
