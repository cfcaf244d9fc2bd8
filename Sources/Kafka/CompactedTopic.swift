import CRdKafka

/// Reading a compacted topic of one partition as the map it is.
package enum CompactedTopic {
  /// The last value written under each wanted key up to the moment of asking; deleted keys are left out.
  ///
  /// Reads from the oldest message to the high watermark, with a consumer of its own. `timeoutMs` is for the whole;
  /// running out of it is an error, never a stale answer. Throws `topicMissing`, `unreachable` and what reading throws.
  package static func lastValues(
    topic: String, _ configuration: KafkaConfiguration, timeoutMs: Int32,
    where isWanted: (UnsafeRawBufferPointer) -> Bool
  ) throws(KafkaError) -> [[UInt8]: [UInt8]] {
    let deadline = ContinuousClock.now + .milliseconds(Int(timeoutMs))
    let consumer = try Consumer(configuration)
    defer { consumer.close() }
    // A wrong address or login should say so: this throws it by name, the offsets request only "timed out".
    let admin = try TopicAdmin(configuration)
    guard try admin.describe(topic, timeoutMs: timeoutMs) != nil else { throw .topicMissing(topic: topic) }
    let (low, high) = try consumer.watermarks(topic: topic, partition: 0, timeoutMs: left(until: deadline))
    if low >= high { return [:] }
    try consumer.assign(topic: topic, partition: 0, from: .offset(low))

    var values: [[UInt8]: [UInt8]] = [:]
    var next = low
    while next < high {
      let remaining = left(until: deadline)
      guard remaining > 0 else {
        throw .unreachable(
          servers: configuration.bootstrapServers,
          reason: "topic '\(topic)' was read only to offset \(next) of \(high) in \(timeoutMs) ms")
      }
      let result = consumer.poll(timeoutMs: remaining) { message in
        next = message.offset + 1
        guard let key = message.key, isWanted(key) else { return }
        values[[UInt8](key)] = message.value.map { [UInt8]($0) }
      }
      switch result {
      case .message, .nothing: continue
      case .endOfPartition: return values  // compaction may have removed the last offsets below the watermark
      case .failed(let error): if !error.isRetriable { throw error }
      }
    }
    return values
  }

  /// `lastValues` of one key; nil where there is none.
  package static func lastValue(
    topic: String, key: [UInt8], _ configuration: KafkaConfiguration, timeoutMs: Int32
  ) throws(KafkaError) -> [UInt8]? {
    try lastValues(topic: topic, configuration, timeoutMs: timeoutMs) { $0.elementsEqual(key) }[key]
  }

  private static func left(until deadline: ContinuousClock.Instant) -> Int32 {
    Int32(clamping: Int(((deadline - .now) / .milliseconds(1)).rounded(.up)))
  }
}
