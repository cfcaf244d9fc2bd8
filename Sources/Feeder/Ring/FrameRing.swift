import Glibc

/// The bounded ring between source, workers and judge: frames enter in stream order, are decoded in any order and leave in
/// stream order.
///
/// Four numbers tell everything: `judged ≤ claimed ≤ head ≤ judged + capacity`. Slots are allocated once; a full ring makes
/// the source stop reading (DESIGN.md decision 8).
package final class FrameRing: @unchecked Sendable {
  // Unchecked: every stored variable is guarded by `monitor`; slots belong to one thread at a time (see FrameSlot).
  private static let workAvailable = 0
  private static let frameReady = 1
  private static let roomAvailable = 2

  /// Most frames a worker takes, or the judge hands back, under one lock.
  static let batchMax = 32

  private let monitor = Monitor(conditions: 3)
  private let capacity: Int
  /// The slots, by ticket. A place is written when its ticket is given out; then it stays until the ticket is released.
  private let slots: UnsafeMutablePointer<FrameSlot>
  /// Slots without a ticket, the one used last on top: a quiet stream goes through the same few, whose memory is in the cache.
  private var free: [FrameSlot]
  private let mask: UInt64
  private let bytesMax: Int
  private var head: UInt64 = 0
  private var claimed: UInt64 = 0
  private var judged: UInt64 = 0
  private var bytes = 0
  private var idleWorkers = 0
  private var isJudgeWaiting = false
  private var isRoomWanted = false
  private var isClosed = false
  private var onRoom: (@Sendable () -> Void)?

  /// - Parameters:
  ///   - capacity: slots; a power of two.
  ///   - bytesMax: frame bytes in the ring at which the source has to wait; one frame is always taken.
  package init(capacity: Int = 1024, bytesMax: Int = 32 << 20) {
    precondition(capacity > 0 && capacity & (capacity - 1) == 0)
    self.capacity = capacity
    free = (0..<capacity).map { _ in FrameSlot() }
    slots = .allocate(capacity: capacity)
    slots.initialize(repeating: free[0], count: capacity)
    mask = UInt64(capacity - 1)
    self.bytesMax = bytesMax
  }

  deinit {
    slots.deinitialize(count: capacity)
    slots.deallocate()
  }

  /// Called by the judge's thread when there is room again after `offer` said no.
  package func whenRoom(_ body: @escaping @Sendable () -> Void) {
    monitor.lock()
    onRoom = body
    monitor.unlock()
  }

  func slot(_ ticket: UInt64) -> FrameSlot { slots[Int(ticket & mask)] }

  // MARK: The source

  /// Takes a copy of the frame, or answers false: then the source keeps it, waits for room, and offers it again. A closed
  /// ring takes nothing.
  ///
  /// A source that knows more to come, and calls `announce` soon, says `isGathering`: then no sleeping worker is woken
  /// for this frame alone.
  /// One source thread at a time.
  package func offer(
    _ kind: FrameKind, _ frame: UnsafeRawBufferPointer, announcedBytes: Int? = nil, receivedAtMicros: Int64,
    connection: Int, shift: FrameShift = FrameShift(), isGathering: Bool = false
  ) -> Bool {
    monitor.lock()
    guard hasRoom(frame.count), !isClosed else {
      isRoomWanted = true
      wakeWorker()
      monitor.unlock()
      return false
    }
    let slot = free.removeLast()
    slots[Int(head & mask)] = slot
    monitor.unlock()
    // The slot is nobody else's until `head` has passed it.
    slot.fill(kind, frame, receivedAtMicros: receivedAtMicros, connection: connection, shift: shift)
    if let announcedBytes { slot.announcedBytes = announcedBytes }
    monitor.lock()
    slot.isDecoded = false
    head += 1
    bytes += frame.count
    if !isGathering || head - claimed >= UInt64(Self.batchMax) { wakeWorker() }
    monitor.unlock()
    return true
  }

  /// What was offered while gathering is to be worked on.
  package func announce() {
    monitor.lock()
    wakeWorker()
    monitor.unlock()
  }

  /// Under the lock.
  private func wakeWorker() {
    if idleWorkers > 0 && claimed < head { monitor.signal(Self.workAvailable) }
  }

  /// Waits until `offer` can succeed, or the ring is closed (false).
  package func waitForRoom(bytes wanted: Int) -> Bool {
    monitor.lock()
    defer { monitor.unlock() }
    while !hasRoom(wanted) && !isClosed {
      isRoomWanted = true
      monitor.wait(Self.roomAvailable)
    }
    return !isClosed
  }

  private func hasRoom(_ wanted: Int) -> Bool {
    head - judged < UInt64(capacity) && (bytes + wanted <= bytesMax || head == judged)
  }

  /// No more frames will come; what is inside still goes its way.
  package func close() {
    monitor.lock()
    isClosed = true
    monitor.broadcast(Self.workAvailable)
    monitor.broadcast(Self.frameReady)
    monitor.broadcast(Self.roomAvailable)
    monitor.unlock()
  }

  // MARK: The workers

  /// The next frames to decode; waits for them. nil when the ring is closed and nothing is left to decode.
  func claim() -> Range<UInt64>? {
    monitor.lock()
    defer { monitor.unlock() }
    while claimed == head {
      if isClosed { return nil }
      idleWorkers += 1
      monitor.wait(Self.workAvailable)
      idleWorkers -= 1
    }
    let upper = min(head, claimed + UInt64(Self.batchMax))
    let range = claimed..<upper
    claimed = upper
    wakeWorker()
    return range
  }

  /// The frames of `range` are decoded.
  func finish(_ range: Range<UInt64>) {
    monitor.lock()
    for ticket in range { slot(ticket).isDecoded = true }
    if isJudgeWaiting && slot(judged).isDecoded {
      isJudgeWaiting = false
      monitor.signal(Self.frameReady)
    }
    monitor.unlock()
  }

  // MARK: The judge

  /// The next decoded frames in stream order; waits for them. nil when the ring is closed and empty.
  func takeReady() -> Range<UInt64>? {
    monitor.lock()
    defer { monitor.unlock() }
    while judged == head || !slot(judged).isDecoded {
      if isClosed && judged == head { return nil }
      isJudgeWaiting = true
      monitor.wait(Self.frameReady)
    }
    isJudgeWaiting = false
    var upper = judged
    while upper < claimed, upper - judged < UInt64(Self.batchMax), slot(upper).isDecoded { upper += 1 }
    return judged..<upper
  }

  /// The judge has done with the frames of `range`, which `takeReady` gave it.
  func release(_ range: Range<UInt64>) {
    var freed = 0
    for ticket in range {
      let slot = slot(ticket)
      freed += slot.offeredBytes
      slot.shrink()
    }
    monitor.lock()
    for ticket in range { free.append(slot(ticket)) }
    judged = range.upperBound
    bytes -= freed
    // Room is announced when a quarter is free: a source that stops and goes at every frame is slow.
    let isRoomy = head - judged <= UInt64(capacity) * 3 / 4 && bytes <= bytesMax * 3 / 4
    let announce = isRoomWanted && isRoomy ? onRoom : nil
    if isRoomWanted && isRoomy {
      isRoomWanted = false
      monitor.broadcast(Self.roomAvailable)
    }
    monitor.unlock()
    announce?()
  }

  /// Frames waiting for a worker, frames being decoded or waiting for the judge, and their bytes.
  package var depths: (waiting: Int, decoding: Int, bytes: Int) {
    monitor.lock()
    defer { monitor.unlock() }
    return (Int(head - claimed), Int(claimed - judged), bytes)
  }
}
