import CRdKafka

extension Producer {
  /// Events taken per wait, so that a flood cannot keep the delivery thread from its other duties.
  static let eventsPerWaitMax = 64

  /// The delivery loop's body: blocks up to `timeoutMs` for an event, then takes what else is there (at most 64
  /// events) without waiting. Calls `each` for every delivery report and gives their number; errors, logs and
  /// statistics go to `onEvent`. Afterwards wakes the senders that wait for room.
  ///
  /// To be called by one thread, which belongs to the caller. Allocates nothing per report.
  @discardableResult
  package func waitForDeliveries(timeoutMs: Int32, _ each: (Delivery) -> Void) -> Int {
    if client.isClosed { return 0 }
    var reports = 0
    var acknowledged = false
    var wait = timeoutMs
    for _ in 0..<Self.eventsPerWaitMax {
      guard let event = rd_kafka_queue_poll(client.queue, wait) else { break }
      wait = 0
      if rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR {
        while let message = rd_kafka_event_message_next(event) {
          let code = KafkaErrorCode(message.pointee.err)
          if code == .none { acknowledged = true } else { health.count(code) }
          each(Delivery(token: UInt64(UInt(bitPattern: message.pointee._private)), error: code))
          reports += 1
        }
      } else if let other = KafkaEvent(event) {
        note(other)
      }
      // Room is free only from here on: librdkafka counts a message until its report is destroyed.
      rd_kafka_event_destroy(event)
    }
    if acknowledged { health.brokerAnswered() }
    if reports > 0 { room.announce() }
    return reports
  }

  /// Whether a sender sleeps until there is room: then every report counts at once.
  package var isRoomAwaited: Bool { room.isAwaited }

  private func note(_ event: KafkaEvent) {
    switch event {
    case .error(let code, _, _): health.noteError(code)
    // librdkafka calls one of our own defaults experimental at every start; that was weighed when it was chosen.
    case .log(_, "CONFWARN", let text) where text.contains("enable.gapless.guarantee is experimental"): return
    default: break
    }
    onEvent(event)
  }

  /// Whether the broker is up as far as traffic tells: by the last acknowledgement or "all brokers down".
  package var brokerState: BrokerState { health.brokerState }

  /// Asks the cluster for its metadata, waiting up to `timeoutMs`: true if it answered. For `/readyz` on a quiet
  /// stream, where no delivery tells. Do not call it on the delivery thread.
  package func probeBroker(timeoutMs: Int32) -> Bool {
    guard !client.isClosed else { return false }
    var metadata: UnsafePointer<rd_kafka_metadata>?
    guard rd_kafka_metadata(client.handle, 0, nil, &metadata, timeoutMs) == RD_KAFKA_RESP_ERR_NO_ERROR else {
      return false
    }
    if let metadata { rd_kafka_metadata_destroy(metadata) }
    health.brokerAnswered()
    return true
  }

  /// Failed deliveries and client errors since start, by code name, sorted by name. For metrics.
  package var errorCounts: [(name: String, count: UInt64)] { health.errorCounts }

  /// How often a sender had to wait for room since start.
  package var roomWaits: UInt64 { health.waits }
}
