// Kafka: bytes go to topics, 8-byte tokens come back when the broker has acknowledged them.
// Owns librdkafka 2.0.2: producer, consumer, topic creation, and its mock cluster as an embedded broker. Knows no events.
// One thread of the caller's blocks in `Producer.waitForDeliveries` on purpose; nobody sleeps and looks again.
// Start at `Producer.send`.
