import CRdKafka
import Synchronization

/// One delivery report: the token given to `send`, and 0 or why the message was given up.
package struct Delivery: Sendable, Equatable {
  package let token: UInt64
  /// `.none` (0): acknowledged by every in-sync replica.
  package let error: KafkaErrorCode

  package init(token: UInt64, error: KafkaErrorCode) {
    self.token = token
    self.error = error
  }
}

/// What became of one `send`. Only `queued` leads to a `Delivery`; for all others the message was not taken.
package enum SendResult: Sendable, Equatable {
  /// Taken: exactly one `Delivery` with its token will follow.
  case queued
  /// No room (`queue.buffering.max.*`): wait for a delivery, then send again.
  case full
  /// Over `message.max.bytes`.
  case tooLarge
  /// The producer has failed for good; `fatalError` says why.
  case fatal
  /// The producer was closed.
  case closed
  /// Refused for another reason, such as a topic that does not exist.
  case refused(KafkaErrorCode)
}

/// The idempotent producer: bytes in, tokens out.
///
/// Any thread may `send`; one owned thread calls `waitForDeliveries` in a loop. Without that thread nothing is ever
/// reported, the queue fills, and `send` answers `full`.
///
/// Unchecked: librdkafka's INTRODUCTION.md, "Threads and callbacks": the API is completely thread-safe. Our own
/// state is atomics and a `Mutex`; `close` alone asks its caller that no other call be under way.
package final class Producer: @unchecked Sendable {
  let client: Client
  let room = RoomSignal()
  let health = ProducerHealth()
  let onEvent: @Sendable (KafkaEvent) -> Void
  /// Topic objects by name; they must be destroyed before the client, so the producer owns them.
  private let topics = Mutex<[String: TopicPointer]>([:])

  /// Makes the producer; connects in the background. `onEvent` is called on the delivery thread, for errors and logs.
  /// Throws `invalidConfiguration`.
  package init(
    _ configuration: KafkaConfiguration, onEvent: @escaping @Sendable (KafkaEvent) -> Void = { _ in }
  ) throws(KafkaError) {
    client = try Client(
      RD_KAFKA_PRODUCER, settings: configuration.settings(producer: true),
      events: RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG | RD_KAFKA_EVENT_STATS,
      ledger: configuration.ledger)
    self.onEvent = onEvent
  }

  deinit { close() }

  /// A topic to send to. Asking again for the same name gives the same topic. Throws for an impossible name.
  /// (`rd_kafka_topic_new`)
  package func topic(_ name: String) throws(KafkaError) -> TopicHandle {
    try TopicName.check(name)
    let (pointer, code) = topics.withLock { topics -> (TopicPointer?, rd_kafka_resp_err_t) in
      if let known = topics[name] { return (known, RD_KAFKA_RESP_ERR_NO_ERROR) }
      guard !client.isClosed else { return (nil, RD_KAFKA_RESP_ERR__DESTROY) }
      guard let created = rd_kafka_topic_new(client.handle, name, nil) else { return (nil, rd_kafka_last_error()) }
      client.ledger.opened()
      topics[name] = TopicPointer(raw: created)
      return (TopicPointer(raw: created), RD_KAFKA_RESP_ERR_NO_ERROR)
    }
    guard let pointer else {
      throw KafkaError(code: KafkaErrorCode(code), operation: "open topic '\(name)'", topic: name)
    }
    return TopicHandle(name: name, pointer: pointer.raw, producer: self)
  }

  /// Queues one message; copies key and value. `timestampMs` is Unix time, at least 1. `token` comes back in exactly
  /// one `Delivery` if the answer is `queued`. Does not wait, allocate (in Swift) or throw.
  ///
  /// The partition is murmur2 of the key, as Java's producer has it, also for an empty key.
  package func send(
    _ topic: TopicHandle, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, timestampMs: Int64, token: UInt64
  ) -> SendResult {
    if client.isClosed { return .closed }
    let code = crdkafka_send(
      client.handle, topic.pointer, key.baseAddress, key.count, value.baseAddress, value.count, timestampMs, token)
    switch code {
    case RD_KAFKA_RESP_ERR_NO_ERROR: return .queued
    case RD_KAFKA_RESP_ERR__QUEUE_FULL: return .full
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE: return .tooLarge
    case RD_KAFKA_RESP_ERR__FATAL: return .fatal
    default: return .refused(KafkaErrorCode(code))
    }
  }

  /// `send`, but where the queue is full it waits until the delivery thread has made room. Answers `full` only when
  /// `timeoutMs` has passed (negative: never) or `interruptWaits` was called while it waited.
  package func sendWhenRoom(
    _ topic: TopicHandle, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, timestampMs: Int64,
    token: UInt64, timeoutMs: Int32
  ) -> SendResult {
    while true {
      let seen = room.generation
      let result = send(topic, key: key, value: value, timestampMs: timestampMs, token: token)
      guard result == .full, !health.isInterrupted else { return result }
      guard waitForRoom(past: seen, timeoutMs: timeoutMs) else { return .full }
    }
  }

  /// Moves whenever the delivery thread has freed room. Read it before `send`, hand it to `waitForRoom`.
  package var roomGeneration: UInt64 { room.generation }

  /// Waits until room was freed since `seen` was read; false after `timeoutMs` (negative: no limit). A condition
  /// signalled by the delivery thread after each batch of reports, not a sleep.
  package func waitForRoom(past seen: UInt64, timeoutMs: Int32) -> Bool {
    health.countWait()
    return room.wait(past: seen, timeoutMs: timeoutMs)
  }

  /// Wakes every sender that waits for room; from now on `sendWhenRoom` does not wait any more. For shutdown.
  package func interruptWaits() {
    health.interrupt()
    room.announce()
  }

  /// Messages taken and not yet reported, plus events waiting on the queue (`rd_kafka_outq_len`). 0 after a drain.
  package var queuedMessages: Int { client.isClosed ? 0 : Int(rd_kafka_outq_len(client.handle)) }

  /// Sends what is queued without lingering and waits until all of it is answered; false after `timeoutMs`.
  /// The delivery thread must go on meanwhile: it makes the count fall (`rd_kafka_flush`).
  package func flush(timeoutMs: Int32) -> Bool {
    client.isClosed || rd_kafka_flush(client.handle, timeoutMs) == RD_KAFKA_RESP_ERR_NO_ERROR
  }

  /// Gives up everything not yet acknowledged: each token comes back with `_PURGE_QUEUE` or `_PURGE_INFLIGHT`, the
  /// latter may have been written all the same (`rd_kafka_purge`).
  package func purge() {
    guard !client.isClosed else { return }
    rd_kafka_purge(client.handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
  }

  /// Destroys topics and client. The delivery thread must have ended and nobody may be sending. Unreported messages
  /// are gone: `flush`, or `purge` and drain, before. Also runs when the last reference goes.
  package func close() {
    guard !client.isClosed else { return }
    topics.withLock { topics in
      for pointer in topics.values {
        rd_kafka_topic_destroy(pointer.raw)
        client.ledger.closed()
      }
      topics.removeAll()
    }
    client.close()
  }

  /// Why this producer can never send again, or nil (`rd_kafka_fatal_error`).
  package var fatalError: KafkaError? {
    guard !client.isClosed else { return nil }
    let (code, reason) = withErrorText { rd_kafka_fatal_error(client.handle, $0, $1) }
    guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
    return .fatal(code: KafkaErrorCode(code), reason: reason)
  }
}

/// A topic of one producer; keeps the producer alive.
///
/// Unchecked: a constant pointer into librdkafka, which is thread-safe; the producer frees it, and outlives this.
package final class TopicHandle: @unchecked Sendable {
  /// The topic's name.
  package let name: String
  let pointer: OpaquePointer
  private let producer: Producer

  init(name: String, pointer: OpaquePointer, producer: Producer) {
    self.name = name
    self.pointer = pointer
    self.producer = producer
  }
}

/// Unchecked: an address; librdkafka is thread-safe and `Producer.close` is the only place that frees it.
struct TopicPointer: @unchecked Sendable {
  let raw: OpaquePointer
}
