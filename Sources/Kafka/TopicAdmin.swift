import CRdKafka

/// A topic we want to exist.
package struct TopicSpec: Sendable, Equatable {
  package var name: String
  /// For creating it; an existing topic keeps its own number.
  package var partitions: Int32
  /// -1: the broker's default (KIP-464, Kafka 2.4 and later).
  package var replicationFactor: Int32
  /// Topic settings at creation, such as `cleanup.policy=compact`.
  package var config: [String: String]

  package init(name: String, partitions: Int32, replicationFactor: Int32 = -1, config: [String: String] = [:]) {
    self.name = name
    self.partitions = partitions
    self.replicationFactor = replicationFactor
    self.config = config
  }
}

/// A topic as the cluster describes it.
package struct TopicState: Sendable, Equatable {
  package let name: String
  package let partitions: Int32
  /// True where `ensureTopics` has just created it.
  package let created: Bool
}

/// The cluster as it describes itself.
package struct ClusterState: Sendable, Equatable {
  /// `host:port` of every broker.
  package let brokers: [String]
  /// The broker that answered.
  package let answeredBy: String
}

/// Checks and creates topics at start-up, with a client of its own: errors about the connection land on this
/// client's queue, where nobody else reads them.
///
/// Not thread-safe: one thread at a time, since its waits read the one event queue.
package final class TopicAdmin {
  let client: Client
  let servers: String

  /// Makes the client; connects in the background. Throws `invalidConfiguration`.
  package init(_ configuration: KafkaConfiguration) throws(KafkaError) {
    servers = configuration.bootstrapServers
    // A consumer, because a consumer's look-ups can be told not to create what they look for.
    client = try Client(
      RD_KAFKA_CONSUMER, settings: configuration.settings(producer: false),
      events: RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG, ledger: configuration.ledger)
  }

  /// Waits up to `timeoutMs` for a broker to answer. Throws `unreachable` when that has passed, and
  /// `authenticationFailed` as soon as a login is refused.
  @discardableResult
  package func checkConnection(timeoutMs: Int32) throws(KafkaError) -> ClusterState {
    try withMetadata(of: .brokers, timeoutMs: timeoutMs) { metadata in
      let brokers = (0..<Int(metadata.broker_cnt)).map { index in
        "\(String(cString: metadata.brokers[index].host)):\(metadata.brokers[index].port)"
      }
      return ClusterState(brokers: brokers, answeredBy: String(cString: metadata.orig_broker_name))
    }
  }

  /// Looks a topic up without creating it; nil where it does not exist or this login may not see it.
  ///
  /// It asks for all topics and picks: asking for one by name creates it on brokers that auto-create (the embedded
  /// one ignores the flag against that).
  package func describe(_ name: String, timeoutMs: Int32) throws(KafkaError) -> TopicState? {
    try withMetadata(of: .allTopics, timeoutMs: timeoutMs) { Self.find(name, in: $0) }?.get()
  }

  /// Looks up a topic that is known to exist, by name: throws where this login may not describe it.
  private func describeExisting(_ name: String, timeoutMs: Int32) throws(KafkaError) -> TopicState {
    guard let topic = rd_kafka_topic_new(client.handle, name, nil) else {
      throw KafkaError(code: KafkaErrorCode(rd_kafka_last_error()), operation: "describe topic '\(name)'", topic: name)
    }
    client.ledger.opened()
    defer {
      rd_kafka_topic_destroy(topic)
      client.ledger.closed()
    }
    let found = try withMetadata(of: .topic(topic), timeoutMs: timeoutMs) { Self.find(name, in: $0) }
    guard let found else { throw .topicMissing(topic: name) }
    return try found.get()
  }

  /// The topic in a metadata answer; nil where it is not in it or "unknown".
  private static func find(_ name: String, in metadata: rd_kafka_metadata) -> Result<TopicState, KafkaError>? {
    for index in 0..<Int(metadata.topic_cnt) where String(cString: metadata.topics[index].topic) == name {
      let code = KafkaErrorCode(metadata.topics[index].err)
      switch code.native {
      case RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
        return .success(
          TopicState(name: name, partitions: metadata.topics[index].partition_cnt, created: false))
      case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        return nil
      default:
        return .failure(KafkaError(code: code, operation: "describe topic '\(name)'", topic: name))
      }
    }
    return nil
  }

  /// Sees to it that every topic exists: looks each up without creating it, creates the missing ones, and gives all
  /// of them in the order asked for. `timeoutMs` holds for each step.
  ///
  /// Throws by name what stands in the way: no broker, a refused login, a missing permission, an impossible
  /// replication factor, or a broker that cannot be asked to create topics.
  @discardableResult
  package func ensureTopics(_ specs: [TopicSpec], timeoutMs: Int32) throws(KafkaError) -> [TopicState] {
    for spec in specs { try TopicName.check(spec.name) }
    var states: [TopicState] = []
    for spec in specs {
      if let state = try describe(spec.name, timeoutMs: timeoutMs) {
        states.append(state)
        continue
      }
      if try create(spec, timeoutMs: timeoutMs) {
        states.append(TopicState(name: spec.name, partitions: spec.partitions, created: true))
      } else {
        // Somebody else was faster, or the topic is hidden from this login: asking by name tells which.
        states.append(try describeExisting(spec.name, timeoutMs: timeoutMs))
      }
    }
    return states
  }

  /// What a metadata request asks for.
  enum Subject {
    case brokers, allTopics
    case topic(OpaquePointer)
  }

  /// Runs one metadata request and hands its answer to `body`, watching the event queue for the reason of a failure.
  func withMetadata<Answer>(
    of subject: Subject, timeoutMs: Int32, _ body: (rd_kafka_metadata) -> Answer
  ) throws(KafkaError) -> Answer {
    let (all, topic): (Int32, OpaquePointer?) =
      switch subject {
      case .brokers: (0, nil)
      case .allTopics: (1, nil)
      case .topic(let topic): (0, topic)
      }
    let deadline = ContinuousClock.now + .milliseconds(Int(timeoutMs))
    var lastReason = "no answer in \(timeoutMs) ms"
    while true {
      let left = (deadline - .now) / .milliseconds(1)
      guard left > 0 else { throw .unreachable(servers: servers, reason: lastReason) }
      var metadata: UnsafePointer<rd_kafka_metadata>?
      // A refused login is known long before the time is up, but only as an event: hence one second at a time.
      let code = rd_kafka_metadata(client.handle, all, topic, &metadata, Int32(min(left.rounded(.up), 1_000)))
      if let metadata {
        client.ledger.opened()
        defer {
          rd_kafka_metadata_destroy(metadata)
          client.ledger.closed()
        }
        return body(metadata.pointee)
      }
      if let reason = try drainEvents() { lastReason = reason }
      let failure = KafkaErrorCode(code)
      if !failure.isRetriable { throw KafkaError(code: failure, operation: "ask for metadata", servers: servers) }
    }
  }

  /// Takes what lies on the event queue: throws a refused login, gives the last other error's text.
  private func drainEvents() throws(KafkaError) -> String? {
    var lastReason: String?
    while let event = rd_kafka_queue_poll(client.queue, 0) {
      defer { rd_kafka_event_destroy(event) }
      guard case .error(let code, let reason, _) = KafkaEvent(event) else { continue }
      let error = KafkaError(code: code, operation: "connect", servers: servers, reason: reason)
      if case .authenticationFailed = error { throw error }
      // "All brokers down" only repeats that something is wrong; the event before it said what.
      if code.native != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN { lastReason = reason }
    }
    return lastReason
  }
}
