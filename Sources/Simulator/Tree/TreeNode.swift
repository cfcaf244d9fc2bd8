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
    bytes.append(contentsOf: [0xa2, 0x61, 0x65])
    Self.appendHead(4, entries.count, to: &bytes)
    var previous: TreeKey?
    for entry in entries {
      let shared = previous.map { $0.commonPrefix(entry.key) } ?? 0
      bytes.append(contentsOf: [0xa4, 0x61, 0x6b])
      Self.appendHead(2, entry.key.count - shared, to: &bytes)
      entry.key.append(from: shared, to: &bytes)
      bytes.append(contentsOf: [0x61, 0x70])
      Self.appendHead(0, shared, to: &bytes)
      bytes.append(contentsOf: [0x61, 0x74])
      Self.append(link: entry.right, to: &bytes)
      bytes.append(contentsOf: [0x61, 0x76])
      Self.append(link: entry.value, to: &bytes)
      previous = entry.key
    }
    bytes.append(contentsOf: [0x61, 0x6c])
    Self.append(link: left, to: &bytes)
  }

  private static func append(link node: TreeNode?, to bytes: inout [UInt8]) {
    guard let node else {
      bytes.append(0xf6)
      return
    }
    guard let digest = node.digest else { preconditionFailure("children are sealed before their parents") }
    append(link: digest, to: &bytes)
  }

  private static func append(link digest: Digest, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: CIDBytes.linkHead)
    digest.withBytes { bytes.append(contentsOf: $0) }
  }

  private static func appendHead(_ major: UInt8, _ value: Int, to bytes: inout [UInt8]) {
    precondition(value < 256 || major == 4, "keys are short")
    switch value {
    case ..<24: bytes.append(major << 5 | UInt8(value))
    case ..<256: bytes.append(contentsOf: [major << 5 | 24, UInt8(value)])
    default: bytes.append(contentsOf: [major << 5 | 25, UInt8(value >> 8 & 255), UInt8(value & 255)])
    }
  }
}

/// The fixed bytes around the digests that simulated objects link to.
enum CIDBytes {
  static let dagCBOR: UInt8 = 0x71
  static let raw: UInt8 = 0x55
  /// CIDv1, DAG-CBOR, SHA-256, 32 bytes.
  static let prefix: [UInt8] = [1, dagCBOR, 0x12, 0x20]
  /// Tag 42, a byte string of 37, the zero before a binary CID, and `prefix`.
  static let linkHead: [UInt8] = [0xd8, 0x2a, 0x58, 0x25, 0, 1, dagCBOR, 0x12, 0x20]
}
