/// Which `-X` properties an operator may not set, and why.
enum PropertyLaws {
  /// The reason to refuse this override, or nil where it breaks no law.
  static func refusal(name: String, value: String) -> String? {
    if let reason = ours[name] { return reason }
    guard let law = laws[name] else { return nil }
    return law.accepts(value.lowercased()) ? nil : "'\(value)' is refused, \(law.reason)"
  }

  /// True for properties that mean something to producers only: other clients would log a warning about each.
  static func isProducerOnly(_ name: String) -> Bool {
    if laws[name] != nil { return true }
    return producerPrefixes.contains { name.hasPrefix($0) } || name == "message.max.bytes"
      || name == "statistics.interval.ms"
  }

  private static let producerPrefixes = [
    "queue.buffering.", "linger.", "batch.", "compression.", "message.copy.", "sticky.partitioning.",
    "transaction", "request.timeout.ms",
  ]

  private struct Law: Sendable {
    let accepts: @Sendable (String) -> Bool
    let reason: String
  }

  private static func only(_ values: String..., because reason: String) -> Law {
    Law(accepts: { values.contains($0) }, reason: reason)
  }

  private static let isTrue = only(
    "true", "t", "1", because: "it must stay true: without it a retry could reorder or repeat")
  private static let gapless = only(
    "true", "t", "1", because: "it must stay true: without it later messages overtake a refused batch")
  private static let allAcks = only(
    "all", "-1", because: "it must stay 'all': the cursor counts on every in-sync replica having the message")
  private static let noTimeout = only("0", because: "it must stay 0: a message given up by the clock is a lost event")
  private static let retries = only(
    "2147483647", because: "retries must not run out: a message given up is a lost event")
  private static let inFlight = Law(
    accepts: { value in Int(value).map { (1...5).contains($0) } ?? false },
    reason: "it must be 1 to 5: beyond that the idempotent producer cannot keep order")
  private static let codec = only(
    "none", "gzip", because: "only 'none' and 'gzip': the stock Osprey worker decodes nothing else")
  private static let fullReports = only(
    "false", "f", "0", because: "it must stay false: every message's report is waited for")

  private static let laws: [String: Law] = [
    "enable.idempotence": isTrue,
    "enable.gapless.guarantee": gapless,
    "acks": allAcks, "request.required.acks": allAcks,
    "message.timeout.ms": noTimeout, "delivery.timeout.ms": noTimeout,
    "message.send.max.retries": retries, "retries": retries,
    "max.in.flight": inFlight, "max.in.flight.requests.per.connection": inFlight,
    "compression.codec": codec, "compression.type": codec,
    "delivery.report.only.error": fullReports,
    "partitioner": only(
      "murmur2_random", because: "it must stay 'murmur2_random': another would move accounts between partitions"),
    "queuing.strategy": only("fifo", because: "it must stay 'fifo': anything else gives up order"),
  ]

  /// Names that are refused whatever their value.
  private static let ours: [String: String] = [
    "transactional.id": "transactions are refused: the stock Osprey worker reads their control records as messages",
    "bootstrap.servers": "is set by --bootstrap-servers",
    "metadata.broker.list": "is set by --bootstrap-servers",
    "test.mock.num.brokers": "is refused; try: --bootstrap-servers embedded",
    "enabled_events": "belongs to this program",
    "log.queue": "belongs to this program",
    "log_cb": "belongs to this program",
    "error_cb": "belongs to this program",
    "stats_cb": "belongs to this program",
    "dr_cb": "belongs to this program: delivery reports move the cursor",
    "dr_msg_cb": "belongs to this program: delivery reports move the cursor",
    "opaque": "belongs to this program",
    "default_topic_conf": "belongs to this program",
    "partitioner_cb": "belongs to this program",
    "msg_order_cmp": "belongs to this program: it would give up order",
  ]
}
