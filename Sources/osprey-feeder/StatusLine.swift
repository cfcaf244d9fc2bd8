import Feeder
import Foundation
import Kafka
import Logging
import Synchronization

/// The line on the terminal, once a second: events/s, lag, hits, queues, Kafka. Without a terminal, a log line a minute.
final class StatusLine: Sendable {
  private let pipeline: Pipeline
  private let isEmbedded: Bool
  private let log: Logger
  private let isStopped = Atomic<Bool>(false)
  private let started = ContinuousClock.now

  init(pipeline: Pipeline, isEmbedded: Bool, log: Logger) {
    self.pipeline = pipeline
    self.isEmbedded = isEmbedded
    self.log = log
    _ = OwnedThread("status") { [self] in show() }
  }

  func stop() {
    isStopped.store(true, ordering: .releasing)
    Console.show("")
  }

  private func show() {
    var before = pipeline.metrics.actions.total
    var seconds = 0
    while !isStopped.load(ordering: .acquiring) {
      sleep(1)
      seconds += 1
      let now = pipeline.metrics.actions.total
      if isStopped.load(ordering: .acquiring) { return }
      if Console.isTerminal {
        Console.show(line(rate: now - before))
      } else if seconds % 60 == 0 {
        log.info("\(line(rate: now - before))")
      }
      before = now
    }
  }

  private func line(rate: Int) -> String {
    let metrics = pipeline.metrics
    let status = pipeline.status
    let lag = metrics.lagSeconds.map { String(format: "%.1f s", $0) } ?? "–"
    let kafka = status.broker == .up ? "up" : status.broker.isDown ? "DOWN" : "waiting"
    return (isEmbedded ? "EMBEDDED, NOT DURABLE · " : "")
      + "\(rate) events/s · lag \(lag) · \(metrics.verdicts.count) verdicts · \(metrics.deadLetters.count) dead letters · "
      + "ring \(status.waitingFrames + status.decodingFrames) · unacked \(status.messagesInFlight) · Kafka \(kafka)"
  }

  /// The last word of a run.
  var summary: String {
    let metrics = pipeline.metrics
    let seconds = started.duration(to: .now) / .seconds(1)
    return "\(metrics.received.count) frames, \(metrics.actions.total) actions, \(metrics.verdicts.count) verdicts, "
      + "\(metrics.deadLetters.count) dead letters, \(metrics.acknowledged.count) messages acknowledged in "
      + String(format: "%.1f s", seconds)
  }
}
