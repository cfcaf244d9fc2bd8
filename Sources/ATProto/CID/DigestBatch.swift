import CSHA256

/// Messages that are hashed together: on a processor with vectors and without SHA instructions ten of them take a third
/// of the time they take one after the other (docs/decisions/0008). One thread at a time; nothing is allocated per batch.
package final class DigestBatch {
  /// Most messages of one batch.
  package static let capacity = Int(CSHA_BATCH_MAX)
  private static let digestCount = 32
  private static let bestWay = csha_best_way()

  private let way: csha_way
  private let messages: UnsafeMutablePointer<csha_message>
  private let tags: UnsafeMutablePointer<Int>
  private let digests: UnsafeMutablePointer<UInt8>
  package private(set) var count = 0

  /// Hashes in the way that is fastest here.
  package convenience init() { self.init(way: Self.bestWay) }

  /// Hashes in this way, which the processor must know.
  package init(way: csha_way) {
    precondition(csha_can(way) != 0, "this processor cannot")
    self.way = way
    messages = .allocate(capacity: Self.capacity)
    tags = .allocate(capacity: Self.capacity)
    digests = .allocate(capacity: Self.capacity * Self.digestCount)
  }

  deinit {
    messages.deallocate()
    tags.deallocate()
    digests.deallocate()
  }

  package var isFull: Bool { count == Self.capacity }

  package func removeAll() { count = 0 }

  /// Adds a message, which must stay where it is until `compute`; `tag` is the caller's.
  package func append(_ bytes: Bytes, tag: Int) {
    precondition(!isFull, "the batch is full")
    messages[count] = csha_message(bytes: bytes.base, count: bytes.count)
    tags[count] = tag
    count += 1
  }

  package func compute() { csha_digests(way, messages, count, digests) }

  /// What `append` was told of the message in this place.
  package func tag(_ slot: Int) -> Int {
    precondition(slot >= 0 && slot < count, "no such message")
    return tags[slot]
  }

  /// The 32 bytes of the digest of the message in this place, once computed; valid until the next batch.
  package func digest(_ slot: Int) -> UnsafeRawPointer {
    precondition(slot >= 0 && slot < count, "no such message")
    return UnsafeRawPointer(digests + slot * Self.digestCount)
  }
}
