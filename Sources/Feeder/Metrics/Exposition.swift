import ATProto
import Kafka
import Osprey
import Rules

/// Writes the feeder's numbers in Prometheus text format 0.0.4.
package struct Exposition {
  private var text = ""

  private init() {}

  /// The whole page.
  package static func page(
    _ metrics: FeederMetrics, _ status: PipelineStatus, rules: [RuleStatus], candidate: [CandidateDifference]? = nil
  ) -> [UInt8] {
    var page = Exposition()
    page.events(metrics)
    page.flow(metrics, status)
    page.kafka(metrics, status)
    page.relay(metrics, status)
    page.state(metrics)
    page.rules(rules, metrics)
    if let candidate { page.candidate(candidate, metrics) }
    if let process = ProcessMetrics.read() { page.process(process) }
    return Array(page.text.utf8)
  }

  private mutating func metric(_ name: String, _ kind: String, _ help: String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
  }

  private mutating func value(_ name: String, _ labels: String, _ value: some CustomStringConvertible) {
    text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
  }

  private mutating func single(
    _ name: String, _ kind: String, _ help: String, _ value: some CustomStringConvertible
  ) {
    metric(name, kind, help)
    self.value(name, "", value)
  }

  private mutating func family(_ name: String, _ help: String, label: String, _ counters: LabelledCounters) {
    metric(name, "counter", help)
    for (index, value) in counters.labels.enumerated() where counters[index].count > 0 {
      self.value(name, "\(label)=\"\(value)\"", counters[index].count)
    }
  }

  /// What at-kafka counts, under its names.
  private mutating func events(_ metrics: FeederMetrics) {
    metric(
      "atkafka_handled_events", "counter", "Actions handled, by action name and collection (the first 64, then other).")
    for row in metrics.collections.snapshot {
      value(
        "atkafka_handled_events",
        "action_name=\"\(row.action)\",collection=\"\(Self.escaped(row.collection))\"", row.count)
    }
    metric("atkafka_produced_events", "counter", "Messages acknowledged (ok) or given up (error).")
    value("atkafka_produced_events", "status=\"ok\"", metrics.acknowledged.count)
    value("atkafka_produced_events", "status=\"error\"", metrics.deliveryErrors.count)
  }

  private mutating func flow(_ metrics: FeederMetrics, _ status: PipelineStatus) {
    single("osprey_feeder_frames_received_total", "counter", "Frames taken into the ring.", metrics.received.count)
    single("osprey_feeder_frames_received_bytes_total", "counter", "Their bytes.", metrics.receivedBytes.count)
    metric(
      "osprey_feeder_frames_total", "counter", "Frames by outcome and reason, once everything of them is acknowledged.")
    for (index, label) in metrics.frames.labels.enumerated() where metrics.frames[index].count > 0 {
      value("osprey_feeder_frames_total", label, metrics.frames[index].count)
    }
    metric("osprey_feeder_frames_in_flight", "gauge", "Frames whose fate is open, by place.")
    value("osprey_feeder_frames_in_flight", "place=\"waiting\"", status.waitingFrames)
    value("osprey_feeder_frames_in_flight", "place=\"decoding\"", status.decodingFrames)
    value("osprey_feeder_frames_in_flight", "place=\"unacknowledged\"", status.framesInFlight)
    family("osprey_feeder_defects_total", "Imperfections of accepted frames.", label: "defect", metrics.defects)
    single("osprey_feeder_operations_total", "counter", "Operations seen in commits.", metrics.operationsSeen.count)
    single(
      "osprey_feeder_operations_produced_total", "counter", "Operations made into actions.",
      metrics.operationsProduced.count)
    family(
      "osprey_feeder_operations_dropped_total", "Operations not made into actions.", label: "reason",
      metrics.operationsDropped)
    family(
      "osprey_feeder_record_errors_total", "Actions sent without their record.", label: "reason", metrics.recordErrors)
    family("osprey_feeder_actions_total", "Actions by name.", label: "action_name", metrics.actions)
    single("osprey_feeder_verdicts_total", "counter", "Verdict messages.", metrics.verdicts.count)
    single("osprey_feeder_dead_letters_total", "counter", "Dead letters.", metrics.deadLetters.count)
    metric("osprey_feeder_thread_busy_seconds_total", "counter", "CPU time of the pipeline's threads.")
    value("osprey_feeder_thread_busy_seconds_total", "thread=\"judge\"", Self.seconds(metrics.judgeBusyNanos.count))
    for (index, busy) in metrics.workerBusyNanos.enumerated() {
      value("osprey_feeder_thread_busy_seconds_total", "thread=\"worker\(index)\"", Self.seconds(busy.count))
    }
    latency(metrics.latency)
  }

  private mutating func latency(_ histogram: Histogram) {
    let name = "osprey_feeder_latency_seconds"
    metric(name, "histogram", "From a frame's arrival to the acknowledgement of all its messages.")
    let (counts, sum) = histogram.snapshot
    var total = 0
    for (index, bound) in histogram.boundsMicros.enumerated() {
      total += counts[index]
      value("\(name)_bucket", "le=\"\(Double(bound) / 1e6)\"", total)
    }
    total += counts[histogram.boundsMicros.count]
    value("\(name)_bucket", "le=\"+Inf\"", total)
    value("\(name)_sum", "", Double(sum) / 1e6)
    value("\(name)_count", "", total)
  }

  private mutating func kafka(_ metrics: FeederMetrics, _ status: PipelineStatus) {
    single("osprey_feeder_kafka_queue_messages", "gauge", "Messages in the producer's queue.", status.kafkaQueue)
    single(
      "osprey_feeder_kafka_unacknowledged_messages", "gauge", "Messages sent and not acknowledged.",
      status.messagesInFlight)
    single(
      "osprey_feeder_kafka_room_waits_total", "counter", "Times the judge waited for room in the producer's queue.",
      status.roomWaits)
    metric("osprey_feeder_kafka_errors_total", "counter", "Errors of the client and of deliveries.")
    for error in status.kafkaErrors { value("osprey_feeder_kafka_errors_total", "code=\"\(error.name)\"", error.count) }
    single(
      "osprey_feeder_kafka_producer_restarts_total", "counter", "Producers replaced after a fatal error.",
      metrics.producerRestarts.count)
    metric("osprey_feeder_kafka_up", "gauge", "1 while a broker answers.")
    value("osprey_feeder_kafka_up", "", status.broker == .up ? 1 : 0)
  }

  private mutating func relay(_ metrics: FeederMetrics, _ status: PipelineStatus) {
    single("osprey_feeder_relay_connected", "gauge", "1 while connected.", metrics.isConnected.count)
    single("osprey_feeder_relay_connects_total", "counter", "Connections made.", metrics.connects.count)
    single(
      "osprey_feeder_relay_disconnects_total", "counter", "Connections lost or refused.", metrics.disconnects.count)
    single(
      "osprey_feeder_relay_sequence_resets_total", "counter", "Times a relay's sequence started anew.",
      metrics.sequenceResets.count)
    single(
      "osprey_feeder_relay_sequence", "gauge", "Sequence number of the newest judged frame.", metrics.lastSequence.count
    )
    single(
      "osprey_feeder_relay_lag_seconds", "gauge", "Age of the newest judged frame by its own time.",
      metrics.lagSeconds ?? 0)
    metric("osprey_feeder_cursor_sequence", "gauge", "The cursor: everything up to it is acknowledged.")
    for cursor in status.cursors {
      value("osprey_feeder_cursor_sequence", "host=\"\(Self.escaped(cursor.host))\"", cursor.sequence)
    }
    metric(
      "osprey_feeder_cursor_lag_frames", "gauge", "Sequence numbers between the newest judged frame and the cursor.")
    if let cursor = status.cursors.last {
      value("osprey_feeder_cursor_lag_frames", "", max(0, metrics.lastSequence.count - Int(cursor.sequence)))
    }
    single("osprey_feeder_cursor_saves_total", "counter", "Cursors saved.", metrics.cursorSaves.count)
    single(
      "osprey_feeder_cursor_save_errors_total", "counter", "Cursors that could not be saved.",
      metrics.cursorSaveErrors.count)
  }

  private mutating func state(_ metrics: FeederMetrics) {
    single(
      "osprey_feeder_state_saves_total", "counter", "Snapshots of the rules' state saved.", metrics.stateSaves.count)
    single(
      "osprey_feeder_state_save_errors_total", "counter", "Snapshots that could not be saved.",
      metrics.stateSaveErrors.count)
    single("osprey_feeder_state_bytes", "gauge", "Size of the newest snapshot.", metrics.stateBytes.count)
  }

  private mutating func rules(_ rules: [RuleStatus], _ metrics: FeederMetrics) {
    single(
      "osprey_feeder_actions_evaluated_total", "counter", "Actions that met at least one rule.",
      metrics.actionsEvaluated.count)
    single("osprey_feeder_actions_hit_total", "counter", "Actions that at least one rule hit.", metrics.hits.count)
    family(
      "osprey_feeder_rule_reloads_total", "Loads of the rule folder while running.", label: "result",
      metrics.ruleReloads)
    perRule("evaluations_total", "counter", "Times a rule ran.", rules) { $0.evaluations }
    perRule("hits_total", "counter", "Times a rule hit.", rules) { $0.hits }
    perRule("skips_total", "counter", "Times a rule did not apply or there was no time left.", rules) { $0.skips }
    perRule("errors_total", "counter", "Times a rule failed.", rules) { $0.errors }
    perRule("budget_kills_total", "counter", "Times a budget ended a rule.", rules) { $0.kills }
    perRule("set_aside", "gauge", "1 while a rule is set aside after repeated faults.", rules) { $0.isSetAside ? 1 : 0 }
    perRule("effects_suppressed_total", "counter", "Effects not given again within their time.", rules) {
      $0.suppressed
    }
    perRule("quota_trips_total", "counter", "Times a quota made a rule shadow.", rules) { $0.quotaTrips }
    let name = "osprey_feeder_rule_seconds"
    metric(name, "histogram", "Time of one evaluation.")
    for status in rules {
      let rule = "rule=\"\(status.rule.name)\""
      var total = 0
      for (index, count) in status.numbers.histogram.enumerated() {
        total += count
        value("\(name)_bucket", "\(rule),le=\"\(Double(RuleCounters.bucketNanoseconds(index)) / 1e9)\"", total)
      }
      value("\(name)_bucket", "\(rule),le=\"+Inf\"", total)
      value("\(name)_sum", rule, Self.seconds(status.numbers.nanoseconds))
      value("\(name)_count", rule, total)
    }
  }

  private mutating func candidate(_ differences: [CandidateDifference], _ metrics: FeederMetrics) {
    family(
      "osprey_feeder_candidate_reloads_total", "Loads of the candidate folder while running.", label: "result",
      metrics.candidateReloads)
    let name = "osprey_feeder_candidate_hits_total"
    metric(name, "counter", "Actions a rule hit in both sets, in the candidate alone, in the live set alone.")
    for difference in differences {
      let rule = "rule=\"\(difference.rule)\""
      value(name, "\(rule),side=\"both\"", difference.both)
      value(name, "\(rule),side=\"candidate\"", difference.onlyCandidate)
      value(name, "\(rule),side=\"live\"", difference.onlyLive)
    }
  }

  private mutating func process(_ process: ProcessMetrics) {
    single(
      "process_cpu_seconds_total", "counter", "User and system CPU time spent, in seconds.", process.cpuSeconds)
    single("process_resident_memory_bytes", "gauge", "Resident memory.", process.residentBytes)
    single("process_virtual_memory_bytes", "gauge", "Virtual memory.", process.virtualBytes)
    single("process_open_fds", "gauge", "Open file descriptors.", process.openFiles)
    single("process_max_fds", "gauge", "Most file descriptors that may be open.", process.openFilesMax)
    single(
      "process_start_time_seconds", "gauge", "When the process started, in seconds since 1970.", process.startSeconds)
  }

  private mutating func perRule(
    _ name: String, _ kind: String, _ help: String, _ rules: [RuleStatus], _ number: (RuleStatistics) -> Int
  ) {
    metric("osprey_feeder_rule_\(name)", kind, help)
    for status in rules {
      let labels = "rule=\"\(status.rule.name)\",mode=\"\(status.rule.mode.rawValue)\""
      value("osprey_feeder_rule_\(name)", labels, number(status.numbers))
    }
  }

  private static func seconds(_ nanos: Int) -> Double { Double(nanos) / 1e9 }

  private static func escaped(_ text: String) -> String {
    var out = ""
    for character in text.unicodeScalars {
      switch character {
      case "\\": out += "\\\\"
      case "\"": out += "\\\""
      case "\n": out += "\\n"
      default: out.unicodeScalars.append(character)
      }
    }
    return out
  }
}

extension FeederMetrics {
  /// Seconds between now and the newest judged frame's own time; nil before the first.
  package var lagSeconds: Double? {
    let time = lastTimeMs.count
    return time == 0 ? nil : max(0, Double(Now.unixMicros() / 1000 - Int64(time)) / 1000)
  }
}
