import Testing

@testable import Kafka

extension KafkaTests {
  @Suite(.serialized) struct ConsumerTests {
    @Test func `watermarks, an offset in the middle, and the end of a partition`() throws {
      let bench = try Bench()
      let producer = try Producer(bench.configuration())
      let topic = try producer.topic("t")
      for token in 0..<10 as Range<UInt64> { #expect(producer.send(topic, "k", "\(token)", token: token) == .queued) }
      _ = producer.drain()

      let consumer = try Consumer(bench.configuration())
      let marks = try consumer.watermarks(topic: "t", partition: 0, timeoutMs: 5_000)
      #expect(marks.low == 0)
      #expect(marks.high == 10)
      try consumer.assign(topic: "t", partition: 0, from: .offset(7))
      #expect(throws: KafkaError.self) { try consumer.assign(topic: "t", partition: 0, from: .beginning) }
      var values: [String] = []
      var result = PollResult.nothing
      let deadline = ContinuousClock.now + .seconds(30)
      repeat {
        result = consumer.poll(timeoutMs: 2_000) { message in
          values.append(message.value.map { String(decoding: $0, as: UTF8.self) } ?? "")
          #expect(message.topic == "t")
        }
      } while result != .endOfPartition(topic: "t", partition: 0) && ContinuousClock.now < deadline
      #expect(values == ["7", "8", "9"])

      // It goes on after the end.
      #expect(producer.send(topic, "k", "10", token: 10) == .queued)
      _ = producer.drain()
      while values.count < 4, ContinuousClock.now < deadline {
        _ = consumer.poll(timeoutMs: 2_000) {
          values.append($0.value.map { String(decoding: $0, as: UTF8.self) } ?? "")
        }
      }
      #expect(values.last == "10")
    }

    @Test func `an offset that is not kept is an error, not a jump`() throws {
      let bench = try Bench()
      let consumer = try Consumer(bench.configuration())
      try consumer.assign(topic: "t", partition: 0, from: .offset(1_000))
      var failure: KafkaError?
      let deadline = ContinuousClock.now + .seconds(30)
      while failure == nil, ContinuousClock.now < deadline {
        if case .failed(let error) = consumer.poll(timeoutMs: 1_000, { _ in }) { failure = error }
      }
      #expect(failure?.name == "_AUTO_OFFSET_RESET", "\(String(describing: failure))")
    }

    @Test func `everything a round trip makes is freed`() throws {
      let ledger: HandleLedger
      do {
        let bench = try Bench()
        ledger = bench.ledger
        let producer = try Producer(bench.configuration())
        let topic = try producer.topic("t")
        #expect(try producer.topic("t").pointer == topic.pointer)
        #expect(producer.send(topic, "k", "v", token: 1) == .queued)
        _ = producer.drain()
        #expect(try bench.readAll("t").count == 1)
        #expect(ledger.live > 0)
        producer.close()
        bench.broker.close()
      }
      #expect(ledger.live == 0)
    }

    @Test func `a producer destroyed with messages outstanding frees everything`() throws {
      let bench = try Bench()
      let before = bench.ledger.live
      do {
        let producer = try Producer(bench.configuration(["linger.ms": "10000"]))
        let topic = try producer.topic("t")
        for token in 0..<100 as Range<UInt64> { #expect(producer.send(topic, "k", "v", token: token) == .queued) }
      }
      #expect(bench.ledger.live == before)
    }

    @Test func `an impossible topic name is an error and frees everything`() throws {
      let bench = try Bench()
      let before = bench.ledger.live
      do {
        let producer = try Producer(bench.configuration())
        #expect(throws: KafkaError.self) { try producer.topic(String(repeating: "x", count: 1_000)) }
        #expect(throws: KafkaError.self) { try producer.topic("") }
        let consumer = try Consumer(bench.configuration())
        #expect(throws: KafkaError.self) {
          try consumer.assign(topic: "spaces are not allowed", partition: 0, from: .end)
        }
      }
      #expect(bench.ledger.live == before)
    }
  }
}
