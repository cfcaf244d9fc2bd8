import Signatures

extension TreeNode {
  /// The nodes that are not sealed yet, parents before children, left before right.
  func collectUnsealed(into nodes: inout [TreeNode]) {
    guard digest == nil else { return }
    nodes.append(self)
    left?.collectUnsealed(into: &nodes)
    for entry in entries { entry.right?.collectUnsealed(into: &nodes) }
  }

  /// The nodes from the deepest up to this one that a reader needs to undo a change of `key`: the path to the key
  /// (or to where it would be) and the paths to its two neighbours, in which a removed key was joined.
  func collectProof(of key: TreeKey, into nodes: inout [TreeNode]) {
    collectPath(of: key, into: &nodes)
    collectLeftNeighbour(of: key, into: &nodes)
    collectRightNeighbour(of: key, into: &nodes)
  }

  private func collectPath(of key: TreeKey, into nodes: inout [TreeNode]) {
    let index = position(of: key)
    if index == entries.count || entries[index].key != key {
      child(before: index)?.collectPath(of: key, into: &nodes)
    }
    nodes.append(self)
  }

  private func collectLeftNeighbour(of key: TreeKey, into nodes: inout [TreeNode]) {
    child(before: position(of: key))?.collectLeftNeighbour(of: key, into: &nodes)
    nodes.append(self)
  }

  private func collectRightNeighbour(of key: TreeKey, into nodes: inout [TreeNode]) {
    let index = position(of: key)
    let isHere = index < entries.count && entries[index].key == key
    child(before: isHere ? index + 1 : index)?.collectRightNeighbour(of: key, into: &nodes)
    nodes.append(self)
  }
}
