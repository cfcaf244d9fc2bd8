import ATProto
import Osprey
import Synchronization

/// Where a stream stands between two frames.
struct StreamSnapshot: Sendable, Equatable {
  struct Position: Sendable, Equatable {
    var host: String
    /// The last frame of the host that was judged.
    var sequence: Int64
    /// What tells it apart from another frame of the same number; nil where that is not known.
    var mark: UInt64?
  }

  /// The stream clock, milliseconds since 1970; nil before the first frame.
  var clockMs: Int64?
  var positions: [Position]
}

/// Makes actions of decoded frames that come in stream order: knows repeats, resets of the sequence and the stream's clock.
/// The judge of `run` and the trials (`Feeder/Trial`) use the same one, so that a backtest sees what live traffic gave (law 4).
struct ActionStream {
  /// What a new frame has to do with the frames before it.
  struct Place {
    /// The clock of the frame's events: milliseconds since 1970, in stream time.
    var clockMs: Int64
    /// The host's sequence numbers start anew with this frame.
    var isReset: Bool
  }

  private let hosts: HostTable
  private let startsAtReceiveTime: Bool
  private var clock: StreamClock
  private var seen = SeenFrames()
  private var watch = SequenceWatch()
  private var connection = -1
  /// A capture that goes on where an earlier run ended: everything up to this frame has been seen.
  private(set) var resumesAfter: Int64?
  /// The host of the last frame: its number and its progress.
  private(set) var host = 0
  private(set) var progress: HostProgress?

  /// - Parameters:
  ///   - hosts: what the host numbers of connections stand for.
  ///   - startsAtReceiveTime: a live source; a capture starts its clock at its first frame's time.
  ///   - snapshot: where an earlier run left the stream; nil for a new one. Some relays send the frame of the cursor again,
  ///     others do not: the snapshot knows it.
  init(hosts: HostTable, startsAtReceiveTime: Bool, snapshot: StreamSnapshot? = nil) {
    clock = StreamClock(nowMs: snapshot?.clockMs)
    for position in snapshot?.positions ?? [] {
      if let mark = position.mark { seen.insert(sequence: position.sequence, mark: mark) }
    }
    self.hosts = hosts
    self.startsAtReceiveTime = startsAtReceiveTime
  }

  /// Where the stream stands, after the last frame that went through the judge.
  var snapshot: StreamSnapshot {
    StreamSnapshot(
      clockMs: clock.nowMs,
      positions: hosts.judged.map {
        StreamSnapshot.Position(host: $0.host, sequence: $0.sequence, mark: seen.mark(of: $0.sequence))
      })
  }

  /// Takes the next frame; nil for a repeat, which is nothing to anybody. A frame with an unbelievable time gets a defect.
  mutating func place(_ slot: FrameSlot) -> Place? {
    guard let isReset = observe(slot) else { return nil }
    let tick = clock.tick(
      timeMs: slot.decoded.outcome == .reject ? nil : slot.decoded.timeMs,
      startMs: startsAtReceiveTime
        ? slot.receivedAtMicros / 1000 : slot.decoded.timeMs ?? slot.receivedAtMicros / 1000)
    if tick.isSkewed { slot.decoded.defects.insert(.clockSkew) }
    return Place(clockMs: tick.clockMs, isReset: isReset)
  }

  /// Keeps track of connection, repeats and the sequence. nil: a repeat; else whether the sequence starts anew here.
  private mutating func observe(_ slot: FrameSlot) -> Bool? {
    if slot.connection != connection {
      connection = slot.connection
      let number = Connection.host(connection)
      let progress = hosts[number]
      let requested = progress.requested.load(ordering: .acquiring)
      if startsAtReceiveTime {
        watch.connected(requested: requested, sameHost: number == host)
      } else if requested > 0 {
        resumesAfter = requested
      }
      host = number
      self.progress = progress
    }
    let decoded = slot.decoded
    if slot.kind == .action {
      // Actions of one frame come one by one and share its number; each has an id of its own.
      guard let id = slot.pending.first?.id else { return false }
      return seen.insert(sequence: id, did: slot.bytes[decoded.did], revTID: 0) ? nil : false
    }
    if let last = resumesAfter {
      if decoded.sequence == last { resumesAfter = nil }
      return nil
    }
    guard decoded.sequence > 0 else { return false }
    if seen.insert(sequence: decoded.sequence, did: slot.bytes[decoded.did], revTID: decoded.revTID) { return nil }
    return watch.isReset(sequence: decoded.sequence, timeMs: decoded.timeMs)
  }

  /// One action of a frame as the rules see it. Valid as long as the slot is the judge's.
  static func action(_ slot: FrameSlot, _ pending: PendingAction, clockMs: Int64) -> Action {
    let frame = slot.bytes
    let decoded = slot.decoded
    var action = Action(
      name: ActionWriter.name(decoded, pending.operation), id: pending.id, sequence: decoded.sequence,
      did: frame[decoded.did], time: frame[decoded.time], clockMs: clockMs, receivedAtMicros: slot.receivedAtMicros)
    switch decoded.type {
    case .commit:
      let operation = decoded.operations[pending.operation]
      action.rev = frame[decoded.rev]
      action.collection = frame[operation.collection]
      action.rkey = frame[operation.rkey]
      action.path = frame[operation.path]
      action.uri = slot.actions[pending.written.uri]
      action.cid = slot.actions[pending.written.cid]
      action.recordError = operation.recordError
      // A record that was only too large for the message is whole, and the rules see it.
      if !operation.json.isEmpty { action.record = frame[operation.record] }
    case .identity:
      action.handle = frame[decoded.handle]
    case .account:
      action.isActive = decoded.isActive
      action.status = frame[decoded.status]
    case .sync:
      action.rev = frame[decoded.rev]
    case .info, .error, .other: break
    }
    return action
  }
}
