import ATProto
import Kafka
import Osprey
import Rules

/// Everything `run` needs to know, checked and with defaults applied.
package struct PipelineSettings: Sendable {
  package var workers = 1
  package var decode = DecodeOptions()
  package var shape = ActionShape.osprey
  package var withPosition = false
  package var snowflakeEpochMs = ActionID.defaultEpochMs
  package var kafka: KafkaConfiguration
  package var outputTopic = "osprey.actions_input"
  package var verdictTopic = "osprey.feeder.verdicts"
  package var deadLetterTopic = "osprey.feeder.dead_letters"
  /// For topics that have to be created.
  package var partitions: Int32 = 12
  package var replicationFactor: Int32 = -1
  package var rulesFolder: String
  /// A second rule set that runs beside the live one and publishes nothing.
  package var candidateFolder: String?
  /// What every load of the rules gets: what is known about accounts, how many faults are too many.
  package var ruleOptions = RuleOptions()
  /// Key of the cursor.
  package var name: String
  package var cursorStore = CursorStore.kafka
  package var start = StartPosition.live
  /// Where snapshots of what the rules remember are kept; nil: windows begin empty at each start.
  package var stateFolder: String?
  /// How often a snapshot is made, at most, in milliseconds: what a restart judges again.
  package var stateIntervalMs = 10_000
  /// How long a stop may take, in milliseconds.
  package var drainTimeoutMs = 10_000
  /// `source` in dead letters.
  package var sourceName = "relay"
  /// False for a capture file, whose clock is its own.
  package var isLive = true
  package var emitsAllVerdicts = false
  package var connectTimeoutMs: Int32 = 10_000

  package init(kafka: KafkaConfiguration, rulesFolder: String, name: String) {
    self.kafka = kafka
    self.rulesFolder = rulesFolder
    self.name = name
  }
}

/// Where to begin when no cursor is saved.
package enum StartPosition: Equatable, Sendable {
  case live
  /// The whole replay window of the relay (cursor 0).
  case oldest
  case sequence(Int64)

  package init?(_ text: String) {
    switch text {
    case "live": self = .live
    case "oldest": self = .oldest
    default:
      guard let sequence = Int64(text), sequence >= 0, sequence <= Limits.sequenceMax else { return nil }
      self = .sequence(sequence)
    }
  }

  /// As the relay's `cursor` parameter.
  var cursor: Int64? {
    switch self {
    case .live: nil
    case .oldest: 0
    case .sequence(let sequence): sequence
    }
  }
}
