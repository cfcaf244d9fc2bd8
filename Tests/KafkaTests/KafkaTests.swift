import Testing

/// One test at a time: they share two cores with librdkafka's threads, and three consumers of the mock cluster in one
/// process have hung on destroy.
@Suite(.serialized) enum KafkaTests {}
