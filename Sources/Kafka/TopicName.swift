/// Kafka's rule for topic names (org.apache.kafka.common.internals.Topic): 1 to 249 of `a-z A-Z 0-9 . _ -`, not `.`
/// or `..`. librdkafka takes nearly anything and lets the broker find out.
enum TopicName {
  static func check(_ name: String) throws(KafkaError) {
    let allowed = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
        true
      default: false
      }
    }
    guard allowed, (1...249).contains(name.utf8.count), name != ".", name != ".." else {
      throw .invalidConfiguration(
        property: "topic", reason: "'\(name.prefix(260))' is not a topic name; try: 1 to 249 of a-z A-Z 0-9 . _ -")
    }
  }
}
