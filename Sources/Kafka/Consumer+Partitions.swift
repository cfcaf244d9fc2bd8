import CRdKafka

extension Consumer {
  /// The first offset of a partition whose message is from `timeMs` (Unix time, milliseconds) or later; nil where there is
  /// none. Asked of the broker. (`rd_kafka_offsets_for_times`)
  package func offset(
    topic name: String, partition: Int32, atMs timeMs: Int64, timeoutMs: Int32
  ) throws(KafkaError) -> Int64? {
    guard let list = rd_kafka_topic_partition_list_new(1) else {
      preconditionFailure("librdkafka allocates or aborts")
    }
    defer { rd_kafka_topic_partition_list_destroy(list) }
    rd_kafka_topic_partition_list_add(list, name, partition).pointee.offset = timeMs
    let asked = KafkaErrorCode(rd_kafka_offsets_for_times(client.handle, list, timeoutMs))
    let code = asked == .none ? KafkaErrorCode(list.pointee.elems[0].err) : asked
    guard code == .none else {
      throw KafkaError(code: code, operation: "find a time in topic '\(name)'", topic: name, servers: servers)
    }
    let offset = list.pointee.elems[0].offset
    return offset >= 0 ? offset : nil
  }

  /// Adds a partition that is read by itself, with `poll(separate:)`: what nobody asks for stays with the broker, so that one
  /// partition cannot run far ahead of the others. Returns its number for `poll(separate:)`.
  package func assignSeparately(
    topic name: String, partition: Int32, from start: StartOffset
  ) throws(KafkaError) -> Int {
    guard let queue = rd_kafka_queue_new(client.handle) else { preconditionFailure("librdkafka allocates or aborts") }
    client.ledger.opened()
    separate.append(queue)
    try assign(topic: name, partition: partition, from: start, into: queue)
    return separate.count - 1
  }

  /// Waits up to `timeoutMs` for the next message of a partition and shows it to `body`.
  package func poll(
    separate number: Int, timeoutMs: Int32, _ body: (ConsumedMessage) throws -> Void
  ) rethrows -> PollResult {
    guard let message = rd_kafka_consume_queue(separate[number], timeoutMs) else { return .nothing }
    defer { rd_kafka_message_destroy(message) }
    guard message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR else { return failure(of: message) }
    try body(ConsumedMessage(message))
    return .message
  }
}
