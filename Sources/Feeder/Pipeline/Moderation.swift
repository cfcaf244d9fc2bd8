import ATProto
import Logging
import Osprey
import Rules

/// The rules as the judge sees them: an action in, perhaps a verdict message out. One thread at a time.
final class Moderation {
  private let exchange: RuleExchange
  private var host: RuleHost
  private let verdict = Verdict()
  private var writer: VerdictWriter
  private let message = ByteWriter(capacity: 1 << 13)
  private let emitsAll: Bool
  private let messageBytesMax: Int
  private let metrics: FeederMetrics
  private let log: Logger

  init(exchange: RuleExchange, emitsAll: Bool, messageBytesMax: Int, metrics: FeederMetrics, log: Logger) {
    self.exchange = exchange
    host = exchange.active
    self.emitsAll = emitsAll
    self.messageBytesMax = messageBytesMax
    self.metrics = metrics
    self.log = log
    writer = VerdictWriter(rulesetHash: host.hash, mode: .live)
    listen()
  }

  /// Between two frames: takes a newly loaded set, if one waits.
  @inline(__always)
  func refresh() {
    if let next = exchange.take() { use(next) }
  }

  private func use(_ next: RuleHost) {
    next.takeOver(from: host)
    host = next
    writer = VerdictWriter(rulesetHash: host.hash, mode: .live)
    listen()
  }

  private func listen() {
    host.onFault = { [log] fault in
      let subject = fault.uri.isEmpty ? fault.did : fault.uri
      log.error(
        "rule \(fault.rule) failed on \(subject): \(fault.message)\(fault.isSetAside ? "; it is set aside" : "")")
    }
  }

  /// Runs the rules that apply to `action` and appends the verdict message, if there is to be one.
  func judge(_ action: Action, to out: ByteWriter) -> Bool {
    let result = host.judge(action, into: verdict, fillsAlways: emitsAll)
    if result.evaluated > 0 { metrics.actionsEvaluated.add() }
    guard result.hasHit || emitsAll else { return false }
    if result.hasHit { metrics.hits.add() }
    writer.write(verdict, on: action, into: message, bytesMax: messageBytesMax - action.did.count)
    out.append(message.bytes)
    return true
  }
}
