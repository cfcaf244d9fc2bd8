import CRdKafka

extension TopicAdmin {
  /// Asks the cluster to create a topic; false where it exists already, throws everything else.
  /// (`rd_kafka_CreateTopics`)
  func create(_ spec: TopicSpec, timeoutMs: Int32) throws(KafkaError) -> Bool {
    var topic = try newTopic(spec)
    let ledger = client.ledger
    defer {
      rd_kafka_NewTopic_destroy(topic)
      ledger.closed()
    }
    try requireController(for: spec, timeoutMs: timeoutMs)
    guard let queue = rd_kafka_queue_new(client.handle),
      let options = rd_kafka_AdminOptions_new(client.handle, RD_KAFKA_ADMIN_OP_CREATETOPICS)
    else { preconditionFailure("librdkafka allocates or aborts") }
    ledger.opened()
    ledger.opened()
    defer {
      rd_kafka_AdminOptions_destroy(options)
      rd_kafka_queue_destroy(queue)
      ledger.closed()
      ledger.closed()
    }
    let (optionCode, optionReason) = withErrorText {
      rd_kafka_AdminOptions_set_request_timeout(options, max(timeoutMs, 1), $0, $1)
    }
    guard optionCode == RD_KAFKA_RESP_ERR_NO_ERROR else {
      throw .invalidConfiguration(property: "timeout", reason: optionReason)
    }
    rd_kafka_CreateTopics(client.handle, &topic, 1, options, queue)
    // The request has its own timeout and always answers; the wait is a little longer so that it is the one to tell.
    guard let event = rd_kafka_queue_poll(queue, max(timeoutMs, 1) + 5_000) else {
      throw .unreachable(servers: servers, reason: "no answer to CreateTopics in \(timeoutMs) ms")
    }
    ledger.opened()
    defer {
      rd_kafka_event_destroy(event)
      ledger.closed()
    }
    let (code, reason) = Self.result(of: event)
    if code == .none { return true }
    if code.native == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS { return false }
    throw Self.error(creating: spec, code: code, reason: reason, servers: servers)
  }

  /// CreateTopics goes to the controller; the embedded broker names one that does not exist, and librdkafka would
  /// only say "timed out". (`rd_kafka_controllerid`)
  private func requireController(for spec: TopicSpec, timeoutMs: Int32) throws(KafkaError) {
    let controller = rd_kafka_controllerid(client.handle, timeoutMs)
    let known = try withMetadata(of: .brokers, timeoutMs: timeoutMs) { metadata in
      (0..<Int(metadata.broker_cnt)).contains { metadata.brokers[$0].id == controller }
    }
    guard known else {
      let code = KafkaErrorCode(RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE)
      throw Self.error(creating: spec, code: code, reason: "", servers: servers)
    }
  }

  private func newTopic(_ spec: TopicSpec) throws(KafkaError) -> OpaquePointer? {
    let (created, reason) = withErrorText {
      rd_kafka_NewTopic_new(spec.name, spec.partitions, spec.replicationFactor, $0, $1)
    }
    guard let created else { throw .invalidConfiguration(property: "topic '\(spec.name)'", reason: reason) }
    client.ledger.opened()
    for (name, value) in spec.config.sorted(by: { $0.key < $1.key }) {
      let code = KafkaErrorCode(rd_kafka_NewTopic_set_config(created, name, value))
      guard code == .none else {
        rd_kafka_NewTopic_destroy(created)
        client.ledger.closed()
        throw .invalidConfiguration(property: name, reason: code.text)
      }
    }
    return created
  }

  /// The outcome of CreateTopics for its one topic: the request's own error, else the topic's.
  private static func result(of event: OpaquePointer) -> (KafkaErrorCode, String) {
    let code = KafkaErrorCode(rd_kafka_event_error(event))
    if code != .none { return (code, rd_kafka_event_error_string(event).map { String(cString: $0) } ?? "") }
    var count = 0
    guard let result = rd_kafka_event_CreateTopics_result(event),
      let topics = rd_kafka_CreateTopics_result_topics(result, &count), count == 1, let topic = topics[0]
    else { return (KafkaErrorCode(RD_KAFKA_RESP_ERR__BAD_MSG), "an answer without the topic") }
    let reason = rd_kafka_topic_result_error_string(topic).map { String(cString: $0) } ?? ""
    return (KafkaErrorCode(rd_kafka_topic_result_error(topic)), reason)
  }

  /// The error an operator can act on, from what the broker answered to CreateTopics.
  static func error(creating spec: TopicSpec, code: KafkaErrorCode, reason: String, servers: String) -> KafkaError {
    let why = reason.isEmpty ? code.text : reason
    switch code.native {
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
      return .other(
        code: code, operation: "create topic '\(spec.name)'",
        reason:
          "this cluster cannot be asked to (no CreateTopics, or no controller; the embedded broker has neither and "
          + "creates a missing topic with 4 partitions when it is first used); "
          + "try: create it with \(spec.partitions) partitions beforehand")
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
      return .invalidConfiguration(
        property: "--replication-factor",
        reason: "\(spec.replicationFactor) is not possible for topic '\(spec.name)': \(why); "
          + "try: at most the number of brokers, or -1 for the broker's default (Kafka 2.4 and later)")
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
      return .invalidConfiguration(
        property: "--partitions", reason: "\(spec.partitions) is not possible for topic '\(spec.name)': \(why)")
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
      return .invalidConfiguration(property: "topic", reason: "'\(spec.name)' is not a topic name: \(why)")
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG, RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
      return .invalidConfiguration(property: "topic '\(spec.name)'", reason: why)
    default:
      return KafkaError(
        code: code, operation: "create topic '\(spec.name)'", topic: spec.name, servers: servers, reason: why)
    }
  }
}
