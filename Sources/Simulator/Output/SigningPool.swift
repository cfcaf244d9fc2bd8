import Foundation
import Synchronization

/// Makes frames of a world in order and signs them on several cores.
///
/// Drafting is serial, signing is not, and takes three quarters of the time: while the caller drafts one batch, helper
/// threads sign the one before; then the caller helps them.
package final class SigningPool {
  private static let batchFrames = 512

  private let world: World
  private var drafting: Batch
  private var signing: Batch
  private let helpers: Helpers

  /// A pool for `world`, which must not be used elsewhere meanwhile. `threads` counts the caller too.
  package init(_ world: World, threads: Int) {
    self.world = world
    drafting = Batch(Self.batchFrames)
    signing = Batch(Self.batchFrames)
    helpers = Helpers()
    for _ in 1..<max(threads, 1) { helpers.start() }
  }

  deinit { helpers.stop() }

  /// Makes `count` frames and hands each to `body` in order, signed.
  package func make<Failure: Error>(
    _ count: Int, _ body: (_ frame: [UInt8], _ info: FrameInfo) throws(Failure) -> Void
  ) throws(Failure) {
    var drafted = 0
    var waiting = 0
    while drafted < count || waiting > 0 {
      let batch = signing
      batch.open(waiting)
      helpers.work(on: batch)
      let next = min(count - drafted, Self.batchFrames)
      for index in 0..<next { world.draft(into: &drafting.drafts[index]) }
      drafted += next
      batch.finishAll()
      helpers.waitUntilIdle()
      for index in 0..<waiting { try body(batch.drafts[index].bytes, batch.drafts[index].info) }
      waiting = next
      swap(&drafting, &signing)
    }
  }
}

/// Frames that are signed together.
/// `@unchecked` is true because a draft is touched by one thread at a time: by the caller before `open` and after all
/// helpers are idle, in between by the one thread that claimed its number.
private final class Batch: @unchecked Sendable {
  let drafts: UnsafeMutableBufferPointer<FrameDraft>
  private let claimed = Atomic<Int>(0)
  private let count = Atomic<Int>(0)

  init(_ capacity: Int) {
    drafts = .allocate(capacity: capacity)
    for index in 0..<capacity { drafts.initializeElement(at: index, to: FrameDraft()) }
  }

  deinit {
    drafts.deinitialize()
    drafts.deallocate()
  }

  func open(_ frames: Int) {
    count.store(frames, ordering: .relaxed)
    claimed.store(0, ordering: .releasing)
  }

  func finishAll() {
    while true {
      let index = claimed.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue
      guard index < count.load(ordering: .relaxed) else { return }
      drafts[index].finish()
    }
  }
}

/// Threads that sign what they are given, and sleep in between.
/// `@unchecked` is true because every field is read and written under `condition`.
private final class Helpers: @unchecked Sendable {
  private let condition = NSCondition()
  private var batch: Batch?
  /// Grows with every batch, so that a helper takes each one once.
  private var generation = 0
  private var helpers = 0
  private var idle = 0
  private var isStopped = false

  func start() {
    condition.withLock { helpers += 1 }
    let thread = Thread { [self] in run() }
    thread.name = "signer"
    thread.start()
  }

  func stop() {
    condition.withLock {
      isStopped = true
      condition.broadcast()
    }
  }

  func work(on next: Batch) {
    condition.withLock {
      batch = next
      generation += 1
      idle = 0
      condition.broadcast()
    }
  }

  func waitUntilIdle() {
    condition.withLock {
      while idle < helpers { condition.wait() }
      batch = nil
    }
  }

  private func run() {
    var seen = 0
    while let next = take(&seen) {
      next.finishAll()
      condition.withLock {
        idle += 1
        condition.broadcast()
      }
    }
  }

  private func take(_ seen: inout Int) -> Batch? {
    condition.lock()
    defer { condition.unlock() }
    while !isStopped, generation == seen { condition.wait() }
    seen = generation
    return isStopped ? nil : batch
  }
}
