import CRdKafka
import Glibc
import Synchronization

/// librdkafka's mock cluster as a Kafka broker on loopback ports: for laptops and tests. Not durable.
///
/// It keeps about 5 MB per partition and drops the oldest silently; auto-created topics have 4 partitions, so ours are
/// created here. What else it cannot do stands in the design document. (rdkafka_mock.h)
///
/// Unchecked: every function of rdkafka_mock.h takes the cluster's lock or hands an operation to the cluster's own
/// thread and waits for it, so any thread may call; `close` runs once, its caller sees to it that nobody else calls.
package final class EmbeddedBroker: @unchecked Sendable {
  private let client: Client
  private let cluster: OpaquePointer
  private let closed = Atomic<Bool>(false)
  /// `host:port` of every broker, comma-separated: what clients put into `bootstrap.servers`.
  package let bootstrapServers: String
  /// Brokers are numbered from 1 to this.
  package let brokers: Int

  /// Starts the brokers and creates the topics. Throws for an impossible count, name or partition number.
  package init(
    brokers: Int = 1, topics: [(name: String, partitions: Int)] = [], ledger: HandleLedger = .shared
  ) throws(KafkaError) {
    guard (1...16).contains(brokers) else {
      throw .invalidConfiguration(property: "brokers", reason: "\(brokers) is not between 1 and 16")
    }
    client = try Client(
      RD_KAFKA_PRODUCER, settings: [("client.id", "embedded-broker"), ("log.queue", "true"), ("log_level", "3")],
      events: 0, ledger: ledger)
    guard let cluster = rd_kafka_mock_cluster_new(client.handle, Int32(brokers)) else {
      throw .other(
        code: KafkaErrorCode(RD_KAFKA_RESP_ERR__FAIL), operation: "start the embedded broker",
        reason: "no loopback socket; try: check the limit of open files")
    }
    ledger.opened()
    self.cluster = cluster
    self.brokers = brokers
    bootstrapServers = String(cString: rd_kafka_mock_cluster_bootstraps(cluster))
    for topic in topics { try createTopic(topic.name, partitions: topic.partitions) }
  }

  deinit { close() }

  /// Stops the brokers; connections break and everything stored is gone. A second call does nothing.
  ///
  /// Takes up to a second: the mock cluster joins a thread of librdkafka that sleeps in steps of one.
  package func close() {
    guard !closed.exchange(true, ordering: .acquiringAndReleasing) else { return }
    rd_kafka_mock_cluster_destroy(cluster)
    client.ledger.closed()
    client.close()
  }

  /// Creates a topic with one replica. Throws where it exists or cannot be.
  package func createTopic(_ name: String, partitions: Int) throws(KafkaError) {
    try TopicName.check(name)
    guard (1...1_000).contains(partitions) else {
      throw .invalidConfiguration(property: "partitions", reason: "\(partitions) is not between 1 and 1000")
    }
    let code = KafkaErrorCode(rd_kafka_mock_topic_create(cluster, name, Int32(partitions), 1))
    letThreadSettle()
    guard code == .none else { throw KafkaError(code: code, operation: "create topic '\(name)'", topic: name) }
  }

  /// Does what a control command says. Throws what the mock cluster refuses.
  package func execute(_ command: BrokerCommand) throws(KafkaError) {
    let code: rd_kafka_resp_err_t
    switch command {
    case .ping:
      code = RD_KAFKA_RESP_ERR_NO_ERROR
    case .topic(let name, let partitions):
      return try createTopic(name, partitions: partitions)
    case .errors(let request, let errors):
      let codes = errors.map(\.native)
      rd_kafka_mock_push_request_errors_array(cluster, request.rawValue, codes.count, codes)
      code = RD_KAFKA_RESP_ERR_NO_ERROR
    case .clear(let request):
      rd_kafka_mock_clear_request_errors(cluster, request.rawValue)
      code = RD_KAFKA_RESP_ERR_NO_ERROR
    case .down(let broker):
      code = rd_kafka_mock_broker_set_down(cluster, try known(broker))
    case .up(let broker):
      code = rd_kafka_mock_broker_set_up(cluster, try known(broker))
    case .roundTrip(let broker, let milliseconds):
      code = rd_kafka_mock_broker_set_rtt(cluster, try known(broker), milliseconds)
    case .leader(let topic, let partition, let broker):
      code = rd_kafka_mock_partition_set_leader(cluster, topic, partition, try known(broker))
    }
    letThreadSettle()
    guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
      throw .other(code: KafkaErrorCode(code), operation: "\(command)", reason: KafkaErrorCode(code).text)
    }
  }

  /// Keeps two operations from following each other at once: the cluster's thread answers an operation before it
  /// clears its wake-up pipe, so the wake-up of one sent in between is thrown away, and it then waits out a poll of
  /// one second (`rd_kafka_mock_cluster_io_poll`, librdkafka 2.0.2).
  private func letThreadSettle() { usleep(1_000) }

  /// The mock cluster's number for a broker, -1 for all (or, of a leader, none).
  private func known(_ broker: Int32?) throws(KafkaError) -> Int32 {
    guard let broker else { return -1 }
    guard (1...Int32(brokers)).contains(broker) else {
      throw .invalidConfiguration(property: "broker", reason: "there is no broker \(broker), only 1 to \(brokers)")
    }
    return broker
  }
}
