import Signatures

/// What an account's repository is, as far as the next commit needs it.
struct RepositoryState {
  var root: TreeNode
  /// The rev of the last commit, as a TID's number.
  var rev: UInt64
  /// The last record key, so that the next one is later.
  var lastRecord: UInt64
  /// Commits since the tree was an unchanged template.
  var commits = 0
  /// False between an account event that says so and the one that takes it back.
  var isActive = true
  /// The record key of the account's newest list.
  var list: UInt64?
}

/// The trees that repositories start from: real trees of a few sizes, shared by all accounts until they write.
struct RepositoryTemplates {
  private var large: [TreeNode] = []
  private var small: [TreeNode] = []

  /// Records per template. Real accounts that write a lot are old ones; these sizes give the depth of real frames.
  private static let sizes = [1_500, 4_000, 7_000, 10_000, 13_000, 17_000, 22_000, 30_000, 42_000]
  private static let smallSizes = [0, 3, 9, 20, 45, 90]

  init(seed: UInt64, percent: Int) {
    var random = Random(seed: seed, stream: 0x7265_706f)
    large = Self.sizes.map { Self.tree(records: $0 * percent / 100, &random) }
    small = Self.smallSizes.map { Self.tree(records: $0, &random) }
  }

  /// The template of an account: newcomers and most abusers have small ones.
  func root(trait: UInt64, isSmall: Bool) -> TreeNode {
    let templates = isSmall ? small : large
    return templates[Int(trait % UInt64(templates.count))]
  }

  /// A tree of records made between February 2023 and December 2025.
  private static func tree(records: Int, _ random: inout Random) -> TreeNode {
    var items: [(key: TreeKey, layer: Int, value: Digest)] = []
    items.reserveCapacity(records + 1)
    for (collection, share) in [(RecordCollection.like, 62), (.post, 20), (.repost, 10), (.follow, 7), (.block, 1)] {
      var time: UInt64 = 1_675_600_000_000_000
      let count = records * share / 100
      guard count > 0 else { continue }
      let gap = 91_000_000_000_000 / count
      for _ in 0..<count {
        time += UInt64(gap / 2 + random.below(gap))
        let key = TreeKey(collection, tid: TextFormat.tid(microseconds: time, clock: random.below(1_024)))
        items.append((key, key.layer, Self.digest(&random)))
      }
    }
    if records > 0 {
      let key = TreeKey(RecordCollection.profile.rawValue + "/self")
      items.append((key, key.layer, Self.digest(&random)))
    }
    items.sort { $0.key < $1.key }
    let root = TreeNode.build(items)
    var unsealed: [TreeNode] = []
    root.collectUnsealed(into: &unsealed)
    var scratch: [UInt8] = []
    for node in unsealed.reversed() {
      scratch.removeAll(keepingCapacity: true)
      node.seal(appendingTo: &scratch)
    }
    return root
  }

  private static func digest(_ random: inout Random) -> Digest {
    withUnsafeBytes(of: (random.next(), random.next(), random.next(), random.next())) { Digest(copying: $0) }
  }
}
