import Glibc
import Testing

@testable import Kafka

extension KafkaTests {
  @Suite(.serialized) struct TopicTests {
    @Test func `an unreachable broker is named within its time`() throws {
      let ledger = HandleLedger()
      let configuration = KafkaConfiguration(bootstrapServers: "127.0.0.1:\(try closedPort())", ledger: ledger)
      let admin = try TopicAdmin(configuration)
      let start = ContinuousClock.now
      let error = #expect(throws: KafkaError.self) { try admin.checkConnection(timeoutMs: 1_000) }
      #expect(ContinuousClock.now - start < .seconds(15))
      guard case .unreachable(configuration.bootstrapServers, let reason)? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(reason.contains("refused"), "\(reason)")
      admin.client.close()
      #expect(ledger.live == 0)
    }

    @Test func `a broker that hangs is unreachable after its time`() throws {
      let bench = try Bench()
      try bench.control("rtt 60000")
      let admin = try TopicAdmin(bench.configuration())
      let start = ContinuousClock.now
      let error = #expect(throws: KafkaError.self) { try admin.checkConnection(timeoutMs: 200) }
      #expect(ContinuousClock.now - start < .seconds(15))
      guard case .unreachable? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }

    @Test func `a reachable cluster lists its brokers`() throws {
      let bench = try Bench(brokers: 3)
      let state = try TopicAdmin(bench.configuration()).checkConnection(timeoutMs: 5_000)
      #expect(state.brokers.sorted() == bench.broker.bootstrapServers.split(separator: ",").map(String.init).sorted())
    }

    @Test func `topics that exist are found with their own number of partitions`() throws {
      let bench = try Bench(topics: [("actions", 12), ("verdicts", 3)])
      let admin = try TopicAdmin(bench.configuration())
      let states = try admin.ensureTopics(
        [TopicSpec(name: "verdicts", partitions: 12), TopicSpec(name: "actions", partitions: 12)], timeoutMs: 5_000)
      #expect(
        states == [
          TopicState(name: "verdicts", partitions: 3, created: false),
          TopicState(name: "actions", partitions: 12, created: false),
        ])
    }

    @Test func `looking a topic up does not create it`() throws {
      let bench = try Bench()
      let admin = try TopicAdmin(bench.configuration())
      for _ in 0..<3 { #expect(try admin.describe("absent", timeoutMs: 5_000) == nil) }
    }

    @Test func `a broker without CreateTopics says so, and what to do`() throws {
      let bench = try Bench()
      let admin = try TopicAdmin(bench.configuration())
      let error = #expect(throws: KafkaError.self) {
        try admin.ensureTopics([TopicSpec(name: "absent", partitions: 12)], timeoutMs: 300)
      }
      let text = error?.description ?? ""
      #expect(text.contains("CreateTopics"), "\(text)")
      #expect(text.contains("12 partitions"), "\(text)")
    }

    @Test func `what a broker answers to CreateTopics becomes an error to act on`() {
      let spec = TopicSpec(name: "x", partitions: 12, replicationFactor: 3)
      func error(_ name: String, _ reason: String = "") throws -> KafkaError {
        let code = try #require(KafkaErrorCode(name: name))
        return TopicAdmin.error(creating: spec, code: code, reason: reason, servers: "h:9092")
      }
      #expect(throws: Never.self) {
        guard case .notAuthorized(let operation, _) = try error("TOPIC_AUTHORIZATION_FAILED") else {
          Issue.record("not a missing permission")
          return
        }
        #expect(operation == "create topic 'x'")
        let replication = try error("INVALID_REPLICATION_FACTOR", "larger than available brokers: 1").description
        #expect(replication.contains("--replication-factor"))
        #expect(replication.contains("larger than available brokers: 1"))
        #expect(try error("INVALID_PARTITIONS").description.contains("--partitions"))
        #expect(try error("_UNSUPPORTED_FEATURE").description.contains("CreateTopics"))
        guard case .unreachable("h:9092", _) = try error("_TIMED_OUT") else {
          Issue.record("not unreachable")
          return
        }
        guard case .notAuthorized = try error("CLUSTER_AUTHORIZATION_FAILED") else {
          Issue.record("not a missing permission")
          return
        }
        guard case .authenticationFailed = try error("SASL_AUTHENTICATION_FAILED") else {
          Issue.record("not a refused login")
          return
        }
      }
    }

    @Test func `an impossible topic is refused before the broker is asked, and frees everything`() throws {
      let bench = try Bench()
      let before = bench.ledger.live
      let admin = try TopicAdmin(bench.configuration())
      let with = bench.ledger.live
      #expect(throws: KafkaError.self) {
        try admin.ensureTopics([TopicSpec(name: "x", partitions: 1, replicationFactor: 70_000)], timeoutMs: 300)
      }
      #expect(throws: KafkaError.self) {
        try admin.ensureTopics([TopicSpec(name: "x", partitions: 0)], timeoutMs: 300)
      }
      #expect(bench.ledger.live == with)
      admin.client.close()
      #expect(bench.ledger.live == before)
    }

    @Test func `a compacted topic gives the last value of a key`() throws {
      let bench = try Bench(topics: [("cursor", 1), ("empty", 1)])
      let producer = try Producer(bench.configuration())
      let topic = try producer.topic("cursor")
      for token in 0..<300 as Range<UInt64> {
        #expect(producer.send(topic, "NAME|host\(token % 3)", "seq \(token)", token: token) == .queued)
      }
      _ = producer.drain()
      func last(_ key: String, in topic: String = "cursor") throws -> String? {
        try CompactedTopic.lastValue(
          topic: topic, key: Array(key.utf8), bench.configuration(), timeoutMs: 10_000
        ).map { String(decoding: $0, as: UTF8.self) }
      }
      #expect(try last("NAME|host1") == "seq 298")
      #expect(try last("NAME|host2") == "seq 299")
      #expect(try last("NAME|host9") == nil)
      #expect(try last("NAME|host1", in: "empty") == nil)
      #expect(throws: KafkaError.topicMissing(topic: "absent")) { try last("k", in: "absent") }
    }
  }
}

/// A loopback port nobody listens on: bound once, then given back.
func closedPort() throws -> UInt16 {
  let (descriptor, port) = try boundSocket()
  close(descriptor)
  return port
}
