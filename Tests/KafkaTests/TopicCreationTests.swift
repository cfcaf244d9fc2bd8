import Testing

@testable import Kafka

extension KafkaTests {
  /// Against a broker that knows CreateTopics and logins, which the embedded one does not.
  @Suite(.serialized) struct TopicCreationTests {
    private func admin(
      _ behaviour: FakeBroker.Behaviour, _ properties: [String: String] = [:],
      _ body: (TopicAdmin, FakeBroker) throws -> Void
    ) throws {
      let broker = try FakeBroker(behaviour)
      defer { broker.close() }
      let ledger = HandleLedger()
      let admin = try TopicAdmin(
        KafkaConfiguration(bootstrapServers: "127.0.0.1:\(broker.port)", properties: properties, ledger: ledger))
      let before = ledger.live
      try body(admin, broker)
      #expect(ledger.live == before)
      admin.client.close()
      #expect(ledger.live == 0)
    }

    @Test func `a missing topic is created as specified, an existing one is left alone`() throws {
      try admin(FakeBroker.Behaviour(topics: ["old": 3])) { admin, broker in
        let states = try admin.ensureTopics(
          [
            TopicSpec(name: "old", partitions: 12),
            TopicSpec(name: "cursor", partitions: 1, config: ["cleanup.policy": "compact", "a": "b"]),
            TopicSpec(name: "new", partitions: 12, replicationFactor: 3),
          ], timeoutMs: 5_000)
        #expect(
          states == [
            TopicState(name: "old", partitions: 3, created: false),
            TopicState(name: "cursor", partitions: 1, created: true),
            TopicState(name: "new", partitions: 12, created: true),
          ])
        #expect(broker.requests == ["cursor 1 -1 a=b cleanup.policy=compact", "new 12 3"])
        let new = try admin.describe("new", timeoutMs: 5_000)
        #expect(new?.partitions == 12)
      }
    }

    @Test(arguments: [
      (29 as Int16, "not allowed to create topic 'x'"), (31, "not allowed to create topic 'x'"),
      (38, "--replication-factor"), (37, "--partitions"), (44, "too many partitions here"), (41, "create topic 'x'"),
      (35, "CreateTopics"),
    ])
    func `a refused creation says what to change`(code: Int16, part: String) throws {
      try admin(FakeBroker.Behaviour(createError: code, createMessage: "too many partitions here")) { admin, _ in
        let error = #expect(throws: KafkaError.self) {
          try admin.ensureTopics([TopicSpec(name: "x", partitions: 12, replicationFactor: 3)], timeoutMs: 5_000)
        }
        #expect(error?.description.contains(part) == true, "\(String(describing: error))")
      }
    }

    @Test func `a topic that exists but is hidden from this login is a missing permission`() throws {
      let behaviour = FakeBroker.Behaviour(topics: ["secret": 4], hidden: ["secret"], createError: 36)
      try admin(behaviour) { admin, _ in
        let error = #expect(throws: KafkaError.self) {
          try admin.ensureTopics([TopicSpec(name: "secret", partitions: 4)], timeoutMs: 5_000)
        }
        guard case .notAuthorized("describe topic 'secret'", _)? = error else {
          Issue.record("\(String(describing: error))")
          return
        }
      }
    }

    private static let login = [
      "security.protocol": "sasl_plaintext", "sasl.mechanism": "PLAIN", "sasl.username": "feeder",
      "sasl.password": "hunter2",
    ]

    @Test func `a good login connects`() throws {
      try admin(FakeBroker.Behaviour(topics: ["t": 1]), Self.login) { admin, broker in
        let state = try admin.checkConnection(timeoutMs: 5_000)
        #expect(state.brokers == ["127.0.0.1:\(broker.port)"])
      }
    }

    @Test func `a refused login is named at once, with the broker's words and without the password`() throws {
      let behaviour = FakeBroker.Behaviour(loginError: 58, loginMessage: "no such user")
      try admin(behaviour, Self.login) { admin, _ in
        let start = ContinuousClock.now
        let error = #expect(throws: KafkaError.self) { try admin.checkConnection(timeoutMs: 20_000) }
        #expect(ContinuousClock.now - start < .seconds(15))
        guard case .authenticationFailed(_, let reason)? = error else {
          Issue.record("\(String(describing: error))")
          return
        }
        #expect(reason.contains("no such user"))
        #expect(error?.description.contains("hunter2") == false)
      }
    }
  }
}
