import Glibc

/// The blocks of one CAR v1 file, found by CID, each hashed at most once and only when asked for.
///
/// While `presumes` is set a block that is asked for passes for good and is hashed later, with all the others, by
/// `settle`: hashing ten blocks together takes a third of the time (docs/decisions/0008). Who reads so must read again,
/// with `presumes` unset, where one of them turns out bad.
///
/// Blocks are slices of the bytes the CAR lies in; nothing is copied. Reused from frame to frame.
package struct BlockIndex {
  private enum State: UInt8 {
    case unchecked
    /// Passed for good when asked for; to be hashed by `settle`.
    case presumed
    case good
    /// Asked for and not what its CID says.
    case bad
    /// Not what its CID says, but nobody asked for it since that is known.
    case badUnasked
  }
  private struct Block {
    /// First eight bytes of the digest, to compare before the whole CID is.
    var prefix: UInt64
    var cid: UInt32
    var state: State
    var data: Slice
  }

  private var blocks: [Block] = []
  /// Above this many blocks they are sorted by CID and found by bisection, so that no choice of CIDs makes look-ups slow.
  private static let scanMax = 48
  private var isSorted = false
  /// Whether blocks pass for good until `settle`.
  private(set) var presumes = false
  /// Blocks in state `presumed`.
  private var presumedCount = 0
  private let batch = DigestBatch()
  /// The first root of the header: any CID.
  package private(set) var root = Slice.none

  package init() { blocks.reserveCapacity(64) }

  package var count: Int { blocks.count }

  /// The data of all blocks with a blessed CID. Cold paths only.
  package var data: [Slice] { blocks.map(\.data) }

  /// Gives memory back that only a huge CAR needed.
  mutating func shrink() {
    if blocks.capacity > 8192 { self = BlockIndex() }
  }

  /// Walks the CAR at `slice` (CAR v1 specification). Every failure is `bad_car`. Blocks whose CID is not of the blessed
  /// form are legal and passed over: no commit, node or record of ours can be one.
  package mutating func read(_ bytes: Bytes, _ slice: Slice, defects: inout Defects) throws(DecodeError) {
    blocks.removeAll(keepingCapacity: true)
    isSorted = false
    presumes = false
    presumedCount = 0
    root = .none
    var position = slice.offset
    let car = Bytes(base: bytes.base, count: slice.end)
    guard let length = readVarint(car, &position), length > 0, length <= UInt64(slice.end - position) else {
      throw DecodeError(.badCAR, at: slice.offset)
    }
    let header = Slice(offset: position, count: Int(length))
    if !readCanonicalHeader(bytes, header) {
      do throws(DecodeError) {
        try readHeader(bytes, header, &defects)
      } catch {
        throw DecodeError(.badCAR, at: error.offset)
      }
    }
    position = header.end
    while position < slice.end {
      let start = position
      guard let length = readVarint(car, &position), length > 0, length <= UInt64(slice.end - position) else {
        throw DecodeError(.badCAR, at: start)
      }
      let block = bytes[Slice(offset: position, count: Int(length))]
      if block.count >= CID.blessedCount, CID.isBlessed(Bytes(base: block.base, count: CID.blessedCount)) {
        let data = Slice(offset: position + CID.blessedCount, count: block.count - CID.blessedCount)
        let prefix = UnsafeRawPointer(block.base + 4).loadUnaligned(as: UInt64.self)
        blocks.append(Block(prefix: prefix, cid: UInt32(position), state: .unchecked, data: data))
      } else if CID.length(of: block) == nil {
        throw DecodeError(.badCAR, at: position)
      }
      position += Int(length)
    }
    if blocks.count > Self.scanMax { sort(bytes) }
  }

  /// `{"roots": [CID], "version": 1}` as everybody writes it; false where it is anything else.
  private mutating func readCanonicalHeader(_ bytes: Bytes, _ slice: Slice) -> Bool {
    let header = bytes[slice]
    let cid = Slice(offset: slice.offset + 13, count: CID.blessedCount)
    guard header.count == 58, memcmp(header.base, Self.headerStart, 13) == 0, CID.isBlessed(bytes[cid]),
      memcmp(header.base + 49, Self.headerEnd, 9) == 0
    else { return false }
    root = cid
    return true
  }

  /// A map of two, `roots`, an array of one, tag 42, 37 bytes, the first of them zero.
  private static let headerStart: [UInt8] = [0xa2, 0x65, 0x72, 0x6f, 0x6f, 0x74, 0x73, 0x81, 0xd8, 0x2a, 0x58, 0x25, 0]
  /// `version`, 1.
  private static let headerEnd: [UInt8] = [0x67, 0x76, 0x65, 0x72, 0x73, 0x69, 0x6f, 0x6e, 1]

  private mutating func readHeader(_ bytes: Bytes, _ slice: Slice, _ defects: inout Defects) throws(DecodeError) {
    var reader = CBORReader(bytes, in: slice)
    var version: Int64?
    var map = try reader.map()
    while let key = try reader.nextKey(&map) {
      if bytes[key] == "version" {
        version = try reader.integer()
      } else if bytes[key] == "roots" {
        for index in 0..<(try reader.arrayCount()) {
          let start = reader.position
          let head = try reader.head()
          guard head.major == 6 else { throw DecodeError(.badField, at: start) }
          let link = try reader.linkBody(head, at: start)
          if index == 0 { root = link }
        }
      } else {
        try reader.skip(depth: 1)
      }
    }
    guard version == 1, !root.isEmpty, reader.isAtEnd else { throw DecodeError(.badField, at: slice.offset) }
    defects.formUnion(reader.defects)
  }

  private mutating func sort(_ bytes: Bytes) {
    blocks.sort { left, right in
      let order = memcmp(bytes.base + Int(left.cid), bytes.base + Int(right.cid), CID.blessedCount)
      return order != 0 ? order < 0 : left.cid < right.cid
    }
    isSorted = true
  }

  /// The data of the block with this CID; nil where it is absent, of another form than the blessed one, or, when
  /// `verifying`, does not hash to it.
  ///
  /// Where the CAR holds several blocks of one CID, the first that hashes to it counts.
  @inline(__always)
  package mutating func find(_ cid: Bytes, in bytes: Bytes, verifying: Bool) -> Slice? {
    guard cid.count == CID.blessedCount else { return nil }
    let prefix = UnsafeRawPointer(cid.base + 4).loadUnaligned(as: UInt64.self)
    var index = isSorted ? lowerBound(cid, bytes) : 0
    while index < blocks.count {
      if blocks[index].prefix == prefix,
        CID.isEqual(bytes.base + Int(blocks[index].cid), cid.base)
      {
        if !verifying || check(index, bytes) { return blocks[index].data }
      } else if isSorted {
        return nil
      }
      index += 1
    }
    return nil
  }

  private func lowerBound(_ cid: Bytes, _ bytes: Bytes) -> Int {
    var low = 0
    var high = blocks.count
    while low < high {
      let middle = (low + high) / 2
      if memcmp(bytes.base + Int(blocks[middle].cid), cid.base, CID.blessedCount) < 0 {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }

  /// Whether block `index` hashes to its CID, or is presumed to.
  @inline(__always)
  private mutating func check(_ index: Int, _ bytes: Bytes) -> Bool {
    switch blocks[index].state {
    case .good, .presumed: return true
    case .bad: return false
    case .badUnasked:
      blocks[index].state = .bad
      return false
    case .unchecked: break
    }
    if presumes {
      blocks[index].state = .presumed
      presumedCount += 1
      return true
    }
    let cid = Bytes(base: bytes.base + Int(blocks[index].cid), count: CID.blessedCount)
    let isGood = SHA256Digest.matches(bytes[blocks[index].data], cid: cid)
    blocks[index].state = isGood ? .good : .bad
    return isGood
  }

  /// Lets blocks pass for good from here to `settle`.
  mutating func presume() { presumes = true }

  /// Hashes the blocks that passed for good meanwhile, and with `all` every block nobody asked for. False where one of
  /// those that passed is bad, so that what was read is worth nothing.
  mutating func settle(_ bytes: Bytes, all: Bool) -> Bool {
    presumes = false
    guard presumedCount > 0 || all else { return true }
    presumedCount = 0
    var holds = true
    batch.removeAll()
    for index in blocks.indices where blocks[index].state == .presumed || (all && blocks[index].state == .unchecked) {
      batch.append(bytes[blocks[index].data], tag: index)
      if batch.isFull, !settleBatch(bytes) { holds = false }
    }
    return settleBatch(bytes) && holds
  }

  /// Hashes what the batch holds and empties it. False where a block that passed for good is bad.
  private mutating func settleBatch(_ bytes: Bytes) -> Bool {
    var holds = true
    batch.compute()
    for slot in 0..<batch.count {
      let index = batch.tag(slot)
      if CID.isDigestEqual(batch.digest(slot), bytes.base + Int(blocks[index].cid) + 4) {
        blocks[index].state = .good
      } else {
        if blocks[index].state == .presumed { holds = false }
        blocks[index].state = .badUnasked
      }
    }
    batch.removeAll()
    return holds
  }

  /// Hashes every block that nobody asked for; a mismatch makes the file a bad CAR.
  mutating func checkAll(_ bytes: Bytes) throws(DecodeError) {
    for index in blocks.indices where blocks[index].state == .unchecked || blocks[index].state == .badUnasked {
      if !check(index, bytes) { throw DecodeError(.badCAR, at: Int(blocks[index].cid)) }
    }
  }
}
