/// How to reach Kafka: servers, client name, and the operator's `-X` overrides.
///
/// Overrides are applied last. Those that would break a law (at least once, in order, readable by the stock Osprey
/// worker, nothing silent) are refused by name; everything else is librdkafka's to judge.
/// Property names: CONFIGURATION.md of librdkafka.
package struct KafkaConfiguration: Sendable {
  /// `host:port`, comma-separated.
  package var bootstrapServers: String
  /// Shown in the broker's logs and quotas.
  package var clientID: String
  /// The `-X key=value` overrides.
  package var properties: [String: String]
  /// Where librdkafka objects made from this configuration are counted.
  package var ledger: HandleLedger

  package init(
    bootstrapServers: String, clientID: String = "osprey-feeder", properties: [String: String] = [:],
    ledger: HandleLedger = .shared
  ) {
    self.bootstrapServers = bootstrapServers
    self.clientID = clientID
    self.properties = properties
    self.ledger = ledger
  }

  /// What a producer gets before the overrides. "At least once, in order" hangs on the first five.
  package static let producerDefaults: [(name: String, value: String)] = [
    ("enable.idempotence", "true"),
    ("acks", "all"),
    // A batch the broker refuses for good stops the producer. Without this the batches behind it are still written,
    // and the refused messages, replayed from the cursor, come after messages they should precede.
    ("enable.gapless.guarantee", "true"),
    ("message.timeout.ms", "0"),  // 0: never give up on a message by the clock
    ("partitioner", "murmur2_random"),  // Java's default for keyed messages; ours always have a key
    ("linger.ms", "5"),
    ("compression.type", "none"),
    ("message.max.bytes", "1000000"),
    ("queue.buffering.max.kbytes", "65536"),
    ("queue.buffering.max.messages", "100000"),  // a bound for small messages, which cost about 250 bytes each beside
    ("delivery.report.only.error", "false"),
    ("statistics.interval.ms", "0"),
  ]

  /// What a consumer gets before the overrides: explicit offsets only, no group, gaps are errors.
  static let consumerDefaults: [(name: String, value: String)] = [
    ("enable.partition.eof", "true"),
    // A lost range must be an error, not a silent jump to the newest message.
    ("auto.offset.reset", "error"),
    ("enable.auto.commit", "false"),
    ("auto.commit.enable", "false"),
    ("allow.auto.create.topics", "false"),
    ("fetch.wait.max.ms", "100"),
    ("queued.max.messages.kbytes", "16384"),
  ]

  /// Bytes of key plus value a producer made from this accepts: `message.max.bytes` less the 36 bytes librdkafka
  /// reserves for a record's own fields (rd_kafka_msg_max_wire_size).
  package var messageBytesMax: Int { (properties["message.max.bytes"].flatMap { Int($0) } ?? 1_000_000) - 36 }

  /// Refuses overrides that would break a law.
  package func validate() throws(KafkaError) {
    for (name, value) in properties.sorted(by: { $0.key < $1.key }) {
      if let reason = PropertyLaws.refusal(name: name, value: value) {
        throw .invalidConfiguration(property: name, reason: reason)
      }
    }
    if bootstrapServers.isEmpty {
      throw .invalidConfiguration(property: "bootstrap.servers", reason: "is empty; try: --bootstrap-servers HOST:PORT")
    }
  }

  /// The settings of a client in the order in which they are applied.
  func settings(producer: Bool) throws(KafkaError) -> [(name: String, value: String)] {
    try validate()
    var settings = producer ? Self.producerDefaults : Self.consumerDefaults
    settings.append(("bootstrap.servers", bootstrapServers))
    settings.append(("client.id", clientID))
    // Logs come as events on the queue the caller polls, never from librdkafka's threads to stderr.
    settings.append(("log.queue", "true"))
    for (name, value) in properties.sorted(by: { $0.key < $1.key }) {
      if !producer && PropertyLaws.isProducerOnly(name) { continue }
      settings.append((name, value))
    }
    return settings
  }
}
