import ATProto
import Logging
import Osprey
import Synchronization

/// What a trial needs to know, checked and with defaults applied.
package struct TrialSettings: Sendable {
  /// Decoding threads.
  package var workers = 1
  package var decode = DecodeOptions()
  package var snowflakeEpochMs = ActionID.defaultEpochMs
  /// Longest key and value of a message together, as `run` would have it: a longer record is `too_large` there and here.
  package var messageBytesMax = 1_000_000 - 36
  /// False for a capture or a topic, whose clock is its own.
  package var isLive = false
  /// The trial ends after so many actions.
  package var actionsMax = Int.max

  package init() {}
}

/// Who looks at the actions of a trial, one at a time and in stream order, on one thread.
package protocol ActionConsumer: AnyObject, Sendable {
  /// False ends the trial. The action's bytes are gone when this returns.
  func take(_ action: Action) -> Bool
}

/// How a trial ended.
package enum TrialEnd: Sendable, Equatable {
  /// The source ended, enough actions were seen, or somebody asked to stop.
  case complete, stopped
  /// The source failed; what came before it was judged.
  case failed(String)
}

/// The pipeline without topics: source → ring → workers → the same order, clock and actions as in `run` → a consumer.
package final class Trial: @unchecked Sendable {
  // Unchecked: what threads share is either immutable or synchronises itself; the rest is used by the owner's thread alone.

  package let metrics: FeederMetrics
  private let settings: TrialSettings
  private let source: any FrameSource
  private let ring = FrameRing()
  private let hosts = HostTable(saved: [], start: .live)
  private let control = SessionControl()
  private let seen = Counter()

  /// - Parameter metrics: the numbers the source counts in, made for `settings.workers`.
  package init(settings: TrialSettings, source: any FrameSource, metrics: FeederMetrics) {
    self.settings = settings
    self.source = source
    self.metrics = metrics
  }

  /// Actions judged so far. Any thread.
  package var actions: Int { seen.count }

  /// Ends the trial in good order: what is inside is still judged. Any thread.
  package func stop() {
    control.end(.stopped)
    ring.close()
  }

  /// Runs to the end, once; `tick` is called on the caller's thread about every `tickMs`.
  package func run(_ consumer: any ActionConsumer, tickMs: Int, _ tick: () -> Void) -> TrialEnd {
    let workerSettings = WorkerSettings(
      decode: settings.decode, shape: .osprey, withPosition: false, epochMs: settings.snowflakeEpochMs,
      messageBytesMax: settings.messageBytesMax)
    let workers = (0..<settings.workers).map { index in
      OwnedThread("worker \(index)") { [ring, metrics] in
        Worker(ring: ring, settings: workerSettings).run(metrics.workerBusyNanos[index])
      }
    }
    let judging = OwnedThread("judge") {
      self.judge(consumer)
      self.control.judgeEnded()
    }
    source.start(into: ring, hosts: hosts) { [control, ring] problem in
      control.end(problem.map { .failed($0) } ?? .sourceEnded)
      ring.close()
    }
    while !control.waitForJudge(milliseconds: tickMs) {
      tick()
      if case .failed = control.reason { break }
    }
    judging.join()
    ring.close()
    source.stop()
    for worker in workers { worker.join() }
    switch control.reason {
    case .failed(let problem): return .failed(problem)
    case .stopped: return .stopped
    case .running, .sourceEnded: return .complete
    }
  }

  private func judge(_ consumer: any ActionConsumer) {
    var stream = ActionStream(hosts: hosts, startsAtReceiveTime: settings.isLive)
    while let range = ring.takeReady() {
      for ticket in range where !step(ring.slot(ticket), &stream, consumer) {
        ring.close()
        return
      }
      metrics.judgeBusyNanos.set(Int(Now.threadCPUNanos()))
      ring.release(range)
    }
  }

  /// One decoded frame; false where the trial has seen enough.
  private func step(_ slot: FrameSlot, _ stream: inout ActionStream, _ consumer: any ActionConsumer) -> Bool {
    guard let place = stream.place(slot) else {
      metrics.frames[FeederMetrics.skipLabel(.repeated)].add()
      return true
    }
    metrics.count(slot.decoded)
    metrics.frames[FeederMetrics.frameLabel(slot.decoded)].add()
    if slot.decoded.sequence > 0 {
      stream.progress?.judged.store(slot.decoded.sequence, ordering: .releasing)
      metrics.lastSequence.set(Int(slot.decoded.sequence))
    }
    for pending in slot.pending {
      let action = ActionStream.action(slot, pending, clockMs: place.clockMs)
      metrics.actions[Int(action.name.rawValue)].add()
      seen.add()
      guard consumer.take(action), seen.count < settings.actionsMax else { return false }
    }
    return true
  }
}
