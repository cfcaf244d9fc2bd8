import ATProto
import Logging
import Osprey
import Rules

/// The rules as the judge sees them: an action in, perhaps a verdict message out. One thread at a time.
final class Moderation {
  private let exchange: RuleExchange
  private let candidate: CandidateWatch?
  /// The rules that judge now.
  private(set) var host: RuleHost
  /// What they said about the last action, where one hit it or every action gets a verdict.
  let verdict = Verdict()
  private var writer: VerdictWriter
  private let mode: VerdictMode
  private let message = ByteWriter(capacity: 1 << 13)
  private let emitsAll: Bool
  private let messageBytesMax: Int
  private let metrics: FeederMetrics
  private let log: Logger
  private let onFault: @Sendable (RuleFault) -> Void

  /// - Parameters:
  ///   - candidate: where a second set's rules come from, nil without one.
  ///   - onFault: told of rules that fail; nil puts them into the log.
  init(
    exchange: RuleExchange, candidate: RuleExchange? = nil, emitsAll: Bool, messageBytesMax: Int,
    metrics: FeederMetrics, log: Logger, mode: VerdictMode = .live, onFault: (@Sendable (RuleFault) -> Void)? = nil
  ) {
    self.exchange = exchange
    host = exchange.active
    self.emitsAll = emitsAll
    self.messageBytesMax = messageBytesMax
    self.metrics = metrics
    self.mode = mode
    self.log = log
    self.onFault = onFault ?? { Self.tell($0, log) }
    writer = VerdictWriter(rulesetHash: host.hash, mode: mode)
    self.candidate = candidate.map { [host] in CandidateWatch(exchange: $0, live: host) }
    listen()
  }

  /// What the live set's rules remember. The judge's thread, or after its end.
  func snapshot() -> RuleSnapshot { host.snapshot() }

  /// What the candidate set would change so far; nil without one. Any thread.
  var candidateDifferences: [CandidateDifference]? { candidate?.differences }

  /// Between two frames: takes a newly loaded set, if one waits.
  @inline(__always)
  func refresh() {
    if let next = exchange.take() { use(next) }
    candidate?.refresh(live: host)
  }

  private func use(_ next: RuleHost) {
    next.takeOver(from: host)
    host = next
    writer = VerdictWriter(rulesetHash: host.hash, mode: mode)
    candidate?.match(host)
    listen()
  }

  private func listen() {
    host.onFault = onFault
    host.onQuota = { [log] trip in log.warning("\(trip)") }
  }

  private static func tell(_ fault: RuleFault, _ log: Logger) {
    let subject = fault.uri.isEmpty ? fault.did : fault.uri
    log.error("rule \(fault.rule) failed on \(subject): \(fault.message)\(fault.isSetAside ? "; it is set aside" : "")")
  }

  /// Runs the rules that apply to `action` and appends the verdict message, if there is to be one.
  func judge(_ action: Action, to out: ByteWriter) -> Bool {
    let result = host.judge(action, into: verdict, fillsAlways: emitsAll)
    candidate?.judge(action, live: host)
    if result.evaluated > 0 { metrics.actionsEvaluated.add() }
    guard result.hasHit || emitsAll else { return false }
    if result.hasHit { metrics.hits.add() }
    writer.write(verdict, on: action, into: message, bytesMax: messageBytesMax - action.did.count)
    out.append(message.bytes)
    return true
  }
}
