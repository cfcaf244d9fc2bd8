import Glibc
import Logging
import Network
import Synchronization

/// Frames from a relay, over its WebSocket.
package final class RelaySource: FrameSource {
  private let configuration: RelayClient.Configuration
  private let metrics: FeederMetrics
  private let log: Logger
  private let client = Mutex<RelayClient?>(nil)

  package init(configuration: RelayClient.Configuration, metrics: FeederMetrics, log: Logger) {
    self.configuration = configuration
    self.metrics = metrics
    self.log = log
  }

  package func start(into ring: FrameRing, hosts: HostTable, onEnd: @escaping @Sendable (String?) -> Void) {
    let connection = Atomic<Int>(0)
    let count = Counter()
    let events = RelayEvents(
      onFrame: { [metrics] frame, micros in
        let taken = ring.offer(
          .frame, frame, receivedAtMicros: micros, connection: connection.load(ordering: .relaxed), isGathering: true)
        if taken { metrics.countReceived(frame.count) }
        return taken
      },
      onOversized: { [metrics] announced, micros in
        let taken = ring.offer(
          .oversized, UnsafeRawBufferPointer(start: nil, count: 0), announcedBytes: announced,
          receivedAtMicros: micros, connection: connection.load(ordering: .relaxed), isGathering: true)
        if taken { metrics.countReceived(0) }
        return taken
      },
      onText: { [metrics] text, micros in
        let taken = ring.offer(
          .text, text, receivedAtMicros: micros, connection: connection.load(ordering: .relaxed), isGathering: true)
        if taken { metrics.countReceived(text.count) }
        return taken
      },
      onGathered: { ring.announce() },
      onState: { [self] state in
        if case .connected(_, let effective) = state {
          count.add()
          connection.store(
            Connection.pack(number: count.count, host: hosts.host(named: effective).number), ordering: .relaxed)
        }
        note(state)
      },
      cursor: { hosts.host(named: $0).progress.nextCursor() })
    do throws(NetworkError) {
      let relay = try RelayClient(configuration: configuration, events: events)
      ring.whenRoom { relay.resume() }
      client.withLock { $0 = relay }
      relay.start()
    } catch {
      onEnd("\(error)")
    }
  }

  private func note(_ state: RelayState) {
    switch state {
    case .connecting(let host): log.debug("connecting to \(host)")
    case .connected(let host, let effective):
      metrics.connects.add()
      metrics.isConnected.set(1)
      log.info(host == effective ? "connected to \(host)" : "connected to \(effective) (redirected from \(host))")
    case .disconnected(let host, let reason, let retryIn):
      metrics.isConnected.set(0)
      metrics.disconnects.add()
      if let retryIn {
        log.warning("disconnected from \(host): \(reason); next try in \(retryIn)")
      } else {
        log.debug("disconnected from \(host): \(reason)")
      }
    }
  }

  package func stop() {
    client.withLock { client in
      client?.stop()
      client = nil
    }
  }
}
