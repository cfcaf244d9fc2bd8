import ATProto

/// The binary CID of a block: version 1, SHA-256, `codec` 0x71 (dag-cbor) or 0x55 (raw).
package func cid(_ data: [UInt8], codec: UInt8 = 0x71) -> [UInt8] {
  [1, codec, 0x12, 0x20] + withBytes(data) { SHA256Digest.of($0) }
}

/// An unsigned LEB128 number.
package func varint(_ value: Int) -> [UInt8] {
  var out: [UInt8] = []
  var rest = value
  while rest >= 0x80 {
    out.append(UInt8(rest & 0x7f) | 0x80)
    rest >>= 7
  }
  return out + [UInt8(rest)]
}

/// A CAR v1 file whose every part can be replaced by something wrong.
package struct CAR: Sendable {
  package var roots: [[UInt8]]
  package var version: Item = .int(1)
  package var moreHeader: [(String, Item)] = []
  /// Replaces the whole header.
  package var header: [UInt8]?
  /// CID and data, as written; they need not agree.
  package var blocks: [(cid: [UInt8], data: [UInt8])]
  /// Put behind the last block.
  package var tail: [UInt8] = []

  package init(roots: [[UInt8]], blocks: [(cid: [UInt8], data: [UInt8])]) {
    self.roots = roots
    self.blocks = blocks
  }

  package var encoded: [UInt8] {
    let header =
      header ?? Item.map([("roots", .array(roots.map { .link($0) })), ("version", version)] + moreHeader).encoded
    var out = varint(header.count) + header
    for block in blocks { out += varint(block.cid.count + block.data.count) + block.cid + block.data }
    return out + tail
  }
}

/// A Merkle search tree built the slow way: all keys, from the top layer down (atproto.com/specs/repository).
package struct Tree: Sendable {
  /// Root CID and the blocks of all nodes, root first.
  package private(set) var root: [UInt8] = []
  package private(set) var blocks: [(cid: [UInt8], data: [UInt8])] = []

  package init(_ entries: [(path: String, value: [UInt8])]) {
    let sorted = entries.map { (key: Array($0.path.utf8), value: $0.value) }
      .sorted { $0.key.lexicographicallyPrecedes($1.key) }
    let top = sorted.map { Tree.height($0.key) }.max() ?? 0
    root = node(sorted, layer: top)
  }

  /// Leading zero bits of the key's digest, in pairs.
  package static func height(_ key: [UInt8]) -> Int {
    var bits = 0
    for byte in withBytes(key, SHA256Digest.of) {
      bits += byte.leadingZeroBitCount
      if byte != 0 { break }
    }
    return bits / 2
  }

  private mutating func node(_ entries: [(key: [UInt8], value: [UInt8])], layer: Int) -> [UInt8] {
    let place = blocks.count
    blocks.append((cid: [], data: []))
    var left: Item = .null
    var written: [Item] = []
    var previous: [UInt8] = []
    var below: [(key: [UInt8], value: [UInt8])] = []
    var pending: (suffix: [UInt8], shared: Int, value: [UInt8])?
    func close(_ subtree: Item) {
      if let entry = pending {
        written.append(Tree.entry(suffix: entry.suffix, shared: entry.shared, value: entry.value, subtree: subtree))
      } else {
        left = subtree
      }
    }
    for entry in entries {
      if Tree.height(entry.key) < layer {
        below.append(entry)
        continue
      }
      close(below.isEmpty ? .null : .link(node(below, layer: layer - 1)))
      below = []
      let shared = zip(previous, entry.key).prefix { $0 == $1 }.count
      pending = (Array(entry.key[shared...]), shared, entry.value)
      previous = entry.key
    }
    close(below.isEmpty ? .null : .link(node(below, layer: layer - 1)))
    let data = Item.map([("e", .array(written)), ("l", left)]).encoded
    blocks[place] = (cid(data), data)
    return blocks[place].cid
  }

  /// One entry of a node.
  package static func entry(suffix: [UInt8], shared: Int, value: [UInt8], subtree: Item = .null) -> Item {
    .map([("k", .bytes(suffix)), ("p", .int(Int64(shared))), ("t", subtree), ("v", .link(value))])
  }
}
