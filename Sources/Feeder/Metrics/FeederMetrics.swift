import ATProto
import Osprey

/// Every number the feeder counts. Written by the threads that own the events, read by `/metrics` and the status line.
package final class FeederMetrics: Sendable {
  package let received = Counter()
  package let receivedBytes = Counter()
  /// By outcome and reason; see `frameLabel`.
  package let frames: LabelledCounters
  package let defects = LabelledCounters(Defects.names)
  package let operationsSeen = Counter()
  package let operationsProduced = Counter()
  package let operationsDropped = LabelledCounters(Reason.allCases.map(\.rawValue))
  package let recordErrors = LabelledCounters(Reason.allCases.map(\.rawValue))
  package let actions = LabelledCounters(ActionName.allCases.map { "\($0.text)" })
  package let verdicts = Counter()
  /// Actions that met at least one rule.
  package let actionsEvaluated = Counter()
  /// Actions that at least one rule hit, live or shadow.
  package let hits = Counter()
  /// Loads of the rule folder after the first, by what came of them.
  package let ruleReloads = LabelledCounters(RuleKeeper.reloadLabels)
  package let candidateReloads = LabelledCounters(RuleKeeper.reloadLabels)
  package let deadLetters = Counter()
  package let acknowledged = Counter()
  package let deliveryErrors = Counter()
  package let sequenceResets = Counter()
  package let connects = Counter()
  package let disconnects = Counter()
  package let isConnected = Counter()
  package let producerRestarts = Counter()
  package let cursorSaves = Counter()
  package let cursorSaveErrors = Counter()
  package let stateSaves = Counter()
  package let stateSaveErrors = Counter()
  /// Size of the newest snapshot.
  package let stateBytes = Counter()
  /// Of the newest judged frame.
  package let lastSequence = Counter()
  package let lastTimeMs = Counter()
  package let judgeBusyNanos = Counter()
  package let workerBusyNanos: [Counter]
  package let collections = CollectionCounters()
  /// Receive → acknowledged.
  package let latency = Histogram(boundsMicros: [
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 10_000_000,
    60_000_000,
  ])

  private static let skipBase = 2
  private static let rejectBase = skipBase + SkipReason.allCases.count
  private static let replayed = rejectBase + Reason.allCases.count

  package init(workers: Int) {
    var labels = ["outcome=\"accept\",reason=\"\"", "outcome=\"partial\",reason=\"\""]
    labels += SkipReason.allCases.map { "outcome=\"skip\",reason=\"\($0.rawValue)\"" }
    labels += Reason.allCases.map { "outcome=\"reject\",reason=\"\($0.rawValue)\"" }
    labels.append("outcome=\"replayed\",reason=\"\"")
    frames = LabelledCounters(labels)
    workerBusyNanos = (0..<workers).map { _ in Counter() }
  }

  /// The index in `frames` of what became of a frame.
  package static func frameLabel(_ decoded: DecodedFrame) -> Int {
    switch decoded.outcome {
    case .accept: 0
    case .partial: 1
    case .skip: skipLabel(decoded.skipped ?? .unknownType)
    case .reject: rejectBase + reasonIndex(decoded.reason ?? .badField)
    }
  }

  package static func skipLabel(_ reason: SkipReason) -> Int {
    skipBase + (SkipReason.allCases.firstIndex(of: reason) ?? 0)
  }

  /// Frames given up with a failed producer: they are read again from the cursor.
  package static var replayedLabel: Int { replayed }

  package static func reasonIndex(_ reason: Reason) -> Int { Reason.allCases.firstIndex(of: reason) ?? 0 }

  /// Frames that were rejected or used in part.
  package var undecodedFrames: Int {
    frames[1].count + Reason.allCases.indices.reduce(0) { $0 + frames[Self.rejectBase + $1].count }
  }

  /// A frame entered the ring.
  @inline(__always)
  func countReceived(_ bytes: Int) {
    received.add()
    receivedBytes.add(bytes)
  }

  /// Adds a frame's defects and operations.
  func count(_ decoded: DecodedFrame) {
    if !decoded.defects.isEmpty {
      for bit in 0..<Defects.names.count where decoded.defects.rawValue & 1 << UInt16(bit) != 0 { defects[bit].add() }
    }
    guard decoded.outcome != .skip || decoded.skipped == .unknownAction else { return }
    for operation in decoded.operations {
      operationsSeen.add()
      if let reason = operation.dropped {
        operationsDropped[Self.reasonIndex(reason)].add()
      } else if decoded.outcome == .reject {
        // The frame was rejected as a whole before this operation was looked at.
        operationsDropped[Self.reasonIndex(decoded.reason ?? .badField)].add()
      } else {
        operationsProduced.add()
        if let reason = operation.recordError { recordErrors[Self.reasonIndex(reason)].add() }
      }
    }
  }
}
