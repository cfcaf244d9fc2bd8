import CRdKafka

/// What can go wrong between us and Kafka, in the kinds an operator would act on differently.
///
/// `description` is one line: what, where, what to try. It never holds a password.
package enum KafkaError: Error, Equatable, Sendable {
  /// No broker answered in time. `reason` is librdkafka's last word on it.
  case unreachable(servers: String, reason: String)
  /// A broker answered and refused the login (SASL), or the TLS handshake failed.
  case authenticationFailed(servers: String, reason: String)
  /// The login is good but may not do this: `operation` is a phrase like "create topic 'x'".
  case notAuthorized(operation: String, code: KafkaErrorCode)
  /// The topic (or partition) does not exist.
  case topicMissing(topic: String)
  /// The message is over `message.max.bytes` here or over the broker's limit.
  case messageTooLarge(topic: String)
  /// The producer's queue is full and stayed so.
  case queueFull
  /// A setting was refused, by one of our laws or by librdkafka.
  case invalidConfiguration(property: String, reason: String)
  /// The producer is broken for good: destroy it and start over from the cursor.
  case fatal(code: KafkaErrorCode, reason: String)
  /// Anything else: `operation` is a phrase like "read topic 'x'".
  case other(code: KafkaErrorCode, operation: String, reason: String)

  /// Kafka's or librdkafka's code.
  package var code: KafkaErrorCode {
    switch self {
    case .unreachable: KafkaErrorCode(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
    case .authenticationFailed: KafkaErrorCode(RD_KAFKA_RESP_ERR__AUTHENTICATION)
    case .notAuthorized(_, let code), .fatal(let code, _), .other(let code, _, _): code
    case .topicMissing: KafkaErrorCode(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
    case .messageTooLarge: KafkaErrorCode(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
    case .queueFull: KafkaErrorCode(RD_KAFKA_RESP_ERR__QUEUE_FULL)
    case .invalidConfiguration: KafkaErrorCode(RD_KAFKA_RESP_ERR__INVALID_ARG)
    }
  }

  /// The code's name, for metrics.
  package var name: String { code.name }

  /// True where trying again can succeed without anyone changing anything.
  package var isRetriable: Bool {
    switch self {
    case .unreachable, .queueFull: true
    case .other(let code, _, _): code.isRetriable
    default: false
    }
  }

  /// True where this producer can never send again.
  package var isFatal: Bool {
    if case .fatal = self { true } else { false }
  }

  /// Sorts a code into the kinds above. `operation` is a phrase for the sentence, `topic` where one is concerned.
  package init(code: KafkaErrorCode, operation: String, topic: String? = nil, servers: String = "", reason: String = "")
  {
    let reason = reason.isEmpty ? code.text : reason
    switch code.native {
    case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__RESOLVE,
      RD_KAFKA_RESP_ERR__TIMED_OUT:
      self = .unreachable(servers: servers, reason: reason)
    case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR__SSL, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
      RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
      self = .authenticationFailed(servers: servers, reason: reason)
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
      RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      self = .notAuthorized(operation: operation, code: code)
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
      RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      self = .topicMissing(topic: topic ?? "?")
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
      self = .messageTooLarge(topic: topic ?? "?")
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
      self = .queueFull
    default:
      self = .other(code: code, operation: operation, reason: reason)
    }
  }
}

extension KafkaError: CustomStringConvertible {
  /// One line: what happened, where, what to try.
  package var description: String {
    switch self {
    case .unreachable(let servers, let reason):
      "cannot reach a Kafka broker at \(servers): \(reason); try: check --bootstrap-servers and that the broker runs"
    case .authenticationFailed(let servers, let reason):
      "Kafka at \(servers) refused the login: \(reason); "
        + "try: check -X security.protocol, sasl.mechanism, sasl.username, sasl.password and the CA file"
    case .notAuthorized(let operation, let code):
      "not allowed to \(operation) (\(code.name)); try: grant this login the permission (kafka-acls.sh)"
    case .topicMissing(let topic):
      "topic '\(topic)' does not exist; try: create it, or allow this login to create it"
    case .messageTooLarge(let topic):
      "a message is larger than topic '\(topic)' takes; "
        + "try: raise max.message.bytes of the topic and -X message.max.bytes together"
    case .queueFull:
      "the producer's queue stayed full; try: look at the broker's health, or raise -X queue.buffering.max.kbytes"
    case .invalidConfiguration(let property, let reason):
      property.isEmpty ? "invalid Kafka configuration: \(reason)" : "invalid Kafka setting '\(property)': \(reason)"
    case .fatal(let code, let reason):
      "the Kafka producer failed for good (\(code.name)): \(reason); it has to be restarted from the cursor"
    case .other(let code, let operation, let reason):
      "Kafka failed to \(operation) (\(code.name)): \(reason)"
    }
  }
}
