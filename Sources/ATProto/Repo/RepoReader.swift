/// What a repository's CAR says of itself. Slices point into the CAR's bytes.
package struct RepoSummary: Sendable {
  /// CID of the signed commit: the first root.
  package var root = Slice.none
  package var did = Slice.none
  /// Empty where the commit has none, as in version 2.
  package var rev = Slice.none
  package var version: Int64 = 0
  /// CID of the tree's root node.
  package var data = Slice.none
  /// Paths in the tree.
  package var recordCount = 0
  /// Paths whose record is not in the CAR, or not what its CID says.
  package var missingRecordCount = 0
  /// CIDs of tree nodes that are not in the CAR, or not what their CID says; what lies below them is unknown.
  package var missingNodes: [Slice] = []
}

/// One path of a repository.
package struct RepoEntry {
  /// `collection/rkey` as the tree has it; valid during the visit only.
  package var path: Bytes
  /// CID of the record.
  package var cid: Slice
  /// The record's bytes; nil where the CAR lacks them.
  package var record: Slice?
}

/// Lists a whole repository from its CAR, in the order of the paths (atproto.com/specs/repository). Versions 2 and 3.
///
/// Every block that is used is hashed. Paths must ascend over the whole tree, so that no sharing of nodes can make it
/// larger than its bytes.
package struct RepoReader {
  /// A node being read: its reader stands before the next entry.
  private struct Open {
    var reader: CBORReader
    var remaining: Int
    /// The last key read here; the next one shares its front.
    var key: [UInt8] = []
    /// The subtree to be walked before the next entry.
    var subtree: Slice
  }

  private static let depthMax = 128
  private static let keyBytesMax = 4096

  private var blocks = BlockIndex()
  private var open: [Open] = []
  private var lastKey: [UInt8] = []

  package init() {}

  /// Walks the repository and calls `visit` for each path.
  ///
  /// Throws where the CAR, the commit or a node that is present is not well-formed; `commit_missing` where the root
  /// block is absent.
  package mutating func read(_ car: Bytes, visit: (RepoEntry) -> Void) throws(DecodeError) -> RepoSummary {
    var defects: Defects = []
    try blocks.read(car, Slice(offset: 0, count: car.count), defects: &defects)
    var summary = try commit(car)
    try walk(&summary, car, visit)
    return summary
  }

  /// Walks a CAR that holds a tree without a commit: its first root is the tree's root node.
  package mutating func readTree(_ car: Bytes, visit: (RepoEntry) -> Void) throws(DecodeError) -> RepoSummary {
    var defects: Defects = []
    try blocks.read(car, Slice(offset: 0, count: car.count), defects: &defects)
    var summary = RepoSummary()
    summary.root = blocks.root
    summary.data = blocks.root
    try walk(&summary, car, visit)
    return summary
  }

  private mutating func walk(
    _ summary: inout RepoSummary, _ car: Bytes, _ visit: (RepoEntry) -> Void
  ) throws(DecodeError) {
    lastKey.removeAll(keepingCapacity: true)
    open.removeAll(keepingCapacity: true)
    try enter(summary.data, car, &summary)
    while let last = open.indices.last {
      if !open[last].subtree.isEmpty {
        let subtree = open[last].subtree
        open[last].subtree = .none
        try enter(subtree, car, &summary)
      } else if open[last].remaining == 0 {
        open.removeLast()
      } else {
        try entry(last, car, &summary, visit)
      }
    }
  }

  private mutating func commit(_ car: Bytes) throws(DecodeError) -> RepoSummary {
    var summary = RepoSummary()
    summary.root = blocks.root
    guard let block = blocks.find(car[blocks.root], in: car, verifying: true) else {
      throw DecodeError(.commitMissing, at: blocks.root.offset)
    }
    var reader = CBORReader(car, in: block)
    var map = try reader.map()
    while let key = try reader.nextKey(&map) {
      let name = car[key]
      if name == "did" {
        summary.did = try reader.text()
      } else if name == "rev" {
        if !reader.null() { summary.rev = try reader.text() }
      } else if name == "data" {
        summary.data = try reader.blessedLink()
      } else if name == "version" {
        let start = reader.position
        summary.version = try reader.integer()
        guard summary.version == 2 || summary.version == 3 else { throw DecodeError(.badField, at: start) }
      } else {
        try reader.skip(depth: 1)
      }
    }
    guard reader.isAtEnd else { throw DecodeError(.trailingBytes, at: reader.position) }
    guard !summary.did.isEmpty, !summary.data.isEmpty, summary.version != 0 else {
      throw DecodeError(.missingField, at: block.offset)
    }
    return summary
  }

  /// Opens a node, checked to its end, with its reader before the first entry.
  private mutating func enter(_ cid: Slice, _ car: Bytes, _ summary: inout RepoSummary) throws(DecodeError) {
    guard open.count < Self.depthMax else { throw DecodeError(.tooDeep, at: cid.offset) }
    guard let node = blocks.find(car[cid], in: car, verifying: true) else {
      summary.missingNodes.append(cid)
      return
    }
    var reader = CBORReader(car, in: node)
    var entries: CBORReader?
    var count = 0
    var left: Slice?
    var map = try reader.map()
    while let name = try reader.nextKey(&map) {
      if car[name] == "e" {
        count = try reader.arrayCount()
        entries = reader
        for _ in 0..<count { _ = try reader.treeEntry(car) }
      } else if car[name] == "l" {
        left = reader.null() ? Slice.none : try reader.blessedLink()
      } else {
        try reader.skip(depth: 1)
      }
    }
    guard reader.isAtEnd else { throw DecodeError(.trailingBytes, at: reader.position) }
    guard let entries, let left else { throw DecodeError(.missingField, at: node.offset) }
    open.append(Open(reader: entries, remaining: count, subtree: left))
  }

  /// Reads the next entry of the node at `depth` and visits it; its subtree comes next.
  private mutating func entry(
    _ depth: Int, _ car: Bytes, _ summary: inout RepoSummary, _ visit: (RepoEntry) -> Void
  ) throws(DecodeError) {
    let start = open[depth].reader.position
    let entry = try open[depth].reader.treeEntry(car)
    open[depth].remaining -= 1
    open[depth].subtree = entry.subtree
    guard entry.shared >= 0, entry.shared <= Int64(open[depth].key.count),
      Int(entry.shared) + entry.suffix.count <= Self.keyBytesMax
    else { throw DecodeError(.badField, at: start) }
    open[depth].key.removeLast(open[depth].key.count - Int(entry.shared))
    open[depth].key.append(contentsOf: car[entry.suffix].raw)
    guard summary.recordCount == 0 || lastKey.lexicographicallyPrecedes(open[depth].key) else {
      throw DecodeError(.badField, at: start)
    }
    lastKey.replaceSubrange(0..<lastKey.count, with: open[depth].key)
    let record = blocks.find(car[entry.value], in: car, verifying: true)
    summary.recordCount += 1
    if record == nil { summary.missingRecordCount += 1 }
    lastKey.withUnsafeBytes { visit(RepoEntry(path: Bytes($0), cid: entry.value, record: record)) }
  }
}
