import NIOCore

/// The one thread of a server, for whoever keeps state beside its connections.
package struct ServerLoop: Sendable {
  let loop: any EventLoop

  /// Is this that thread?
  package var isCurrent: Bool { loop.inEventLoop }

  /// Runs `work` there, soon.
  package func execute(_ work: @escaping @Sendable () -> Void) { loop.execute(work) }

  /// Runs `work` there, later, once.
  package func after(_ delay: Duration, _ work: @escaping @Sendable () -> Void) -> ServerTimer {
    let task = loop.scheduleTask(in: delay.timeAmount, work)
    return ServerTimer { task.cancel() }
  }

  /// Runs `work` there again and again, `interval` after its last end, until cancelled.
  package func every(_ interval: Duration, _ work: @escaping @Sendable () -> Void) -> ServerTimer {
    let task = loop.scheduleRepeatedTask(initialDelay: interval.timeAmount, delay: interval.timeAmount) { _ in work() }
    return ServerTimer { task.cancel() }
  }
}

/// Something due on a server's loop.
package struct ServerTimer: Sendable {
  let onCancel: @Sendable () -> Void

  /// It does not run any more.
  package func cancel() { onCancel() }
}
