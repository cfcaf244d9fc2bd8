import ATProto
import Foundation
import Osprey
import Synchronization
import Testing

@testable import Feeder

private func offer(_ ring: FrameRing, _ text: String, connection: Int = 0) -> Bool {
  Array(text.utf8).withUnsafeBytes { ring.offer(.frame, $0, receivedAtMicros: 1, connection: connection) }
}

@Suite struct RingTests {
  @Test(.timeLimit(.minutes(1)))
  func `frames offered while gathering are worked on when announced, when a batch is full, and when there is no room`()
  {
    let ring = FrameRing(capacity: 128, bytesMax: 1 << 20)
    let judged = Mutex<Int>(0)
    let worker = OwnedThread("test worker") {
      while let range = ring.claim() { ring.finish(range) }
    }
    let judge = OwnedThread("test judge") {
      while let range = ring.takeReady() {
        judged.withLock { $0 += range.count }
        ring.release(range)
      }
    }
    func gather(_ count: Int) {
      for _ in 0..<count {
        while ![1, 2, 3].withUnsafeBytes({
          ring.offer(.frame, $0, receivedAtMicros: 1, connection: 0, isGathering: true)
        }) { _ = ring.waitForRoom(bytes: 8) }
      }
    }
    // Each wait ends only if somebody woke the worker.
    gather(3)
    ring.announce()
    while judged.withLock({ $0 }) < 3 { usleep(100) }
    // A worker that is still awake may take some before it sleeps; fewer than a batch may then lie there.
    gather(2 * FrameRing.batchMax)
    while judged.withLock({ $0 }) < 3 + FrameRing.batchMax { usleep(100) }
    gather(500)
    ring.announce()
    while judged.withLock({ $0 }) < 503 + 2 * FrameRing.batchMax { usleep(100) }
    ring.close()
    worker.join()
    judge.join()
  }

  @Test func `frames finished in any order by four workers reach the judge in stream order`() {
    let ring = FrameRing(capacity: 64, bytesMax: 1 << 20)
    let total = 20_000
    let workers = (0..<4).map { index in
      OwnedThread("test \(index)") {
        var random = SystemRandomNumberGenerator()
        while let range = ring.claim() {
          if random.next() % 50 == 0 { usleep(100) }
          ring.finish(range)
        }
      }
    }
    let seen = Mutex<[String]>([])
    let judge = OwnedThread("test judge") {
      while let range = ring.takeReady() {
        seen.withLock { seen in for ticket in range { seen.append(ring.slot(ticket).bytes.string) } }
        ring.release(range)
      }
    }
    for number in 0..<total {
      while !offer(ring, "\(number)") { _ = ring.waitForRoom(bytes: 8) }
    }
    ring.close()
    for worker in workers { worker.join() }
    judge.join()
    #expect(seen.withLock { $0 } == (0..<total).map { "\($0)" })
  }

  @Test func `a full ring takes nothing and says when there is room again`() throws {
    let ring = FrameRing(capacity: 4, bytesMax: 1 << 20)
    let announced = Counter()
    ring.whenRoom { announced.add() }
    for number in 0..<4 { #expect(offer(ring, "\(number)")) }
    #expect(!offer(ring, "4"))
    let range = try #require(ring.claim())
    ring.finish(range)
    let ready = try #require(ring.takeReady())
    #expect(announced.count == 0)
    ring.release(ready)
    #expect(announced.count == 1)
    #expect(offer(ring, "4"))
  }

  @Test func `bytes bound the ring too, but one frame of any size is taken`() {
    let ring = FrameRing(capacity: 16, bytesMax: 10)
    #expect(offer(ring, String(repeating: "x", count: 100)))
    #expect(!offer(ring, "y"))
    #expect(ring.depths.bytes == 100)
  }

  @Test func `a closed ring takes nothing more and hands out what it holds`() throws {
    let ring = FrameRing(capacity: 4, bytesMax: 100)
    #expect(offer(ring, "a"))
    ring.close()
    #expect(!offer(ring, "b"))
    #expect(!ring.waitForRoom(bytes: 1_000))
    let range = try #require(ring.claim())
    ring.finish(range)
    #expect(ring.claim() == nil)
    let ready = try #require(ring.takeReady())
    #expect(ring.slot(ready.lowerBound).bytes.string == "a")
    ring.release(ready)
    #expect(ring.takeReady() == nil)
    #expect(ring.depths == (0, 0, 0))
  }

  @Test(arguments: [9000, 1 << 20])
  func `memory of a large frame is given back when its slot is released`(bytes: Int) throws {
    let ring = FrameRing(capacity: 2, bytesMax: 1 << 22)
    let usual = ring.slot(0).heldBytes
    #expect(offer(ring, String(repeating: "x", count: bytes)))
    let range = try #require(ring.claim())
    ring.finish(range)
    let ready = try #require(ring.takeReady())
    #expect(ring.slot(0).count == bytes)
    for _ in 0..<bytes { ring.slot(0).actions.append(UInt8(ascii: "x")) }
    for index in 0..<300 {
      ring.slot(0).decoded.operations.append(ATProto.Operation())
      ring.slot(0).pending.append(PendingAction(operation: index, id: 0, written: WrittenAction()))
    }
    #expect(ring.slot(0).heldBytes >= 2 * bytes)
    ring.release(ready)
    #expect(ring.slot(0).heldBytes == usual)
  }
}
