import Signatures

/// A node of an immutable Merkle search tree. Changing a tree makes new nodes along one path; all others are shared.
/// Only `World`'s own thread touches them.
final class TreeNode {
  /// A key, its record's CID, and the sub-tree between this key and the next.
  struct Entry {
    var key: TreeKey
    var value: Digest
    var right: TreeNode?
  }

  let layer: Int
  /// The sub-tree left of the first key.
  let left: TreeNode?
  let entries: [Entry]
  /// The digest of the encoded node, once it has been sealed.
  private(set) var digest: Digest?
  /// The number of the last frame this node's block was put into, so that no block stands in a frame twice.
  var frameMark: UInt64 = 0

  init(layer: Int, left: TreeNode?, entries: [Entry]) {
    self.layer = layer
    self.left = left
    self.entries = entries
  }

  /// A node whose digest is known already, such as one read from a frame.
  convenience init(layer: Int, left: TreeNode?, entries: [Entry], digest: Digest) {
    self.init(layer: layer, left: left, entries: entries)
    self.digest = digest
  }

  /// An empty repository's only node.
  static func empty() -> TreeNode { TreeNode(layer: 0, left: nil, entries: []) }

  var isEmpty: Bool { entries.isEmpty && left == nil }

  /// The index of the first key that is not below `key`.
  func position(of key: TreeKey) -> Int {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].key < key { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The sub-tree just left of entry `index`.
  func child(before index: Int) -> TreeNode? {
    index == 0 ? left : entries[index - 1].right
  }

  /// The record's CID under `key`.
  func value(of key: TreeKey) -> Digest? {
    var node = self
    while true {
      let index = node.position(of: key)
      if index < node.entries.count, node.entries[index].key == key { return node.entries[index].value }
      guard let next = node.child(before: index) else { return nil }
      node = next
    }
  }

  /// Appends the node's block to `bytes` and remembers its digest. All children must be sealed.
  func seal(appendingTo bytes: inout [UInt8]) {
    let start = bytes.count
    encode(appendingTo: &bytes)
    digest = bytes.withUnsafeBytes { Digest(sha256: UnsafeRawBufferPointer(rebasing: $0[start...])) }
  }

  /// Appends the node as DAG-CBOR: `{e: [{k, p, t, v}], l}`, keys without the prefix they share with the one before.
  func encode(appendingTo bytes: inout [UInt8]) {
    withUnsafeTemporaryAllocation(byteCount: 64 + entries.count * Self.entryBytesMax, alignment: 8) { buffer in
      var output = NodeOutput(buffer: buffer, offset: 0)
      write(to: &output)
      bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<output.offset]))
    }
  }

  private func write(to output: inout NodeOutput) {
    output.put(0xa2, 0x61, 0x65)
    output.putHead(4, entries.count)
    for index in entries.indices {
      let shared = index == 0 ? 0 : entries[index - 1].key.commonPrefix(entries[index].key)
      output.put(0xa4, 0x61, 0x6b)
      output.putHead(2, entries[index].key.count - shared)
      entries[index].key.withBytes { output.put(UnsafeRawBufferPointer(rebasing: $0[shared...])) }
      output.put(0x61, 0x70)
      output.putHead(0, shared)
      output.put(0x61, 0x74)
      output.putLink(entries[index].right)
      output.put(0x61, 0x76)
      output.putLink(entries[index].value)
    }
    output.put(0x61, 0x6c)
    output.putLink(left)
  }

  /// The longest entry: 8 bytes of heads and key names, two heads of two bytes, a whole key, two links of 41 bytes.
  private static let entryBytesMax = 8 + 4 + TreeKey.bytesMax + 82 + 10
}

/// Writes a node into a buffer that was made large enough beforehand.
private struct NodeOutput {
  let buffer: UnsafeMutableRawBufferPointer
  var offset: Int

  mutating func put(_ byte: UInt8) {
    buffer[offset] = byte
    offset += 1
  }

  mutating func put(_ one: UInt8, _ two: UInt8) {
    put(one)
    put(two)
  }

  mutating func put(_ one: UInt8, _ two: UInt8, _ three: UInt8) {
    put(one, two)
    put(three)
  }

  mutating func put(_ bytes: UnsafeRawBufferPointer) {
    precondition(offset + bytes.count <= buffer.count, "encode made room for the longest entries")
    UnsafeMutableRawBufferPointer(rebasing: buffer[offset...]).copyMemory(from: bytes)
    offset += bytes.count
  }

  mutating func putHead(_ major: UInt8, _ value: Int) {
    precondition(value < 65_536, "a node has far fewer entries")
    switch value {
    case ..<24: put(major << 5 | UInt8(value))
    case ..<256: put(major << 5 | 24, UInt8(value))
    default: put(major << 5 | 25, UInt8(value >> 8), UInt8(value & 255))
    }
  }

  mutating func putLink(_ node: TreeNode?) {
    guard let node else { return put(0xf6) }
    guard let digest = node.digest else { preconditionFailure("children are sealed before their parents") }
    putLink(digest)
  }

  mutating func putLink(_ digest: Digest) {
    CIDBytes.linkHead.withUnsafeBytes { put($0) }
    digest.withBytes { put($0) }
  }
}

/// The fixed bytes around the digests that simulated objects link to.
enum CIDBytes {
  static let dagCBOR: UInt8 = 0x71
  static let raw: UInt8 = 0x55
  /// CIDv1, DAG-CBOR, SHA-256, 32 bytes.
  static let prefix: [UInt8] = [1, dagCBOR, 0x12, 0x20]
  /// Stand in for a digest or a signature until it is known.
  static let zeros32 = [UInt8](repeating: 0, count: 32)
  static let zeros64 = [UInt8](repeating: 0, count: 64)
  /// Tag 42, a byte string of 37, the zero before a binary CID, and `prefix`.
  static let linkHead: [UInt8] = [0xd8, 0x2a, 0x58, 0x25, 0, 1, dagCBOR, 0x12, 0x20]
}
