import CRdKafka

/// A code of Kafka (positive) or of librdkafka itself (negative); 0 is success.
///
/// Source: `rd_kafka_resp_err_t` in rdkafka.h. Small enough to travel in every delivery report.
package struct KafkaErrorCode: RawRepresentable, Hashable, Sendable {
  package let rawValue: Int32

  package init(rawValue: Int32) { self.rawValue = rawValue }

  /// No error: the message is acknowledged.
  package static let none = KafkaErrorCode(rawValue: 0)

  init(_ code: rd_kafka_resp_err_t) { rawValue = code.rawValue }

  var native: rd_kafka_resp_err_t { rd_kafka_resp_err_t(rawValue: rawValue) }

  /// The code's name as Kafka spells it, without prefix: `MSG_SIZE_TOO_LARGE`; librdkafka's own start with `_`.
  package var name: String { String(cString: rd_kafka_err2name(native)) }

  /// librdkafka's sentence about the code.
  package var text: String { String(cString: rd_kafka_err2str(native)) }

  /// True where trying again can succeed without anyone changing anything. librdkafka has retried by itself already.
  package var isRetriable: Bool { Self.retriable.contains(native.rawValue) }

  /// The code with this name, as `name` gives it; upper and lower case do not matter.
  package init?(name wanted: String) {
    var descriptions: UnsafePointer<rd_kafka_err_desc>?
    var count = 0
    rd_kafka_get_err_descs(&descriptions, &count)
    guard let descriptions else { return nil }
    let upper = wanted.uppercased()
    for index in 0..<count {
      guard let name = descriptions[index].name, String(cString: name) == upper else { continue }
      self.init(descriptions[index].code)
      return
    }
    return nil
  }

  private static let retriable: Set<Int32> = Set(
    [
      RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__TIMED_OUT,
      RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR__RESOLVE,
      RD_KAFKA_RESP_ERR__QUEUE_FULL, RD_KAFKA_RESP_ERR__WAIT_COORD, RD_KAFKA_RESP_ERR__RETRY,
      RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
      RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE,
      RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
      RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
      RD_KAFKA_RESP_ERR_NOT_CONTROLLER, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
      RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH, RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH,
    ].map(\.rawValue))
}
