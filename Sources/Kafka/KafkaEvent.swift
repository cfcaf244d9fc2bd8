import CRdKafka

/// What librdkafka reports besides deliveries and messages. Rare; made of strings, so never on the hot path.
package enum KafkaEvent: Sendable, Equatable {
  /// A client-wide error: librdkafka goes on trying unless `isFatal`.
  case error(code: KafkaErrorCode, reason: String, isFatal: Bool)
  /// A log line; `level` as in syslog (3 error … 7 debug).
  case log(level: Int32, facility: String, message: String)
  /// The statistics document (JSON), where `statistics.interval.ms` asks for it.
  case statistics(json: String)

  /// Reads an event that is not a delivery report; nil for kinds we did not ask for. The event stays the caller's.
  init?(_ event: OpaquePointer) {
    switch rd_kafka_event_type(event) {
    case RD_KAFKA_EVENT_ERROR:
      let reason = rd_kafka_event_error_string(event).map { String(cString: $0) } ?? ""
      self = .error(
        code: KafkaErrorCode(rd_kafka_event_error(event)), reason: reason,
        isFatal: rd_kafka_event_error_is_fatal(event) != 0)
    case RD_KAFKA_EVENT_LOG:
      var facility: UnsafePointer<CChar>?
      var message: UnsafePointer<CChar>?
      var level: Int32 = 0
      guard rd_kafka_event_log(event, &facility, &message, &level) == 0 else { return nil }
      self = .log(
        level: level, facility: facility.map { String(cString: $0) } ?? "",
        message: message.map { String(cString: $0) } ?? "")
    case RD_KAFKA_EVENT_STATS:
      self = .statistics(json: rd_kafka_event_stats(event).map { String(cString: $0) } ?? "")
    default:
      return nil
    }
  }
}
