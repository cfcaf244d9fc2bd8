import Foundation
import Testing

/// Faults that a sanitizer has to find, or its silence about the rest of the suite means nothing (tools/sanitize.sh).
/// Without OSPREY_FEEDER_PLANT in the environment nothing of this runs.
private let planted = ProcessInfo.processInfo.environment["OSPREY_FEEDER_PLANT"]

/// An integer that two threads change without a lock.
private final class Unguarded: @unchecked Sendable {
  // Unchecked, and untrue: that is the planted fault.
  var value = 0
  let finished = DispatchSemaphore(value: 0)
}

struct PlantedFaultTests {
  @Test(.enabled(if: planted == "thread", "only for tools/sanitize.sh"))
  func `two threads that change one integer without a lock are a race`() {
    let shared = Unguarded()
    let threads = (0..<2).map { _ in
      Thread {
        for _ in 0..<10_000 { shared.value += 1 }
        shared.finished.signal()
      }
    }
    for thread in threads { thread.start() }
    for _ in threads { shared.finished.wait() }
    #expect(shared.value > 0)
  }

  @Test(.enabled(if: planted == "address", "only for tools/sanitize.sh"))
  func `an integer read after its memory was freed is a fault`() {
    let memory = UnsafeMutablePointer<Int>.allocate(capacity: 8)
    memory.initialize(repeating: 7, count: 8)
    memory.deallocate()
    #expect(memory[3] == 7)
  }
}
