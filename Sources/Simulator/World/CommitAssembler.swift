import ATProto
import Signatures

/// Turns planned operations into a signed commit's frame. Its buffers are reused from frame to frame.
final class CommitAssembler {
  enum Action: String, Sendable {
    case create, update, delete
  }

  /// One operation of the commit that is being planned.
  struct Operation {
    var action: Action
    var key: TreeKey
    var collection: RecordCollection
    /// The record in `records`; empty for a delete.
    var record: Range<Int>
    /// The record's digest; unused for a delete.
    var digest = Digest()
    /// The record before an update or delete.
    var previous: Digest?
  }

  /// The records of the planned operations, one after the other.
  var records = CBORWriter(capacity: 8_192)
  private(set) var operations: [Operation] = []

  private var frame = CBORWriter(capacity: 16_384)
  private var car: [UInt8] = []
  private var commitObject = CBORWriter(capacity: 256)
  private var sealed: [UInt8] = []
  private var fresh: [TreeNode] = []
  private var freshRanges: [Range<Int>] = []
  private var proof: [TreeNode] = []
  private var frameMark: UInt64 = 0

  /// What the envelope says.
  struct Envelope {
    var seq: Int64
    var time: UInt64
    var rev: UInt64
    var did: ArraySlice<UInt8>
    var key: SigningKey
  }

  /// Forgets the operations of the last commit.
  func begin() {
    records.reset()
    operations.removeAll(keepingCapacity: true)
  }

  /// Plans an operation whose record was appended to `records` from `start` on.
  func add(_ action: Action, _ key: TreeKey, _ collection: RecordCollection, recordFrom start: Int) {
    let range = start..<records.bytes.count
    let digest = records.bytes.withUnsafeBytes { Digest(sha256: UnsafeRawBufferPointer(rebasing: $0[range])) }
    operations.append(
      Operation(action: action, key: key, collection: collection, record: range, digest: digest))
  }

  /// Plans a delete.
  func addDelete(_ key: TreeKey, _ collection: RecordCollection) {
    operations.append(Operation(action: .delete, key: key, collection: collection, record: 0..<0))
  }

  /// Carries out the operations on `state` and writes the frame.
  func commit(_ state: inout RepositoryState, _ envelope: Envelope, into draft: inout FrameDraft) {
    guard let previousRoot = state.root.digest else { preconditionFailure("every stored root is sealed") }
    let since = state.rev
    var root = state.root
    for index in operations.indices {
      let operation = operations[index]
      if operation.action != .create { operations[index].previous = root.value(of: operation.key) }
      root =
        operation.action == .delete ? root.removing(operation.key) : root.setting(operation.key, to: operation.digest)
    }
    seal(root)
    state.root = root
    state.rev = envelope.rev
    state.commits += 1

    let carStart = beginCAR()
    appendTree(root)
    for operation in operations where operation.action != .delete { append(record: operation) }
    let commitBlock = appendCommit(root, envelope, &draft)
    appendProof(root)
    write(envelope, since: since, previousRoot: previousRoot, into: &draft)

    // The CAR now stands in the frame; everything known about it moves along.
    let shift = draft.info.blocks.lowerBound - carStart
    draft.unsigned?.signature += shift
    draft.unsigned?.block = commitBlock.lowerBound + shift..<commitBlock.upperBound + shift
    // In the header: length, {"roots": [tag …]. Before the block: the CID's last 32 bytes.
    draft.unsigned?.links += [draft.info.blocks.lowerBound + 18, commitBlock.lowerBound + shift - 32]
  }

  /// Writes a `#sync` frame: the commit block alone.
  func sync(_ state: inout RepositoryState, _ envelope: Envelope, into draft: inout FrameDraft) {
    state.rev = envelope.rev
    let carStart = beginCAR()
    let commitBlock = appendCommit(state.root, envelope, &draft)
    frame.reset()
    frame.raw(FrameHeader.sync)
    frame.map(5)
    frame.text("did")
    frame.text(utf8: envelope.did)
    frame.text("rev")
    appendRev(envelope.rev)
    appendSeq(envelope.seq, &draft)
    appendTime(envelope.time, &draft)
    appendBlocks(&draft)
    let shift = draft.info.blocks.lowerBound - carStart
    draft.unsigned?.signature += shift
    draft.unsigned?.block = commitBlock.lowerBound + shift..<commitBlock.upperBound + shift
    draft.unsigned?.links += [draft.info.blocks.lowerBound + 18, commitBlock.lowerBound + shift - 32]
    swap(&draft.bytes, &frame.bytes)
  }

  // MARK: - Blocks

  /// Seals the nodes that are new, children before parents, and keeps their blocks in `sealed`.
  private func seal(_ root: TreeNode) {
    fresh.removeAll(keepingCapacity: true)
    freshRanges.removeAll(keepingCapacity: true)
    sealed.removeAll(keepingCapacity: true)
    root.collectUnsealed(into: &fresh)
    for node in fresh.reversed() {
      let start = sealed.count
      node.seal(appendingTo: &sealed)
      freshRanges.append(start..<sealed.count)
    }
    freshRanges.reverse()
  }

  /// Starts the CAR: its header with the root's CID still zero. https://dasl.ing/car.html
  private func beginCAR() -> Int {
    car.removeAll(keepingCapacity: true)
    car.append(58)
    car.append(contentsOf: [0xa2, 0x65])
    car.append(contentsOf: "roots".utf8)
    car.append(0x81)
    car.append(contentsOf: CIDBytes.linkHead)
    car.append(contentsOf: CIDBytes.zeros32)
    car.append(0x67)
    car.append(contentsOf: "version".utf8)
    car.append(1)
    frameMark += 1
    return 0
  }

  private func appendTree(_ root: TreeNode) {
    // A commit that changes nothing still shows its root.
    if fresh.isEmpty { append(existing: root) }
    for (node, range) in zip(fresh, freshRanges) where node.frameMark != frameMark {
      node.frameMark = frameMark
      append(blockOf: range.count, node.digest)
      car.append(contentsOf: sealed[range])
    }
  }

  private func append(existing node: TreeNode) {
    guard node.frameMark != frameMark else { return }
    node.frameMark = frameMark
    let start = sealed.count
    node.encode(appendingTo: &sealed)
    append(blockOf: sealed.count - start, node.digest)
    car.append(contentsOf: sealed[start...])
  }

  private func append(record operation: Operation) {
    append(blockOf: operation.record.count, operation.digest)
    car.append(contentsOf: records.bytes[operation.record])
  }

  private func appendProof(_ root: TreeNode) {
    for operation in operations {
      proof.removeAll(keepingCapacity: true)
      root.collectProof(of: operation.key, into: &proof)
      for node in proof { append(existing: node) }
    }
  }

  /// The length and CID before a block of `count` bytes. Without a digest the CID ends in zeros.
  private func append(blockOf count: Int, _ digest: Digest?) {
    var length = count + 36
    while length >= 128 {
      car.append(UInt8(length & 127 | 128))
      length >>= 7
    }
    car.append(UInt8(length))
    car.append(contentsOf: CIDBytes.prefix)
    if let digest {
      digest.withBytes { car.append(contentsOf: $0) }
    } else {
      car.append(contentsOf: CIDBytes.zeros32)
    }
  }

  /// Appends the commit block with an empty signature and leaves in `draft` what signing needs.
  private func appendCommit(_ root: TreeNode, _ envelope: Envelope, _ draft: inout FrameDraft) -> Range<Int> {
    commitObject.reset()
    commitObject.map(6)
    commitObject.text("did")
    commitObject.text(utf8: envelope.did)
    commitObject.text("rev")
    commitObject.tid(envelope.rev)
    let sigStart = commitObject.bytes.count
    commitObject.text("sig")
    commitObject.byteStringHead(64)
    let signature = commitObject.bytes.count
    commitObject.bytes.append(contentsOf: CIDBytes.zeros64)
    commitObject.text("data")
    commitObject.bytes.append(contentsOf: CIDBytes.linkHead)
    root.digest?.withBytes { commitObject.bytes.append(contentsOf: $0) }
    commitObject.text("prev")
    commitObject.null()
    commitObject.text("version")
    commitObject.int(3)
    append(blockOf: commitObject.bytes.count, nil)
    let start = car.count
    car.append(contentsOf: commitObject.bytes)
    // What is signed is the same map without `sig`: five fields in place of six.
    commitObject.bytes[0] = 0xa5
    commitObject.bytes.removeSubrange(sigStart..<signature + 64)
    draft.unsigned = FrameDraft.Unsigned(
      key: envelope.key, digest: Digest(sha256: commitObject.bytes), signature: start + signature,
      block: start..<car.count, links: [])
    return start..<car.count
  }

  // MARK: - Frame

  private func write(_ envelope: Envelope, since: UInt64, previousRoot: Digest, into draft: inout FrameDraft) {
    frame.reset()
    frame.raw(FrameHeader.commit)
    frame.map(12)
    frame.text("ops")
    frame.array(operations.count)
    for operation in operations { append(operation) }
    frame.text("rev")
    appendRev(envelope.rev)
    appendSeq(envelope.seq, &draft)
    frame.text("repo")
    frame.text(utf8: envelope.did)
    appendTime(envelope.time, &draft)
    frame.text("blobs")
    frame.array(0)
    frame.text("since")
    appendRev(since)
    appendBlocks(&draft)
    frame.text("commit")
    frame.bytes.append(contentsOf: CIDBytes.linkHead)
    draft.unsigned?.links = [frame.bytes.count]
    frame.bytes.append(contentsOf: CIDBytes.zeros32)
    frame.text("rebase")
    frame.bool(false)
    frame.text("tooBig")
    frame.bool(false)
    frame.text("prevData")
    append(link: previousRoot)
    swap(&draft.bytes, &frame.bytes)
  }

  private func append(_ operation: Operation) {
    frame.map(operation.previous == nil ? 3 : 4)
    frame.text("cid")
    if operation.action == .delete { frame.null() } else { append(link: operation.digest) }
    frame.text("path")
    frame.textHead(operation.key.count)
    operation.key.append(from: 0, to: &frame.bytes)
    if let previous = operation.previous {
      frame.text("prev")
      append(link: previous)
    }
    frame.text("action")
    frame.text(operation.action.rawValue)
  }

  private func append(link digest: Digest) {
    frame.bytes.append(contentsOf: CIDBytes.linkHead)
    digest.withBytes { frame.bytes.append(contentsOf: $0) }
  }

  private func appendRev(_ rev: UInt64) { frame.tid(rev) }

  private func appendSeq(_ seq: Int64, _ draft: inout FrameDraft) {
    frame.text("seq")
    frame.int(seq)
    draft.info.seqOffset = frame.bytes.count - 8
  }

  private func appendTime(_ time: UInt64, _ draft: inout FrameDraft) {
    frame.text("time")
    frame.time(time)
    draft.info.timeOffset = frame.bytes.count - 24
  }

  private func appendBlocks(_ draft: inout FrameDraft) {
    frame.text("blocks")
    frame.byteStringHead(car.count)
    let start = frame.bytes.count
    frame.bytes.append(contentsOf: car)
    draft.info.blocks = start..<frame.bytes.count
  }
}

/// The first item of a frame: `{"t": …, "op": 1}`.
enum FrameHeader {
  static let commit = header("#commit")
  static let sync = header("#sync")
  static let identity = header("#identity")
  static let account = header("#account")

  static func header(_ type: String) -> [UInt8] {
    var writer = CBORWriter(capacity: 32)
    writer.map(2)
    writer.text("t")
    writer.text(type)
    writer.text("op")
    writer.int(1)
    return writer.bytes
  }
}

extension CBORWriter {
  /// The text of a TID.
  mutating func tid(_ tid: UInt64) {
    textHead(13)
    TextFormat.appendTID(tid, to: &bytes)
  }

  /// The text of a time, 24 characters.
  mutating func time(_ microseconds: UInt64) {
    textHead(24)
    TextFormat.appendTime(microseconds: microseconds, to: &bytes)
  }

  /// The head of a text whose bytes the caller appends.
  mutating func textHead(_ count: Int) {
    switch count {
    case ..<24: bytes.append(0x60 | UInt8(count))
    case ..<256: bytes.append(contentsOf: [0x78, UInt8(count)])
    default: bytes.append(contentsOf: [0x79, UInt8(count >> 8), UInt8(count & 255)])
    }
  }
}
