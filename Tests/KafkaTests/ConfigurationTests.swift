import Testing

@testable import Kafka

extension KafkaTests {
  @Suite(.serialized) struct ConfigurationTests {
    @Test(arguments: [
      ("enable.idempotence", "false"), ("enable.gapless.guarantee", "false"), ("acks", "1"), ("acks", "0"),
      ("request.required.acks", "1"),
      ("message.timeout.ms", "300000"), ("delivery.timeout.ms", "1"), ("transactional.id", "x"),
      ("partitioner", "consistent_random"), ("partitioner", "murmur2"), ("max.in.flight", "6"),
      ("max.in.flight.requests.per.connection", "1000000"), ("max.in.flight", "many"),
      ("delivery.report.only.error", "true"), ("dr_cb", "x"), ("dr_msg_cb", "x"), ("compression.codec", "lz4"),
      ("compression.type", "zstd"), ("compression.type", "snappy"), ("compression.codec", "inherit"),
      ("queuing.strategy", "lifo"), ("retries", "3"), ("message.send.max.retries", "0"),
      ("bootstrap.servers", "other:9092"), ("metadata.broker.list", "other:9092"), ("test.mock.num.brokers", "1"),
      ("log.queue", "false"), ("enabled_events", "0"),
    ])
    func `an override that would break a law is refused by name`(name: String, value: String) {
      let ledger = HandleLedger()
      let configuration = KafkaConfiguration(
        bootstrapServers: "127.0.0.1:1", properties: [name: value, "linger.ms": "1"], ledger: ledger)
      let error = #expect(throws: KafkaError.self) { try configuration.validate() }
      guard case .invalidConfiguration(name, let reason)? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(!reason.isEmpty)
      #expect(throws: KafkaError.self) { try Producer(configuration) }
      #expect(throws: KafkaError.self) { try Consumer(configuration) }
      #expect(throws: KafkaError.self) { try TopicAdmin(configuration) }
      #expect(ledger.live == 0)
    }

    @Test(arguments: [
      ("enable.idempotence", "TRUE"), ("acks", "-1"), ("acks", "all"), ("message.timeout.ms", "0"),
      ("partitioner", "murmur2_random"), ("max.in.flight", "1"), ("compression.codec", "gzip"),
      ("compression.type", "none"), ("linger.ms", "0"), ("queue.buffering.max.kbytes", "1024"),
      ("security.protocol", "plaintext"), ("queuing.strategy", "fifo"), ("delivery.report.only.error", "false"),
    ])
    func `an override that breaks no law is taken by every client`(name: String, value: String) throws {
      let ledger = HandleLedger()
      let configuration = KafkaConfiguration(
        bootstrapServers: "127.0.0.1:1", properties: [name: value], ledger: ledger)
      try Producer(configuration).close()
      try Consumer(configuration).close()
      #expect(ledger.live == 0)
    }

    @Test(arguments: [
      ("no.such.property", "1", "no.such.property"), ("linger.ms", "soon", "linger.ms"),
      ("security.protocol", "smoke-signals", "security.protocol"),
    ])
    func `a setting librdkafka refuses is named and frees everything`(name: String, value: String, named: String) {
      let ledger = HandleLedger()
      let configuration = KafkaConfiguration(
        bootstrapServers: "127.0.0.1:1", properties: [name: value], ledger: ledger)
      let error = #expect(throws: KafkaError.self) { try Producer(configuration) }
      guard case .invalidConfiguration(named, _)? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(ledger.live == 0)
    }

    @Test func `settings librdkafka refuses only together free everything too`() {
      let ledger = HandleLedger()
      let configuration = KafkaConfiguration(
        bootstrapServers: "127.0.0.1:1",
        properties: ["security.protocol": "ssl", "ssl.ca.location": "/nonexistent/ca.pem"], ledger: ledger)
      let error = #expect(throws: KafkaError.self) { try Producer(configuration) }
      guard case .invalidConfiguration? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(ledger.live == 0)
    }

    @Test func `no servers is an error that names the flag`() {
      let error = #expect(throws: KafkaError.self) { try KafkaConfiguration(bootstrapServers: "").validate() }
      #expect(error?.description.contains("--bootstrap-servers") == true)
    }

    @Test func `every kind of error is one line that says what to try or why`() {
      let code = KafkaErrorCode(rawValue: 29)
      let errors: [KafkaError] = [
        .unreachable(servers: "h:1", reason: "r"), .authenticationFailed(servers: "h:1", reason: "r"),
        .notAuthorized(operation: "create topic 'x'", code: code), .topicMissing(topic: "x"),
        .messageTooLarge(topic: "x"), .queueFull, .invalidConfiguration(property: "p", reason: "r"),
        .fatal(code: code, reason: "r"), .other(code: code, operation: "o", reason: "r"),
      ]
      for error in errors {
        #expect(!error.description.contains("\n"))
        #expect(error.description.count > 20)
      }
      #expect(errors.filter(\.isFatal).count == 1)
      #expect(errors[0].isRetriable)
      #expect(!errors[2].isRetriable)
      #expect(errors[2].description.contains("TOPIC_AUTHORIZATION_FAILED"))
    }

    @Test func `codes are found by their names`() {
      #expect(KafkaErrorCode(name: "not_leader_for_partition")?.rawValue == 6)
      #expect(KafkaErrorCode(name: "_TRANSPORT")?.rawValue == -195)
      #expect(KafkaErrorCode(name: "NO_SUCH_ERROR") == nil)
      #expect(KafkaErrorCode(rawValue: 10).name == "MSG_SIZE_TOO_LARGE")
    }
  }
}
