import ArgumentParser
import Foundation
import Kafka

/// How commands that read topics reach Kafka.
struct KafkaOptions: ParsableArguments {
  @Option(help: "Kafka brokers as HOST:PORT,… (also ATKAFKA_BOOTSTRAP_SERVERS).")
  var bootstrapServers: String?
  @Option(name: .customShort("X"), help: "key=value: any librdkafka property; repeatable.")
  var property: [String] = []

  /// The configuration for `command`, checked.
  func configuration(_ command: String) throws -> KafkaConfiguration {
    let servers = bootstrapServers ?? ProcessInfo.processInfo.environment["ATKAFKA_BOOTSTRAP_SERVERS"] ?? ""
    guard !servers.isEmpty else {
      throw UsageError("\(command): no Kafka broker given; try: --bootstrap-servers HOST:PORT")
    }
    var properties: [String: String] = [:]
    for pair in property {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty else { throw UsageError("-X: '\(pair)' is not KEY=VALUE") }
      properties[String(parts[0])] = String(parts[1])
    }
    let configuration = KafkaConfiguration(
      bootstrapServers: servers, clientID: "osprey-feeder-\(command)", properties: properties)
    do throws(KafkaError) {
      try configuration.validate()
    } catch {
      throw UsageError("\(command): \(error)")
    }
    return configuration
  }
}
