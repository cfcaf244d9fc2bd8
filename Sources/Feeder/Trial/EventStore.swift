import ATProto
import Osprey

/// Keeps actions in memory, bytes and all, so that rules can be measured with nothing else running.
package final class EventStore: ActionConsumer, @unchecked Sendable {
  // Unchecked: filled by the judging thread, read by the owner after it has ended.

  private static let blockBytes = 1 << 20

  private var blocks: [UnsafeMutablePointer<UInt8>] = []
  private var used = 0
  private var room = 0
  private let bytesMax: Int
  /// The actions in stream order; their bytes live as long as the store.
  package private(set) var actions: [Action] = []
  /// Bytes the actions take.
  package private(set) var bytes = 0

  /// - Parameter bytesMax: the store takes no more once it holds so many bytes.
  package init(bytesMax: Int = 1 << 30) { self.bytesMax = bytesMax }

  deinit { for block in blocks { block.deallocate() } }

  package func take(_ action: Action) -> Bool {
    var kept = action
    kept.did = copy(action.did)
    kept.time = copy(action.time)
    kept.rev = copy(action.rev)
    kept.collection = copy(action.collection)
    kept.rkey = copy(action.rkey)
    kept.path = copy(action.path)
    kept.uri = copy(action.uri)
    kept.cid = copy(action.cid)
    kept.record = copy(action.record)
    kept.handle = copy(action.handle)
    kept.status = copy(action.status)
    actions.append(kept)
    return bytes < bytesMax
  }

  private func copy(_ source: Bytes) -> Bytes {
    guard !source.isEmpty else { return .empty }
    if used + source.count > room {
      room = max(Self.blockBytes, source.count)
      blocks.append(.allocate(capacity: room))
      used = 0
    }
    let target = blocks[blocks.count - 1] + used
    target.initialize(from: source.base, count: source.count)
    used += source.count
    bytes += source.count
    return Bytes(base: target, count: source.count)
  }
}
