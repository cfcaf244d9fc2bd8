import Network

/// Where a relay's frames come from.
package enum RelayFrameSource {
  /// Frames that are a pure function of their seq, contiguous from `firstSeq`: the window then costs no memory. The
  /// closure appends the payload of the frame of that seq.
  case computed(firstSeq: Int64, write: @Sendable (_ seq: Int64, _ frame: inout FrameBuffer) -> Void)
  /// Frames made one after the other; the window keeps their bytes. The closure appends the payload of the next one and
  /// returns its seq, which only grows, or nil (and appends nothing) when there are no more.
  case generated(next: (_ frame: inout FrameBuffer) -> Int64?)
}

/// The frames a relay can still give, by place: 0 is the first it ever produced. Bounded in frames and, where bytes are
/// kept, in bytes.
final class RelayWindow {
  private struct Entry {
    var seq: Int64
    /// Bytes ever stored before this frame; its place in `storage` follows from it.
    var start: Int
    var count: Int
  }

  private let source: RelayFrameSource
  private let framesMax: Int
  private let bytesMax: Int
  private let limit: Int

  /// The place after the newest frame.
  private(set) var head = 0
  /// The place of the oldest frame still held.
  private(set) var oldest = 0
  /// The source gave its last frame, or the limit is reached.
  private(set) var isExhausted = false

  // Generated frames only: a ring of entries and a ring of bytes.
  private var entries: [Entry] = []
  private var storage = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var scratch = FrameBuffer(capacity: 16 << 10)
  private var end = 0
  private var firstSeq: Int64?

  init(source: sending RelayFrameSource, framesMax: Int, bytesMax: Int, limit: Int?) {
    self.source = source
    self.framesMax = max(1, framesMax)
    self.bytesMax = max(1, bytesMax)
    self.limit = limit ?? .max
    if case .generated = source {
      storage = .allocate(byteCount: self.bytesMax, alignment: 16)
      entries = Array(repeating: Entry(seq: 0, start: 0, count: 0), count: self.framesMax)
    }
    if case .computed(let seq, _) = source { firstSeq = seq }
    isExhausted = self.limit == 0
  }

  deinit { storage.deallocate() }

  /// The newest seq; nil before the first frame.
  var headSeq: Int64? { head > 0 ? seq(at: head - 1) : nil }

  /// The newest seq that was let go of, or the one before the first ever produced; nil before the first frame.
  private(set) var lastEvictedSeq: Int64?

  /// Bytes kept for the frames from this place on; 0 where none are kept.
  func bytes(from place: Int) -> Int {
    guard case .generated = source, place < head else { return 0 }
    return end - entries[place % framesMax].start
  }

  func seq(at place: Int) -> Int64 {
    switch source {
    case .computed(let first, _): first + Int64(place)
    case .generated: entries[place % framesMax].seq
    }
  }

  /// The place of the first held frame whose seq is at least `seq`; `head` if there is none.
  func place(atOrAfter seq: Int64) -> Int {
    var low = oldest
    var high = head
    while low < high {
      let middle = (low + high) / 2
      if self.seq(at: middle) < seq { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Produces up to `count` frames; returns how many.
  func produce(_ count: Int) -> Int {
    let wanted = min(count, limit - head)
    var made = 0
    switch source {
    case .computed(let first, _):
      made = max(0, wanted)
      head += made
      oldest = max(oldest, head - framesMax)
      if head > 0 { lastEvictedSeq = first + Int64(oldest) - 1 }
    case .generated(let next):
      while made < wanted, generate(next) { made += 1 }
      if made < wanted { isExhausted = true }
    }
    if head >= limit { isExhausted = true }
    return made
  }

  /// Appends the frame at this place, which is held, as one message.
  func write(_ place: Int, into batch: inout FrameBuffer) {
    precondition(place >= oldest && place < head, "only held frames are written")
    switch source {
    case .computed(let first, let write):
      batch.appendMessage { write(first + Int64(place), &$0) }
    case .generated:
      let entry = entries[place % framesMax]
      let start = entry.start % bytesMax
      let bytes = UnsafeRawBufferPointer(rebasing: storage[start..<start + entry.count])
      batch.appendMessage { $0.append(bytes) }
    }
  }

  private func generate(_ next: (inout FrameBuffer) -> Int64?) -> Bool {
    scratch.removeAll()
    var produced: Int64?
    scratch.appendMessage { produced = next(&$0) }
    guard let seq = produced else { return false }
    if let newest = headSeq { precondition(seq > newest, "a source's seq only grows") }
    if firstSeq == nil {
      firstSeq = seq
      lastEvictedSeq = seq - 1
    }
    scratch.withLastMessage { store($0, seq: seq) }
    return true
  }

  private func store(_ frame: UnsafeRawBufferPointer, seq: Int64) {
    precondition(frame.count <= bytesMax, "the window holds at least one frame")
    // A frame lies in one piece: what is left before the end of the storage is passed over.
    let room = bytesMax - end % bytesMax
    let start = room >= frame.count ? end : end + room
    while oldest < head,
      head - oldest >= framesMax || start + frame.count - entries[oldest % framesMax].start > bytesMax
    {
      lastEvictedSeq = entries[oldest % framesMax].seq
      oldest += 1
    }
    let offset = start % bytesMax
    UnsafeMutableRawBufferPointer(rebasing: storage[offset..<offset + frame.count]).copyMemory(from: frame)
    entries[head % framesMax] = Entry(seq: seq, start: start, count: frame.count)
    end = start + frame.count
    head += 1
  }
}
