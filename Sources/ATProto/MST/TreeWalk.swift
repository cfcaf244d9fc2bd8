import Glibc

/// Follows one path through a Merkle search tree (atproto.com/specs/repository, "MST structure"), reading every node on the
/// way from its first to its last byte.
package final class TreeWalk {
  /// What the tree says about a path.
  package enum Answer: Equatable {
    /// The path is there, with this CID.
    case found(Slice)
    /// The tree proves that the path is not there.
    case absent
    /// A node on the path is not in the blocks, or not what its CID says.
    case nodeMissing
  }

  /// Longest key a tree may have; a legal path has at most 830 bytes.
  private static let keyBytesMax = 4096
  /// A key is copied 32 bytes at a time, the last of them beyond its end.
  private static let keySlack = 32
  /// No honest tree is this deep: a layer is two zero bits of SHA-256.
  private static let depthMax = 128

  /// The key of the entry being read; its front part is shared with the next one.
  private let key: UnsafeMutablePointer<UInt8>
  /// Bytes of nodes that may still be read for this frame.
  package var bytesLeft = Limits.treeBytesMax
  /// Imperfections of the nodes read.
  package var defects: Defects = []

  package init() { key = .allocate(capacity: Self.keyBytesMax + Self.keySlack) }
  deinit { key.deallocate() }

  /// Looks `path` up from the node `root` down. A node that is not well-formed throws.
  package func find(
    _ path: Bytes, root: Bytes, blocks: inout BlockIndex, in bytes: Bytes
  ) throws(DecodeError) -> Answer {
    var cid = root
    for _ in 0..<Self.depthMax {
      guard let node = blocks.find(cid, in: bytes, verifying: true) else { return .nodeMissing }
      let step = try read(node, bytes, path)
      if !step.value.isEmpty { return .found(step.value) }
      if step.subtree.isEmpty { return .absent }
      cid = bytes[step.subtree]
    }
    throw DecodeError(.tooDeep, at: 0)
  }

  /// What one node says: the value at the path, else the subtree the path would be in, else nothing.
  private struct Step {
    var value = Slice.none
    var subtree = Slice.none
  }

  private func read(_ node: Slice, _ bytes: Bytes, _ path: Bytes) throws(DecodeError) -> Step {
    bytesLeft -= node.count
    guard bytesLeft >= 0 else { throw DecodeError(.tooLarge, at: node.offset) }
    var reader = CBORReader(bytes, in: node)
    defer { defects.formUnion(reader.defects) }
    var step = Step()
    // `{"e": […], "l": …}` in canonical form, as all but hostile nodes are; anything else is read again from the start.
    if reader.canonicalNodeStart() {
      let right = try entries(&reader, bytes, path, &step)
      if let left = reader.canonicalNodeEnd() {
        if step.value.isEmpty { step.subtree = right ?? left }
        return step
      }
      reader = CBORReader(bytes, in: node)
      step = Step()
    }
    // The subtree to the right of the last key below the path; before any key that is the node's `l`.
    var right: Slice?
    var left = Slice.none
    var hasEntries = false
    var hasLeft = false
    var map = try reader.map()
    while let name = try reader.nextKey(&map) {
      if bytes[name] == "e" {
        hasEntries = true
        right = try entries(&reader, bytes, path, &step)
      } else if bytes[name] == "l" {
        hasLeft = true
        if !reader.null() { left = try reader.blessedLink() }
      } else {
        try reader.skip(depth: 1)
      }
    }
    guard hasEntries, hasLeft else { throw DecodeError(.missingField, at: node.offset) }
    guard reader.isAtEnd else { throw DecodeError(.trailingBytes, at: reader.position) }
    if step.value.isEmpty { step.subtree = right ?? left }
    return step
  }

  /// Reads all entries. Sets `step.value` where the path is one of them; returns the subtree right of the last smaller key,
  /// nil where no key is smaller.
  private func entries(
    _ reader: inout CBORReader, _ bytes: Bytes, _ path: Bytes, _ step: inout Step
  ) throws(DecodeError) -> Slice? {
    var right: Slice?
    var isPast = false
    // How many bytes the last key, which is smaller than the path, has in common with it.
    var common = 0
    // Everything the loop needs is local: a byte stored to the key may alias whatever stands in memory.
    let key = self.key
    var keyCount = 0
    let count = try reader.arrayCount()
    let (base, end) = (reader.base, reader.end)
    var at = reader.position
    for index in 0..<count {
      let start = at
      var entry = TreeEntry()
      if entry.readCanonical(base, at, end) {
        at = entry.value.end
      } else {
        var general = reader
        general.position = at
        entry = try general.anyTreeEntry(bytes)
        reader.defects = general.defects
        at = general.position
      }
      guard entry.shared <= Int64(keyCount), entry.shared >= 0, index > 0 || entry.shared == 0,
        Int(entry.shared) + entry.suffix.count <= Self.keyBytesMax
      else { throw DecodeError(.badField, at: start) }
      let shared = Int(entry.shared)
      let rest = bytes[entry.suffix]
      guard index == 0 || Self.isGreater(rest, than: key + min(shared, keyCount), keyCount - shared) else {
        throw DecodeError(.badField, at: start)
      }
      if bytes.count - entry.suffix.end >= Self.keySlack {
        Self.copy(rest, to: key + shared)
      } else {
        memcpy(key + shared, rest.base, rest.count)
      }
      keyCount = shared + rest.count
      if isPast { continue }
      // A key that shares more with the one before than that one with the path differs from the path in the same byte.
      if shared > common {
        right = entry.subtree
        continue
      }
      common = shared + Self.commonCount(rest, path, behind: shared)
      if common == keyCount && common == path.count {
        step.value = entry.value
        isPast = true
      } else if common < path.count && (common == keyCount || key[common] < path.base[common]) {
        right = entry.subtree
      } else {
        isPast = true
      }
    }
    reader.position = at
    return right
  }

  /// Whether the new rest of a key is greater than the `count` bytes it takes the place of: keys ascend.
  @inline(__always)
  private static func isGreater(_ rest: Bytes, than old: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    if count > 0, rest.count > 0, old[0] != rest.base[0] { return old[0] < rest.base[0] }
    return Bytes(base: old, count: count) < rest
  }

  /// Copies the rest of a key behind what it shares with the last one; at least `keySlack` bytes follow it in memory.
  @inline(__always)
  private static func copy(_ rest: Bytes, to key: UnsafeMutablePointer<UInt8>) {
    var at = 0
    while at < rest.count {
      let words = UnsafeRawPointer(rest.base + at).loadUnaligned(as: SIMD4<UInt64>.self)
      UnsafeMutableRawPointer(key + at).storeBytes(of: words, as: SIMD4<UInt64>.self)
      at += keySlack
    }
  }

  /// How many bytes `rest` and the path behind its first `shared` bytes begin with together.
  @inline(__always)
  private static func commonCount(_ rest: Bytes, _ path: Bytes, behind shared: Int) -> Int {
    let limit = min(rest.count, path.count - shared)
    var at = 0
    while at + 8 <= limit {
      let difference =
        UInt64(littleEndian: UnsafeRawPointer(rest.base + at).loadUnaligned(as: UInt64.self))
        ^ UInt64(littleEndian: UnsafeRawPointer(path.base + shared + at).loadUnaligned(as: UInt64.self))
      if difference != 0 { return at + difference.trailingZeroBitCount / 8 }
      at += 8
    }
    while at < limit, rest.base[at] == path.base[shared + at] { at += 1 }
    return at
  }
}

/// One entry of a tree node: the key's shared length and rest, the value's CID, the subtree to its right (empty for null).
struct TreeEntry {
  var shared: Int64 = 0
  var suffix = Slice.none
  var value = Slice.none
  var subtree = Slice.none

  /// Reads the entry at `at` if it is in canonical form; `value` ends where the entry does.
  @inline(__always)
  mutating func readCanonical(_ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Bool {
    // a4 61 'k' bytes-head … 61 'p' small-int … 61 't' (f6 | link) 61 'v' link; the shortest with an empty key is 51 bytes.
    guard end - start >= 51,
      UnsafeRawPointer(base + start).loadUnaligned(as: UInt32.self) & 0xff_ffff == UInt32(littleEndian: 0x6b_61a4)
    else { return false }
    var at = start + 3
    let head = base[at]
    if head &- 0x40 < 24 {
      suffix = Slice(offset: at + 1, count: Int(head &- 0x40))
    } else if head == 0x58, base[at + 1] >= 24 {
      suffix = Slice(offset: at + 2, count: Int(base[at + 1]))
    } else {
      return false
    }
    at = suffix.end
    guard end - at >= 4, base[at] == 0x61, base[at + 1] == 0x70 else { return false }
    let small = base[at + 2]
    if small < 24 {
      shared = Int64(small)
      at += 3
    } else if small == 0x18, base[at + 3] >= 24 {
      shared = Int64(base[at + 3])
      at += 4
    } else {
      return false
    }
    guard end - at >= 3 + 43, base[at] == 0x61, base[at + 1] == 0x74 else { return false }
    if base[at + 2] == 0xf6 {
      at += 3
    } else {
      guard let link = canonicalLink(base, at + 2, end) else { return false }
      subtree = link
      at = link.end
    }
    guard end - at >= 43, base[at] == 0x61, base[at + 1] == 0x76, let link = canonicalLink(base, at + 2, end) else {
      return false
    }
    value = link
    return true
  }
}

/// `d8 2a 58 25 00` and a blessed CID of DAG-CBOR at `at`.
@inline(__always)
private func canonicalLink(_ base: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Slice? {
  guard end - at >= 41,
    UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self) == UInt64(littleEndian: 0x1271_0100_2558_2ad8),
    base[at + 8] == 0x20
  else { return nil }
  return Slice(offset: at + 5, count: CID.blessedCount)
}

extension CBORReader {
  /// Steps over `a2 61 'e'`, where the array of entries follows.
  @inline(__always)
  mutating func canonicalNodeStart() -> Bool {
    guard end - position >= 8,
      UnsafeRawPointer(base + position).loadUnaligned(as: UInt32.self) & 0xff_ffff == UInt32(littleEndian: 0x65_61a2)
    else { return false }
    position += 3
    return true
  }

  /// Reads `61 'l'` and null or a link, then the end; nil where something else stands there.
  @inline(__always)
  mutating func canonicalNodeEnd() -> Slice? {
    guard end - position >= 3, base[position] == 0x61, base[position + 1] == 0x6c else { return nil }
    if base[position + 2] == 0xf6 {
      guard end - position == 3 else { return nil }
      position = end
      return Slice.none
    }
    guard end - position == 43, let link = canonicalLink(base, position + 2, end) else { return nil }
    position = end
    return link
  }

  /// Reads `{k, p, t, v}`. Nodes are nearly all of a frame, so the canonical layout is matched byte by byte and anything
  /// else is left to the general reader.
  @inline(__always)
  mutating func treeEntry(_ bytes: Bytes) throws(DecodeError) -> TreeEntry {
    var entry = TreeEntry()
    guard entry.readCanonical(base, position, end) else { return try anyTreeEntry(bytes) }
    position = entry.value.end
    return entry
  }

  @inline(never)
  mutating func anyTreeEntry(_ bytes: Bytes) throws(DecodeError) -> TreeEntry {
    let start = position
    var entry = TreeEntry()
    var seen = 0
    var map = try self.map()
    while let name = try nextKey(&map) {
      guard name.count == 1 else {
        try skip(depth: 3)
        continue
      }
      switch bytes[name][0] {
      case 0x6b:
        entry.suffix = try byteString()
        seen |= 1
      case 0x70:
        entry.shared = try integer()
        seen |= 2
      case 0x74:
        if !null() { entry.subtree = try blessedLink() }
        seen |= 4
      case 0x76:
        entry.value = try blessedLink()
        seen |= 8
      default: try skip(depth: 3)
      }
    }
    guard seen == 15 else { throw DecodeError(.missingField, at: start) }
    return entry
  }
}
