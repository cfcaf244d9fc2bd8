/// A kind of Kafka request faults can be injected into. Numbers: Kafka protocol guide, "Api Keys".
package enum BrokerRequest: Int16, CaseIterable, Sendable {
  case produce = 0
  case fetch = 1
  case listOffsets = 2
  case metadata = 3
  case findCoordinator = 10
  case joinGroup = 11
  case heartbeat = 12
  case apiVersion = 18
  case initProducerID = 22

  /// The word for it on the control channel.
  package var word: String {
    switch self {
    case .produce: "produce"
    case .fetch: "fetch"
    case .listOffsets: "list-offsets"
    case .metadata: "metadata"
    case .findCoordinator: "find-coordinator"
    case .joinGroup: "join-group"
    case .heartbeat: "heartbeat"
    case .apiVersion: "api-version"
    case .initProducerID: "init-producer-id"
    }
  }
}

/// One line of the embedded broker's control channel.
///
/// ```
/// ping                               nothing; answers ok
/// topic NAME PARTITIONS              create a topic
/// errors REQUEST COUNT ERROR         the next COUNT requests of this kind fail (ERROR is a name or a number;
///                                    _TRANSPORT cuts the connection)
/// clear REQUEST                      forget the errors not yet used up
/// down [BROKER]                      drop connections and refuse new ones (all brokers without a number)
/// up [BROKER]                        accept them again
/// rtt MILLISECONDS [BROKER]          answer that much later; 0 ends it
/// leader TOPIC PARTITION BROKER      move a partition; BROKER none leaves it without a leader
/// ```
package enum BrokerCommand: Equatable, Sendable {
  case ping
  case topic(name: String, partitions: Int)
  case errors(BrokerRequest, [KafkaErrorCode])
  case clear(BrokerRequest)
  case down(broker: Int32?)
  case up(broker: Int32?)
  case roundTrip(broker: Int32?, milliseconds: Int32)
  case leader(topic: String, partition: Int32, broker: Int32?)

  /// Why a line is no command; `reason` is one line.
  package struct ParseError: Error, Equatable, Sendable {
    package let reason: String
  }

  /// The most errors one command may push.
  package static let errorsMax = 100_000

  /// Reads one line, words separated by spaces or tabs.
  package init(line: String) throws(ParseError) {
    let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" }).map(String.init)
    guard let verb = words.first else { throw ParseError(reason: "empty line") }
    let arguments = Array(words.dropFirst())
    switch verb {
    case "ping":
      try Self.expect(arguments, 0...0, "ping")
      self = .ping
    case "topic":
      try Self.expect(arguments, 2...2, "topic NAME PARTITIONS")
      self = .topic(name: arguments[0], partitions: Int(try Self.number(arguments[1], 1...1_000)))
    case "errors":
      try Self.expect(arguments, 3...3, "errors REQUEST COUNT ERROR")
      let count = try Self.number(arguments[1], 1...Int32(Self.errorsMax))
      let error = try Self.error(arguments[2])
      self = .errors(try Self.request(arguments[0]), Array(repeating: error, count: Int(count)))
    case "clear":
      try Self.expect(arguments, 1...1, "clear REQUEST")
      self = .clear(try Self.request(arguments[0]))
    case "down":
      try Self.expect(arguments, 0...1, "down [BROKER]")
      self = .down(broker: try Self.broker(arguments.first))
    case "up":
      try Self.expect(arguments, 0...1, "up [BROKER]")
      self = .up(broker: try Self.broker(arguments.first))
    case "rtt":
      try Self.expect(arguments, 1...2, "rtt MILLISECONDS [BROKER]")
      let milliseconds = try Self.number(arguments[0], 0...600_000)
      self = .roundTrip(broker: try Self.broker(arguments.dropFirst().first), milliseconds: milliseconds)
    case "leader":
      try Self.expect(arguments, 3...3, "leader TOPIC PARTITION BROKER")
      let broker = arguments[2] == "none" ? nil : try Self.broker(arguments[2])
      self = .leader(topic: arguments[0], partition: try Self.number(arguments[1], 0...9_999), broker: broker)
    default:
      throw ParseError(reason: "unknown command '\(verb)'; try: ping topic errors clear down up rtt leader")
    }
  }

  private static func expect(_ words: [String], _ count: ClosedRange<Int>, _ usage: String) throws(ParseError) {
    guard count.contains(words.count) else { throw ParseError(reason: "usage: \(usage)") }
  }

  private static func number(_ word: String, _ range: ClosedRange<Int32>) throws(ParseError) -> Int32 {
    guard let number = Int32(word), range.contains(number) else {
      throw ParseError(reason: "'\(word)' is not a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  private static func broker(_ word: String?) throws(ParseError) -> Int32? {
    guard let word else { return nil }
    return try number(word, 1...16)
  }

  private static func request(_ word: String) throws(ParseError) -> BrokerRequest {
    guard let request = BrokerRequest.allCases.first(where: { $0.word == word }) else {
      let known = BrokerRequest.allCases.map(\.word).joined(separator: " ")
      throw ParseError(reason: "unknown request '\(word)'; try: \(known)")
    }
    return request
  }

  private static func error(_ word: String) throws(ParseError) -> KafkaErrorCode {
    if let number = Int32(word), number != 0, number > -200, number < 200 { return KafkaErrorCode(rawValue: number) }
    guard let code = KafkaErrorCode(name: word), code != .none else {
      throw ParseError(reason: "unknown error '\(word)'; try: NOT_LEADER_FOR_PARTITION, _TRANSPORT, or a number")
    }
    return code
  }
}
