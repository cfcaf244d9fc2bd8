import Signatures

extension TreeNode {
  /// The tree with `key` set to `value`.
  func setting(_ key: TreeKey, to value: Digest) -> TreeNode {
    let target = key.layer
    let entry = Entry(key: key, value: value, right: nil)
    if isEmpty { return TreeNode(layer: target, left: nil, entries: [entry]) }
    guard target > layer else { return inserting(entry, at: target) }
    let (below, above) = split(at: key)
    var top = entry
    top.right = TreeNode.raise(above, to: target - 1)
    return TreeNode(layer: target, left: TreeNode.raise(below, to: target - 1), entries: [top])
  }

  /// The tree without `key`, which must be in it.
  func removing(_ key: TreeKey) -> TreeNode {
    var root = dropping(key, at: key.layer) ?? .empty()
    // Nodes without keys may stand between others, but not on top.
    while root.entries.isEmpty, let only = root.left { root = only }
    return root
  }

  private func inserting(_ entry: Entry, at target: Int) -> TreeNode {
    let index = position(of: entry.key)
    guard layer == target else {
      let changed: TreeNode
      if let child = child(before: index) {
        changed = child.inserting(entry, at: target)
      } else {
        changed = TreeNode.raised(TreeNode(layer: target, left: nil, entries: [entry]), to: layer - 1)
      }
      return replacing(childBefore: index, with: changed)
    }
    if index < entries.count, entries[index].key == entry.key {
      var entries = entries
      entries[index].value = entry.value
      return TreeNode(layer: layer, left: left, entries: entries)
    }
    let (below, above) = child(before: index)?.split(at: entry.key) ?? (nil, nil)
    var entry = entry
    entry.right = above
    // Not `insert`: it would leave room for as many again, and most nodes are never changed after this.
    var widened: [Entry] = []
    widened.reserveCapacity(entries.count + 1)
    widened.append(contentsOf: entries[..<index])
    if index > 0 { widened[index - 1].right = below }
    widened.append(entry)
    widened.append(contentsOf: entries[index...])
    return TreeNode(layer: layer, left: index == 0 ? below : left, entries: widened)
  }

  private func dropping(_ key: TreeKey, at target: Int) -> TreeNode? {
    let index = position(of: key)
    guard layer == target else {
      guard let child = child(before: index) else { preconditionFailure("only keys in the tree are removed") }
      return replacing(childBefore: index, with: child.dropping(key, at: target)).unlessEmpty
    }
    precondition(index < entries.count && entries[index].key == key, "only keys in the tree are removed")
    let joined = TreeNode.join(child(before: index), entries[index].right)
    var entries = entries
    entries.remove(at: index)
    if index > 0 { entries[index - 1].right = joined }
    return TreeNode(layer: layer, left: index == 0 ? joined : left, entries: entries).unlessEmpty
  }

  private var unlessEmpty: TreeNode? { isEmpty ? nil : self }

  private func replacing(childBefore index: Int, with child: TreeNode?) -> TreeNode {
    guard index > 0 else { return TreeNode(layer: layer, left: child, entries: entries) }
    var entries = entries
    entries[index - 1].right = child
    return TreeNode(layer: layer, left: left, entries: entries)
  }

  /// The keys below `key` and those above it, as two trees of this layer or nothing.
  private func split(at key: TreeKey) -> (TreeNode?, TreeNode?) {
    let index = position(of: key)
    let (below, above) = child(before: index)?.split(at: key) ?? (nil, nil)
    var lower = Array(entries[..<index])
    if index > 0 { lower[index - 1].right = below }
    let under = TreeNode(layer: layer, left: index == 0 ? below : left, entries: lower)
    let over = TreeNode(layer: layer, left: above, entries: Array(entries[index...]))
    return (under.unlessEmpty, over.unlessEmpty)
  }

  /// Two neighbours of one layer as one tree.
  private static func join(_ one: TreeNode?, _ other: TreeNode?) -> TreeNode? {
    guard let one else { return other }
    guard let other else { return one }
    precondition(one.layer == other.layer, "neighbours hang under the same node")
    let middle = join(one.child(before: one.entries.count), other.left)
    let widened = one.replacing(childBefore: one.entries.count, with: middle)
    return TreeNode(layer: one.layer, left: widened.left, entries: widened.entries + other.entries)
  }

  private static func raise(_ node: TreeNode?, to layer: Int) -> TreeNode? { node.map { raised($0, to: layer) } }

  /// The tree with nodes without keys on top, up to `layer`: a parent's children are exactly one layer below it.
  private static func raised(_ node: TreeNode, to layer: Int) -> TreeNode {
    var top = node
    while top.layer < layer { top = TreeNode(layer: top.layer + 1, left: top, entries: []) }
    return top
  }

  /// A tree of sorted keys with their layers.
  static func build(_ items: [(key: TreeKey, layer: Int, value: Digest)]) -> TreeNode {
    func build(_ range: Range<Int>, _ layer: Int) -> TreeNode? {
      guard !range.isEmpty else { return nil }
      var left: TreeNode?
      var entries: [Entry] = []
      var start = range.lowerBound
      for index in range where items[index].layer == layer {
        let before = build(start..<index, layer - 1)
        if entries.isEmpty { left = before } else { entries[entries.count - 1].right = before }
        entries.append(Entry(key: items[index].key, value: items[index].value, right: nil))
        start = index + 1
      }
      let last = build(start..<range.upperBound, layer - 1)
      if entries.isEmpty { left = last } else { entries[entries.count - 1].right = last }
      return TreeNode(layer: layer, left: left, entries: entries)
    }
    return build(0..<items.count, items.map(\.layer).max() ?? 0) ?? .empty()
  }
}
