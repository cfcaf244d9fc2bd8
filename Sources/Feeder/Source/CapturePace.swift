import ATProto
import Glibc
import Synchronization

/// How fast a capture file is read.
package enum CaptureSpeed: Sendable, Equatable {
  /// As fast as the pipeline takes frames.
  case max
  /// So many times as fast as the frames came.
  case times(Double)

  /// `max`, `realtime`, or `Nx`; nil for anything else.
  package init?(_ text: String) {
    switch text {
    case "max": self = .max
    case "realtime": self = .times(1)
    default:
      guard text.hasSuffix("x"), let factor = Double(text.dropLast()), factor.isFinite, factor > 0 else { return nil }
      self = .times(factor)
    }
  }
}

/// What is added to sequence number and time of a frame that is read again.
package struct FrameShift: Sendable, Equatable {
  package var sequence: Int64 = 0
  package var ms: Int64 = 0

  /// As much as there are milliseconds from 1970 to the year 9999.
  static let msMax: Int64 = 253_402_300_799_999

  package init(sequence: Int64 = 0, ms: Int64 = 0) {
    self.sequence = sequence
    self.ms = ms
  }
}

/// What the source itself has to know about a file's frames: where they stand in stream time, and how much of sequence and
/// time the file spans.
struct CaptureSurvey {
  private let decoder: FrameDecoder
  private var decoded = DecodedFrame()
  private var clock = StreamClock()
  private var firstMs: Int64?
  private var lowest = Int64.max
  private(set) var highest: Int64 = 0

  init() {
    var options = DecodeOptions()
    options.verification = .none
    decoder = FrameDecoder(options: options)
  }

  /// Takes the next frame; returns the stream clock at it, nil where no frame had a time yet.
  mutating func note(_ frame: [UInt8]) -> Int64? {
    withBytes(frame) { decoder.decode($0, into: &decoded) }
    guard decoded.outcome != .reject else { return clock.nowMs }
    if decoded.sequence > 0 {
      lowest = min(lowest, decoded.sequence)
      highest = max(highest, decoded.sequence)
    }
    if let ms = decoded.timeMs {
      _ = clock.tick(timeMs: ms, startMs: ms)
      firstMs = firstMs ?? ms
    }
    return clock.nowMs
  }

  /// From the first to the last: the next pass begins one behind the highest sequence number, at the time of the last frame.
  var span: FrameShift {
    var span = FrameShift()
    if highest > 0 { span.sequence = highest - lowest + 1 }
    if let firstMs, let lastMs = clock.nowMs { span.ms = lastMs - firstMs }
    return span
  }
}

/// Holds frames back until it is their time.
struct CapturePace {
  let factor: Double
  private var start: (ms: Int64, nanos: Int64)?

  init(factor: Double) { self.factor = factor }

  /// Waits until what came at `ms` is due, or `isStopped`. The first frame is due at once.
  mutating func wait(for ms: Int64, unless isStopped: borrowing Atomic<Bool>) {
    let start = start ?? (ms, Now.monotonicNanos())
    self.start = start
    // At most thirty years from now, so that no time in a file and no factor is too much for an Int64.
    let due = start.nanos + Int64(min(max(Double(ms - start.ms) * 1_000_000 / factor, 0), 1e18))
    while !isStopped.load(ordering: .relaxed) {
      let left = due - Now.monotonicNanos()
      guard left > 0 else { return }
      usleep(useconds_t(min(left / 1000 + 1, 50_000)))
    }
  }
}
