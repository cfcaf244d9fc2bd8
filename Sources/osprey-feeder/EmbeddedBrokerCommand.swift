import ArgumentParser
import Feeder
import Foundation
import Kafka

struct EmbeddedBrokerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "broker", abstract: "The embedded Kafka broker alone, until stopped; its address is the first line.",
    discussion: """
      librdkafka's mock cluster: for trials and tests. It keeps about 5 MB per partition in memory, drops the oldest
      silently, and forgets everything when it ends.
        osprey-feeder broker --control /tmp/broker.sock
      """)

  @Option(help: "Partitions of each topic.")
  var partitions = 12
  @Option(help: "Topics to create; repeatable.")
  var topic: [String] = ["osprey.actions_input", "osprey.feeder.verdicts", "osprey.feeder.dead_letters"]
  @Option(help: "Number of brokers in the cluster.")
  var brokers = 1
  @Option(help: "Path of a socket that takes fault commands, one a line (help lists them).")
  var control: String?

  mutating func validate() throws {
    guard (1...1000).contains(partitions) else { throw ValidationError("--partitions: 1 to 1000") }
    guard (1...9).contains(brokers) else { throw ValidationError("--brokers: 1 to 9") }
  }

  mutating func run() throws {
    let stopped = DispatchSemaphore(value: 0)
    StopSignals.catchAll { stopped.signal() }
    do throws(KafkaError) {
      let broker = try EmbeddedBroker(
        brokers: brokers, topics: topic.map { ($0, partitions) } + [(CursorStore.topic, 1)])
      let control = try self.control.map { path throws(KafkaError) in try BrokerControl(path: path, broker: broker) }
      print(broker.bootstrapServers)
      fflush(nil)
      stopped.wait()
      control?.close()
      broker.close()
    } catch {
      throw Failure("\(error)")
    }
  }
}
