import ATProto
import Glibc
import Osprey

/// What the source put into a slot.
package enum FrameKind: UInt8, Sendable {
  case frame
  /// A WebSocket text message, which the stream does not have.
  case text
  /// A message over the limit, refused before it was buffered: there are no bytes, only the announced size.
  case oversized
  /// A message of the actions topic, which is JSON.
  case action
}

/// One action of a frame, written by a worker and waiting for its judge.
struct PendingAction {
  var operation: Int
  var id: Int64
  var written: WrittenAction
}

/// One place in the ring: a frame's bytes, what a worker made of them, and the memory for both, which is used again.
///
/// Belongs to one thread at a time: the source until it is offered, a worker until it is finished, the judge until it is
/// released. The ring's lock orders these.
final class FrameSlot {
  /// Receive time of a frame whose source does not know it: the event's own time stands in.
  static let receiveTimeUnknown: Int64 = 0

  /// What a slot has room for from the start: a frame of a relay, and its messages. What needed more is given back after
  /// use. Else each of the ring's slots would, in the end, keep the memory of the largest frame it ever met.
  private static let frameBytesKept = 1 << 13
  private static let messageBytesKept = 1 << 12
  private static let actionsKept = 8

  private(set) var base: UnsafeMutablePointer<UInt8>
  private var capacity = FrameSlot.frameBytesKept
  private(set) var count = 0
  /// Bytes the source offered: what the ring counts, and what a dead letter carries.
  private(set) var offeredBytes = 0
  var kind = FrameKind.frame
  /// Announced size of an oversized message, else the frame's.
  var announcedBytes = 0
  var receivedAtMicros: Int64 = 0
  /// Number of the connection the frame came over.
  var connection = 0
  /// What the worker adds to the frame's number and time.
  private(set) var shift = FrameShift()
  var decoded = DecodedFrame()
  var actions = ByteWriter(capacity: FrameSlot.messageBytesKept)
  var pending: [PendingAction] = []
  /// Guarded by the ring's lock.
  var isDecoded = false

  /// All of it is written to once. A slot deep in the ring is needed only when the ring fills up; the memory of the process
  /// would grow a little each time it fills up more than ever before, for days.
  init() {
    base = .allocate(capacity: capacity)
    base.initialize(repeating: 0, count: capacity)
    actions.append(Bytes(base: UnsafePointer(base), count: Self.messageBytesKept))
    actions.removeAll()
  }

  deinit { base.deallocate() }

  var bytes: Bytes { Bytes(base: UnsafePointer(base), count: count) }

  func fill(
    _ kind: FrameKind, _ frame: UnsafeRawBufferPointer, receivedAtMicros: Int64, connection: Int,
    shift: FrameShift = FrameShift()
  ) {
    if frame.count > capacity {
      base.deallocate()
      capacity = frame.count
      base = .allocate(capacity: capacity)
    }
    if let start = frame.baseAddress { memcpy(base, start, frame.count) }
    count = frame.count
    offeredBytes = frame.count
    announcedBytes = frame.count
    self.kind = kind
    self.receivedAtMicros = receivedAtMicros
    self.connection = connection
    self.shift = shift
  }

  /// Puts `tail` behind the bytes that are there.
  func append(_ tail: Bytes) {
    if count + tail.count > capacity {
      capacity = max(2 * capacity, count + tail.count)
      let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
      memcpy(moved, base, count)
      base.deallocate()
      base = moved
    }
    memcpy(base + count, tail.base, tail.count)
    count += tail.count
  }

  /// Memory the slot holds for the next frame.
  var heldBytes: Int {
    capacity + actions.capacity + pending.capacity * MemoryLayout<PendingAction>.stride
      + decoded.operations.capacity * MemoryLayout<Operation>.stride
  }

  /// Gives memory back that only a large frame needed.
  func shrink() {
    if capacity > Self.frameBytesKept {
      base.deallocate()
      capacity = Self.frameBytesKept
      base = .allocate(capacity: capacity)
    }
    if actions.capacity > Self.messageBytesKept { actions = ByteWriter(capacity: Self.messageBytesKept) }
    if pending.capacity > 2 * Self.actionsKept { pending = [] }
    if decoded.operations.capacity > 2 * Self.actionsKept { decoded = DecodedFrame() }
  }
}
