import ATProto
import Capture
import Synchronization

/// Frames from a capture file, once or again and again, as fast as the pipeline takes them or as they came.
package final class CaptureFileSource: FrameSource {
  private let path: String
  private let speed: CaptureSpeed
  private let isLoop: Bool
  private let metrics: FeederMetrics
  private let isStopped = Atomic<Bool>(false)
  private let thread = Mutex<OwnedThread?>(nil)
  /// How far reading has come: bytes of the file, and how many it has (0: not known, or read again and again).
  package let bytesRead = Counter()
  package let size = Counter()

  /// - Parameter isLoop: begin again at the end, each pass with the file's span of seq and time added.
  package init(path: String, speed: CaptureSpeed = .max, isLoop: Bool = false, metrics: FeederMetrics) {
    self.path = path
    self.speed = speed
    self.isLoop = isLoop
    self.metrics = metrics
  }

  package func start(into ring: FrameRing, hosts: HostTable, onEnd: @escaping @Sendable (String?) -> Void) {
    let (host, progress) = hosts.host(named: "capture:\(path)")
    _ = progress.nextCursor()
    metrics.isConnected.set(1)
    thread.withLock {
      $0 = OwnedThread("capture") { onEnd(self.read(into: ring, Connection.pack(number: 1, host: host))) }
    }
  }

  /// Offers every frame of the file, once or until it is stopped; returns what went wrong, nil at the proper end.
  private func read(into ring: FrameRing, _ connection: Int) -> String? {
    var pass = Pass()
    if case .times(let factor) = speed { pass.pace = CapturePace(factor: factor) }
    // Reading once, and as fast as possible, takes no knowledge of what is read.
    pass.survey = isLoop || pass.pace != nil ? CaptureSurvey() : nil
    var span: FrameShift?
    var highest: Int64 = 0
    do throws(CaptureError) {
      while try readPass(&pass, into: ring, connection), isLoop, pass.frames > 0 {
        if span == nil {
          span = pass.survey?.span
          highest = pass.survey?.highest ?? 0
        }
        pass.shift.sequence += span?.sequence ?? 0
        pass.shift.ms += span?.ms ?? 0
        guard highest + pass.shift.sequence <= Limits.sequenceMax, pass.shift.ms <= FrameShift.msMax else {
          return "\(path): another pass would have numbers or times that no event has"
        }
        pass.survey = pass.pace == nil ? nil : CaptureSurvey()
      }
      return nil
    } catch {
      return "\(path): \(error)"
    }
  }

  /// What is known while a file is read again and again.
  private struct Pass {
    var frames = 0
    var shift = FrameShift()
    var survey: CaptureSurvey?
    var pace: CapturePace?
  }

  /// Offers every frame of the file; false where nobody wants more.
  private func readPass(_ pass: inout Pass, into ring: FrameRing, _ connection: Int) throws(CaptureError) -> Bool {
    let reader = try CaptureReader(path: path)
    if !isLoop { size.set(reader.progress.size ?? 0) }
    var frame: [UInt8] = []
    while !isStopped.load(ordering: .relaxed) {
      var tooLarge: Int?
      do throws(CaptureError) {
        guard try reader.next(into: &frame) else { return true }
      } catch {
        guard case .frameTooLarge(_, _, let length) = error else { throw error }
        tooLarge = Int(length)
        frame.removeAll(keepingCapacity: true)
      }
      pass.frames += 1
      let eventMs = pass.survey?.note(frame)
      // Where no receive times were recorded the event's own time stands in; the worker reads it.
      let received = reader.receiveTime.map { Int64(clamping: $0) &+ pass.shift.ms * 1000 }
      if let ms = received.map({ $0 / 1000 }) ?? eventMs.map({ $0 + pass.shift.ms }) {
        pass.pace?.wait(for: ms, unless: isStopped)
      }
      repeat {
        guard ring.waitForRoom(bytes: frame.count) else { return false }
      } while !frame.withUnsafeBytes({ bytes in
        ring.offer(
          tooLarge == nil ? .frame : .oversized, bytes, announcedBytes: tooLarge,
          receivedAtMicros: received ?? FrameSlot.receiveTimeUnknown, connection: connection, shift: pass.shift)
      })
      metrics.countReceived(frame.count)
      bytesRead.set(reader.progress.read)
    }
    return false
  }

  package func stop() {
    isStopped.store(true, ordering: .relaxed)
    metrics.isConnected.set(0)
    thread.withLock { thread in
      thread?.join()
      thread = nil
    }
  }
}
