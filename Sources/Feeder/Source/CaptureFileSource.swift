import Capture
import Synchronization

/// Frames from a capture file, as fast as the pipeline takes them.
package final class CaptureFileSource: FrameSource {
  private let path: String
  private let metrics: FeederMetrics
  private let isStopped = Atomic<Bool>(false)
  private let thread = Mutex<OwnedThread?>(nil)
  /// How far reading has come: bytes of the file, and how many it has (0: not known).
  package let bytesRead = Counter()
  package let size = Counter()

  package init(path: String, metrics: FeederMetrics) {
    self.path = path
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

  /// Offers every frame of the file; returns what went wrong, nil at the proper end.
  private func read(into ring: FrameRing, _ connection: Int) -> String? {
    do throws(CaptureError) {
      let reader = try CaptureReader(path: path)
      size.set(reader.progress.size ?? 0)
      var frame: [UInt8] = []
      while !isStopped.load(ordering: .relaxed) {
        var tooLarge: Int?
        do throws(CaptureError) {
          guard try reader.next(into: &frame) else { return nil }
        } catch {
          guard case .frameTooLarge(_, _, let length) = error else { throw error }
          tooLarge = Int(length)
          frame.removeAll(keepingCapacity: true)
        }
        // Where no receive times were recorded the event's own time stands in; the worker reads it.
        let receivedAt = reader.receiveTime.map { Int64(clamping: $0) } ?? FrameSlot.receiveTimeUnknown
        repeat {
          guard ring.waitForRoom(bytes: frame.count) else { return nil }
        } while !frame.withUnsafeBytes({ bytes in
          ring.offer(
            tooLarge == nil ? .frame : .oversized, bytes, announcedBytes: tooLarge, receivedAtMicros: receivedAt,
            connection: connection)
        })
        metrics.countReceived(frame.count)
        bytesRead.set(reader.progress.read)
      }
      return nil
    } catch {
      return "\(path): \(error)"
    }
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
