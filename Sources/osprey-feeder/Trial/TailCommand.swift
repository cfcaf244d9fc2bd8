import ArgumentParser
import Foundation
import Kafka
import Synchronization

struct TailCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tail", abstract: "Follow the verdicts topic: one readable line for each rule that hit.",
    discussion: """
      Begins with what comes from now on, and ends with Ctrl-C.
        osprey-feeder tail --bootstrap-servers localhost:9092 --rule LinkFlood
        osprey-feeder tail --bootstrap-servers localhost:9092 --from-beginning --no-follow --json
      """)

  enum Mode: String, CaseIterable, ExpressibleByArgument { case live, shadow }

  @OptionGroup var kafka: KafkaOptions
  @Option(help: "Topic with the verdicts.")
  var verdictTopic = "osprey.feeder.verdicts"
  @Option(help: "Only hits of this rule.")
  var rule: String?
  @Option(help: "Only hits of live rules, or only of shadow rules.")
  var mode: Mode?
  @Option(help: "Only hits on this account.")
  var did: String?
  @Flag(help: "Begin with the oldest verdict kept.")
  var fromBeginning = false
  @Flag(inversion: .prefixedNo, help: "Wait for more at the end of the topic.")
  var follow = true
  @Flag(help: "Print the verdicts as they are, one JSON object a line.")
  var json = false

  mutating func run() throws {
    let configuration = try kafka.configuration("tail")
    let isStopped = StopFlag()
    StopSignals.catchAll { isStopped.set() }
    do throws(KafkaError) {
      try read(configuration, isStopped)
    } catch {
      throw Failure("tail: \(error)")
    }
  }

  private func read(_ configuration: KafkaConfiguration, _ isStopped: StopFlag) throws(KafkaError) {
    let admin = try TopicAdmin(configuration)
    guard let topic = try admin.describe(verdictTopic, timeoutMs: 10_000) else {
      throw .topicMissing(topic: verdictTopic)
    }
    let consumer = try Consumer(configuration)
    defer { consumer.close() }
    var open = Set<Int32>()
    for partition in 0..<topic.partitions {
      let (low, high) = try consumer.watermarks(topic: verdictTopic, partition: partition, timeoutMs: 10_000)
      if !follow && (!fromBeginning || low == high) { continue }
      try consumer.assign(
        topic: verdictTopic, partition: partition, from: .offset(fromBeginning ? low : high))
      open.insert(partition)
    }
    while !isStopped.isSet, follow || !open.isEmpty {
      let result = consumer.poll(timeoutMs: 200) { message in
        guard let value = message.value else { return }
        show(value)
      }
      switch result {
      case .endOfPartition(_, let partition): open.remove(partition)
      case .failed(let error):
        guard error.isRetriable else { throw error }
        Console.write("tail: \(error)\n")
      case .message, .nothing: break
      }
    }
  }

  private func show(_ value: UnsafeRawBufferPointer) {
    guard let line = VerdictLine(value) else {
      return Console.write("tail: a message on \(verdictTopic) is no verdict and was passed over\n")
    }
    if let did, line.did != did { return }
    let hits = line.hits.filter { hit in
      (rule == nil || hit.rule == rule) && (mode == nil || (mode == .shadow) == hit.isShadow)
    }
    guard !hits.isEmpty else { return }
    if json { return printText(String(decoding: value, as: UTF8.self) + "\n") }
    for hit in hits { printText(line.text(hit) + "\n") }
  }
}

/// Set once, by a signal.
final class StopFlag: Sendable {
  private let flag = Atomic<Bool>(false)
  func set() { flag.store(true, ordering: .relaxed) }
  var isSet: Bool { flag.load(ordering: .relaxed) }
}

/// A verdict message as a person wants to read it.
struct VerdictLine {
  /// A rule that hit.
  struct Hit {
    var rule: String
    var isShadow: Bool
  }

  private let members: [String: Any]
  let hits: [Hit]
  private let effects: [[String: Any]]

  init?(_ value: UnsafeRawBufferPointer) {
    guard let members = try? JSONSerialization.jsonObject(with: Data(value)) as? [String: Any],
      members["__action_id"] != nil
    else { return nil }
    self.members = members
    hits =
      (members["__rules_hit"] as? [String] ?? []).map { Hit(rule: $0, isShadow: false) }
      + (members["__rules_shadow"] as? [String] ?? []).map { Hit(rule: $0, isShadow: true) }
    let text = members["__effects"] as? String ?? "[]"
    effects = (try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]]) ?? []
  }

  var did: String { members["UserId"] as? String ?? "" }

  /// `2026-07-04T14:38:07.918Z  LinkFlood  at://…  verdict review, label spam on UserId · LinkCount 9 · "Nine links"`
  func text(_ hit: Hit) -> String {
    let subject = members["AtUri"] as? String ?? did
    var parts = [
      (members["__timestamp"] as? String ?? "").replacingOccurrences(of: "+00:00", with: "Z"),
      hit.rule + (hit.isShadow ? " (shadow)" : ""), subject,
    ]
    let effects = self.effects.filter { $0["rule"] as? String == hit.rule }.map { effect in
      let entity = effect["entity"] as? [String: Any]
      let named = entity?["id"] as? String ?? ""
      let place = named == subject ? "" : named == did ? " on the account" : named.isEmpty ? "" : " on \(named)"
      let comment = (effect["comment"] as? String).map { " (\($0))" } ?? ""
      return [effect["type"] as? String, effect["value"] as? String].compactMap { $0 }.filter { !$0.isEmpty }
        .joined(separator: " ") + place + comment
    }
    if !effects.isEmpty { parts.append(effects.joined(separator: ", ")) }
    let features = self.features
    if !features.isEmpty { parts.append(features) }
    return parts.joined(separator: "  ")
  }

  /// What is known about the event already stands in the line, or says little to a person.
  private static let silent: Set = [
    "ActionName", "UserId", "Collection", "OperationKind", "AtUri", "RecordKey", "Cid", "PostText", "PdsHost",
    "AccountCreatedAt", "PostAllDomains", "FacetLinkList",
  ]

  /// Features in the order of their names, then the text; columns of rules are left out.
  private var features: String {
    var shown: [String] = []
    for (name, value) in members.sorted(by: { $0.key < $1.key })
    where !name.hasPrefix("__") && !Self.silent.contains(name) {
      switch value {
      case let text as String: shown.append("\(name) \(shortened(text, 80))")
      case let list as [String]: shown.append("\(name) \(shortened(list.joined(separator: " "), 80))")
      // A boolean is the column of a rule far more often than a feature.
      case let number as NSNumber where isBoolean(number): continue
      case let number as NSNumber: shown.append("\(name) \(number)")
      default: continue
      }
    }
    if let text = members["PostText"] as? String { shown.append("“\(shortened(text, 100))”") }
    return shown.joined(separator: " · ")
  }
}

/// Whether JSON said `true` or `false`: Foundation makes a number of both.
private func isBoolean(_ number: NSNumber) -> Bool { String(cString: number.objCType) == "c" }
