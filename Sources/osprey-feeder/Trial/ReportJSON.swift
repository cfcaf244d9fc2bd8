import Feeder
import Foundation
import Rules

/// What trials print under `--json`: one object on one line, keys sorted.
enum ReportJSON {
  struct Sample: Encodable {
    var actionId: Int64
    var action: String
    var did: String
    var uri: String?
    var time: String
    var features: [String: String]

    init(_ sample: TrialSample) {
      actionId = sample.actionID
      action = sample.action
      did = sample.did
      uri = sample.uri.isEmpty ? nil : sample.uri
      time = sample.time
      features = Dictionary(sample.features.map { ($0.name, $0.value) }) { first, _ in first }
    }
  }

  struct Account: Encodable {
    var did: String
    var hits: Int
  }

  struct Rule: Encodable {
    var mode: String
    var file: String
    var hash: String
    var evaluations: Int
    var hits: Int
    var hitRate: Double?
    var skips: Int
    var errors: Int
    var kills: Int
    var setAside: Bool
    var fault: String?
    var meanNs: Int
    var p50Ns: Int
    var p99Ns: Int
    var budgetUsed: Double
    var accounts: Int
    var top: [Account]
    var samples: [Sample]
    var campaign: String?
    var score: Score?

    init(_ report: RuleReport) {
      mode = report.rule.mode.rawValue
      file = report.rule.file
      hash = report.rule.fileHash
      let numbers = report.numbers
      evaluations = numbers.evaluations
      hits = numbers.hits
      hitRate = numbers.evaluations == 0 ? nil : Double(numbers.hits) / Double(numbers.evaluations)
      skips = numbers.skips
      errors = numbers.errors
      kills = numbers.kills
      setAside = numbers.isSetAside
      fault = report.fault.isEmpty ? nil : report.fault
      meanNs = numbers.meanNanoseconds
      p50Ns = numbers.percentile(0.5)
      p99Ns = numbers.percentile(0.99)
      budgetUsed = numbers.budgetUsed
      accounts = report.accounts
      top = report.top.map { Account(did: $0.did, hits: $0.hits) }
      samples = report.samples.map { Sample($0) }
    }
  }

  struct Overlap: Encodable {
    var first: String
    var second: String
    var shared: Int
  }

  struct Score: Encodable {
    var precision: Double?
    var recall: Double?
    var eventPrecision: Double?
    var eventRecall: Double?
    var accounts: Int
    var foundAccounts: Int
    var events: Int
    var foundEvents: Int
    var hits: Int
    var falseHits: Int
    var hitAccounts: Int
    var falseAccounts: Int
    /// The rules that belong to the campaign.
    var rules: [String]?

    init(_ score: TruthScore.Score, rules: [String]? = nil) {
      precision = score.precision
      recall = score.recall
      eventPrecision = score.eventPrecision
      eventRecall = score.eventRecall
      accounts = score.accounts
      foundAccounts = score.foundAccounts
      events = score.events
      foundEvents = score.foundEvents
      hits = score.hits
      falseHits = score.falseHits
      hitAccounts = score.hitAccounts
      falseAccounts = score.falseAccounts
      self.rules = rules
    }
  }

  /// The last line of `backtest --json` and `dry-run --json` (CONTRACT.md, "simulate, chaos").
  struct Trial: Encodable {
    var events: Int
    var evaluated: Int
    var hits: Int
    var seconds: Double
    var eventsPerSecond: Int
    var complete: Bool
    var ruleset: String
    /// Of the worst campaign, live rules only; null without truth.
    var precision: Double?
    var recall: Double?
    var overall: Score?
    var campaigns: [String: Score]
    var rules: [String: Rule]
    var overlaps: [Overlap]

    private enum CodingKeys: String, CodingKey {
      case events, evaluated, hits, seconds, eventsPerSecond, complete, ruleset, precision, recall, overall, campaigns
      case rules, overlaps
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(events, forKey: .events)
      try container.encode(evaluated, forKey: .evaluated)
      try container.encode(hits, forKey: .hits)
      try container.encode(seconds, forKey: .seconds)
      try container.encode(eventsPerSecond, forKey: .eventsPerSecond)
      try container.encode(complete, forKey: .complete)
      try container.encode(ruleset, forKey: .ruleset)
      // These two are always there, null where there is no truth to hold the hits against.
      try container.encode(precision, forKey: .precision)
      try container.encode(recall, forKey: .recall)
      try container.encodeIfPresent(overall, forKey: .overall)
      try container.encode(campaigns, forKey: .campaigns)
      try container.encode(rules, forKey: .rules)
      try container.encode(overlaps, forKey: .overlaps)
    }
  }

  /// The object as a line.
  static func line(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
  }
}
