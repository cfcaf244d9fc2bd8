import ATProto

/// The action names Osprey sees (CONTRACT.md, "Actions topic").
@usableFromInline
package enum ActionName: UInt8, CaseIterable, Sendable {
  case operationCreate, operationUpdate, operationDelete, account, identity, info, sync

  package var text: StaticString {
    switch self {
    case .operationCreate: "operation#create"
    case .operationUpdate: "operation#update"
    case .operationDelete: "operation#delete"
    case .account: "account"
    case .identity: "identity"
    case .info: "info"
    case .sync: "sync"
    }
  }
}

/// One action as the rules see it: what one message on the actions topic is about.
///
/// All views point into buffers that live until the judge has finished with the event, and no longer.
package struct Action {
  package var name: ActionName
  /// Deterministic, positive, 63 bits.
  package var id: Int64
  /// Sequence number the relay gave; 0 for info.
  package var sequence: Int64
  /// Empty for info.
  package var did: Bytes
  /// The event's `time` verbatim.
  package var time: Bytes
  /// The event's clock: milliseconds since 1970, in stream time (DESIGN.md decision 5).
  package var clockMs: Int64
  /// Microseconds since 1970 when the frame arrived.
  package var receivedAtMicros: Int64
  /// Commits only, else empty.
  package var rev: Bytes = .empty
  /// Operations only, else empty.
  package var collection: Bytes = .empty
  package var rkey: Bytes = .empty
  package var path: Bytes = .empty
  package var uri: Bytes = .empty
  /// Text of the record's CID; empty on delete and outside operations.
  package var cid: Bytes = .empty
  /// The record's DAG-CBOR: one map, checked from first to last byte. Empty where there is none or it is bad.
  package var record: Bytes = .empty
  /// Why the record is bad, where it is.
  package var recordError: Reason?
  /// Identity: the announced handle. Empty where absent.
  package var handle: Bytes = .empty
  /// Account: whether it is active.
  package var isActive = true
  /// Account: why it is not. Empty where absent.
  package var status: Bytes = .empty

  package init(
    name: ActionName, id: Int64, sequence: Int64, did: Bytes, time: Bytes, clockMs: Int64, receivedAtMicros: Int64
  ) {
    self.name = name
    self.id = id
    self.sequence = sequence
    self.did = did
    self.time = time
    self.clockMs = clockMs
    self.receivedAtMicros = receivedAtMicros
  }
}
