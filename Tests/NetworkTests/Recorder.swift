import Dispatch
import Foundation
import Synchronization
import Testing

@testable import Network

/// What a client told its owner, in order, and a way to wait for it.
final class Recorder: Sendable {
  enum Event: Equatable {
    case frame([UInt8])
    case oversized(Int)
    case text([UInt8])
    case state(RelayState)
    case refused
  }

  private struct State {
    var events: [Event] = []
    var room = Int.max
    var cursors: [String: Int64] = [:]
    var asked: [String] = []
    /// Messages told before the last `onGathered`.
    var gathered = 0
  }

  private let state = Mutex(State())
  private let changed = DispatchSemaphore(value: 0)

  var events: [Event] { state.withLock { $0.events } }
  var frames: [[UInt8]] { events.compactMap { if case .frame(let bytes) = $0 { bytes } else { nil } } }
  var states: [RelayState] { events.compactMap { if case .state(let state) = $0 { state } else { nil } } }
  var disconnects: [RelayDisconnect] {
    states.compactMap { if case .disconnected(_, let reason, _) = $0 { reason } else { nil } }
  }
  /// The hosts whose cursor was asked for.
  var asked: [String] { state.withLock { $0.asked } }

  /// Messages that were told and announced.
  var gathered: Int { state.withLock { $0.gathered } }

  func setRoom(_ frames: Int) { state.withLock { $0.room = frames } }
  func setCursor(_ cursor: Int64?, for host: String) { state.withLock { $0.cursors[host] = cursor } }

  var relayEvents: RelayEvents {
    RelayEvents(
      onFrame: { frame, _ in self.take(.frame(Array(frame))) },
      onOversized: { bytes, _ in self.take(.oversized(bytes)) },
      onText: { text, _ in self.take(.text(Array(text))) },
      onGathered: {
        self.state.withLock { $0.gathered = $0.events.count }
        self.changed.signal()
      },
      onState: { state in self.note(.state(state)) },
      cursor: { host in
        self.state.withLock {
          $0.asked.append(host)
          return $0.cursors[host]
        }
      })
  }

  private func note(_ event: Event) {
    state.withLock { $0.events.append(event) }
    changed.signal()
  }

  private func take(_ event: Event) -> Bool {
    let taken = state.withLock { state in
      guard state.room > 0 else {
        state.events.append(.refused)
        return false
      }
      state.room -= 1
      state.events.append(event)
      return true
    }
    changed.signal()
    return taken
  }

  /// Waits until `condition` holds; fails the test after thirty seconds.
  func wait(for what: Comment, sourceLocation: SourceLocation = #_sourceLocation, _ condition: ([Event]) -> Bool) throws
  {
    let deadline = DispatchTime.now() + .seconds(30)
    while !condition(events) {
      try #require(changed.wait(timeout: deadline) == .success, what, sourceLocation: sourceLocation)
    }
  }
}

/// Whether `condition` comes to hold within thirty seconds: for what another thread notes a moment later.
func eventually(_ condition: () -> Bool) -> Bool {
  let deadline = ContinuousClock.now + .seconds(30)
  while !condition() {
    if ContinuousClock.now > deadline { return false }
    usleep(1_000)
  }
  return true
}

/// A client that is stopped when the test ends.
final class RunningClient {
  let client: RelayClient
  let recorder: Recorder

  init(
    _ hosts: [String], _ recorder: Recorder = Recorder(),
    _ adjust: (inout RelayClient.Configuration) -> Void = { _ in }
  ) throws {
    var configuration = RelayClient.Configuration(hosts: hosts)
    configuration.backoffFirst = .milliseconds(10)
    configuration.backoffLongest = .milliseconds(50)
    adjust(&configuration)
    self.recorder = recorder
    client = try RelayClient(configuration: configuration, events: recorder.relayEvents)
    client.start()
  }

  deinit { client.stop() }
}
