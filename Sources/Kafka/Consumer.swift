import CRdKafka

/// Where to start reading a partition.
package enum StartOffset: Sendable, Equatable {
  /// The oldest message kept.
  case beginning
  /// Only what comes after now.
  case end
  /// This offset; reading fails if it is no longer kept.
  case offset(Int64)

  var native: Int64 {
    switch self {
    case .beginning: crdkafka_offset_beginning
    case .end: crdkafka_offset_end
    case .offset(let offset): offset
    }
  }
}

/// A consumed message. Key and value are views: valid only inside the closure that receives them.
package struct ConsumedMessage {
  /// nil: the message has no key.
  package let key: UnsafeRawBufferPointer?
  /// nil: a tombstone.
  package let value: UnsafeRawBufferPointer?
  package let partition: Int32
  package let offset: Int64
  /// Unix time in milliseconds; -1 where the message has none.
  package let timestampMs: Int64
  private let handle: OpaquePointer?

  init(_ message: UnsafePointer<rd_kafka_message_t>) {
    key = message.pointee.key.map { UnsafeRawBufferPointer(start: $0, count: message.pointee.key_len) }
    value = message.pointee.payload.map { UnsafeRawBufferPointer(start: $0, count: message.pointee.len) }
    partition = message.pointee.partition
    offset = message.pointee.offset
    timestampMs = rd_kafka_message_timestamp(message, nil)
    handle = message.pointee.rkt
  }

  /// The topic's name; makes a String.
  package var topic: String { handle.map { String(cString: rd_kafka_topic_name($0)) } ?? "" }
}

/// What one `poll` found.
package enum PollResult: Sendable, Equatable {
  /// The closure has seen a message.
  case message
  /// Everything written so far to this partition was read; more may come.
  case endOfPartition(topic: String, partition: Int32)
  /// Nothing within the time.
  case nothing
  /// An error; librdkafka goes on trying where `isRetriable`.
  case failed(KafkaError)
}

/// A consumer without group: it reads the partitions it is told, from the offsets it is told, and commits nothing.
///
/// Not thread-safe: it belongs to the thread that polls it.
package final class Consumer {
  let client: Client
  /// Messages of all partitions; the client's own events are forwarded here too, so one poll sees everything.
  private let queue: OpaquePointer
  let servers: String
  private var topics: [String: OpaquePointer] = [:]
  private var assigned: [(topic: OpaquePointer, partition: Int32)] = []
  /// Queues of partitions that are read by themselves.
  var separate: [OpaquePointer] = []
  private var isClosed = false

  /// Makes the consumer; connects in the background. Throws `invalidConfiguration`.
  package init(_ configuration: KafkaConfiguration) throws(KafkaError) {
    servers = configuration.bootstrapServers
    client = try Client(
      RD_KAFKA_CONSUMER, settings: configuration.settings(producer: false),
      events: RD_KAFKA_EVENT_FETCH | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG, ledger: configuration.ledger)
    guard let queue = rd_kafka_queue_new(client.handle) else {
      preconditionFailure("librdkafka allocates or aborts")
    }
    client.ledger.opened()
    self.queue = queue
    rd_kafka_queue_forward(client.queue, queue)
  }

  deinit { close() }

  /// Stops reading and frees everything. A second call does nothing.
  package func close() {
    guard !isClosed else { return }
    isClosed = true
    for (topic, partition) in assigned { rd_kafka_consume_stop(topic, partition) }
    for topic in topics.values {
      rd_kafka_topic_destroy(topic)
      client.ledger.closed()
    }
    for queue in separate {
      rd_kafka_queue_destroy(queue)
      client.ledger.closed()
    }
    rd_kafka_queue_forward(client.queue, nil)
    rd_kafka_queue_destroy(queue)
    client.ledger.closed()
    client.close()
  }

  /// Adds a partition to what is read. Throws where it is read already or cannot be. (`rd_kafka_consume_start_queue`)
  package func assign(topic name: String, partition: Int32, from start: StartOffset) throws(KafkaError) {
    try assign(topic: name, partition: partition, from: start, into: queue)
  }

  func assign(
    topic name: String, partition: Int32, from start: StartOffset, into queue: OpaquePointer
  ) throws(KafkaError) {
    let topic = try topicPointer(name)
    guard !assigned.contains(where: { $0 == (topic, partition) }) else {
      throw .other(
        code: KafkaErrorCode(RD_KAFKA_RESP_ERR__CONFLICT), operation: "read topic '\(name)'",
        reason: "partition \(partition) is being read already")
    }
    learnLeader(of: topic)
    guard rd_kafka_consume_start_queue(topic, partition, start.native, queue) == 0 else {
      throw KafkaError(
        code: KafkaErrorCode(rd_kafka_last_error()), operation: "read topic '\(name)' partition \(partition)",
        topic: name,
        servers: servers)
    }
    assigned.append((topic, partition))
  }

  /// Waits up to `timeoutMs` for one message and shows it to `body`.
  package func poll(timeoutMs: Int32, _ body: (ConsumedMessage) throws -> Void) rethrows -> PollResult {
    precondition(!isClosed, "a closed consumer cannot be polled")
    var deadline: ContinuousClock.Instant?
    var wait = timeoutMs
    while let event = rd_kafka_queue_poll(queue, wait) {
      client.ledger.opened()
      defer {
        rd_kafka_event_destroy(event)
        client.ledger.closed()
      }
      if rd_kafka_event_type(event) == RD_KAFKA_EVENT_FETCH {
        guard let message = rd_kafka_event_message_next(event) else { continue }
        guard message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR else { return failure(of: message) }
        try body(ConsumedMessage(message))
        return .message
      }
      if let result = result(of: event) { return result }
      // A log line is nothing to the caller: what is left of the time is waited on. The clock is read only here.
      let end = deadline ?? .now + .milliseconds(Int(timeoutMs))
      deadline = end
      wait = max(0, Int32(clamping: Int((end - .now) / .milliseconds(1))))
    }
    return .nothing
  }

  /// The oldest offset kept and the one after the newest, asked of the broker. Throws `topicMissing`, `unreachable`.
  /// (`rd_kafka_query_watermark_offsets`)
  package func watermarks(
    topic name: String, partition: Int32, timeoutMs: Int32
  ) throws(KafkaError) -> (low: Int64, high: Int64) {
    var low: Int64 = 0
    var high: Int64 = 0
    let code = KafkaErrorCode(
      rd_kafka_query_watermark_offsets(client.handle, name, partition, &low, &high, timeoutMs))
    guard code == .none else {
      throw KafkaError(code: code, operation: "read the offsets of topic '\(name)'", topic: name, servers: servers)
    }
    return (low, high)
  }

  /// Asks where the topic's leaders are, so that reading starts at once. Only a hint: without it librdkafka finds out
  /// by itself, half a second later, and says what is wrong when polled.
  private func learnLeader(of topic: OpaquePointer) {
    var metadata: UnsafePointer<rd_kafka_metadata>?
    _ = rd_kafka_metadata(client.handle, 0, topic, &metadata, 1_000)
    if let metadata { rd_kafka_metadata_destroy(metadata) }
  }

  func failure(of message: UnsafePointer<rd_kafka_message_t>) -> PollResult {
    let topic = message.pointee.rkt.map { String(cString: rd_kafka_topic_name($0)) } ?? ""
    return result(of: KafkaErrorCode(message.pointee.err), topic, message.pointee.partition, reason: "")
  }

  /// What an event other than a message says; nil for a log line.
  private func result(of event: OpaquePointer) -> PollResult? {
    guard case .error(let code, let reason, _)? = KafkaEvent(event) else { return nil }
    guard let place = rd_kafka_event_topic_partition(event) else { return result(of: code, "", -1, reason: reason) }
    defer { rd_kafka_topic_partition_destroy(place) }
    return result(of: code, String(cString: place.pointee.topic), place.pointee.partition, reason: reason)
  }

  private func result(of code: KafkaErrorCode, _ topic: String, _ partition: Int32, reason: String) -> PollResult {
    if code.native == RD_KAFKA_RESP_ERR__PARTITION_EOF {
      return .endOfPartition(topic: topic, partition: partition)
    }
    return .failed(
      KafkaError(code: code, operation: "read topic '\(topic)'", topic: topic, servers: servers, reason: reason))
  }

  private func topicPointer(_ name: String) throws(KafkaError) -> OpaquePointer {
    if let known = topics[name] { return known }
    try TopicName.check(name)
    guard let created = rd_kafka_topic_new(client.handle, name, nil) else {
      throw KafkaError(code: KafkaErrorCode(rd_kafka_last_error()), operation: "read topic '\(name)'", topic: name)
    }
    client.ledger.opened()
    topics[name] = created
    return created
  }
}
