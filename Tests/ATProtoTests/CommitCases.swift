import ATProto
import FrameKit

private func commit(_ change: (inout CommitFrame) -> Void) -> [UInt8] {
  var commit = CommitFrame()
  change(&commit)
  return commit.encoded
}

private func payload(_ name: String, _ value: Item?) -> [UInt8] { commit { $0.changes = [(name, value)] } }
private func signed(_ name: String, _ value: Item?) -> [UInt8] { commit { $0.commitChanges = [(name, value)] } }
private func car(_ change: @escaping @Sendable (inout CAR) -> Void) -> [UInt8] { commit { $0.changeCAR = change } }
private func sync(_ name: String, _ value: Item?) -> [UInt8] { message("#sync", syncFields().with(name, value)) }

private let path = "app.bsky.feed.post/3l6oveex3ii2k"
private let post = CommitFrame.post
private let raw = cid(post, codec: 0x55)

/// The payload of a `#commit` and the commit object.
let commitCases: [Case] =
  [
    Case("an honest commit", "accept", CommitFrame().encoded),
    Case("no operations", "skip no_operations", commit { $0.operations = [] }),
    Case("since null", "accept", payload("since", .null)),
    Case("since no TID", "reject bad_field", payload("since", .text("yesterday"))),
    Case("since undefined", "reject bad_simple", payload("since", .raw([0xf7]))),
    Case("prevData null", "accept", payload("prevData", .null)),
    Case("prevData text", "reject bad_field", payload("prevData", .text("x"))),
    Case("prevData of another form", "reject bad_cid", payload("prevData", .link([1, 0x55, 0, 1, 7]))),
    Case("blobs null", "accept +blobs_null", payload("blobs", .null)),
    Case("blobs text", "reject bad_field", payload("blobs", .text("x"))),
    Case("blobs of links", "accept", payload("blobs", .array([.link(raw)]))),
    Case("blobs no CBOR", "reject bad_simple", payload("blobs", .array([.raw([0xf7])]))),
    Case("tooBig", "accept +too_big_flag", payload("tooBig", .bool(true))),
    Case("rebase", "accept +rebase_flag", payload("rebase", .bool(true))),
    Case("tooBig is a number", "reject bad_field", payload("tooBig", .int(0))),
    Case("rebase null", "reject bad_field", payload("rebase", .null)),
    Case("rev no TID", "reject bad_field", payload("rev", .text("3l6oveex3ii2"))),
    Case("rev with its top bit set", "reject bad_field", payload("rev", .text("k222222222222"))),
    Case("rev with a digit TIDs lack", "reject bad_field", payload("rev", .text("3l6oveex3ii21"))),
    Case("rev is a number", "reject bad_field", payload("rev", .int(3))),
    Case("rev of another commit", "reject commit_mismatch", payload("rev", .text("3l6oveex3ii2m"))),
    Case("repo no DID", "reject bad_field", payload("repo", .text("alice.example.com"))),
    Case("repo of another account", "reject commit_mismatch", payload("repo", .text("did:web:example.com"))),
    Case("commit null", "reject bad_field", payload("commit", .null)),
    Case("commit of another form", "reject bad_cid", payload("commit", .link([1, 0x71, 0, 1, 7]))),
    Case("commit of another block", "reject commit_mismatch", payload("commit", .link(cid(post)))),
    Case("blocks text", "reject bad_field", payload("blocks", .text("x"))),
    Case("blocks null", "reject bad_field", payload("blocks", .null)),
    Case("ops null", "reject bad_field", payload("ops", .null)),
    Case("ops of numbers", "reject bad_field", payload("ops", .array([.int(1)]))),
    Case("old field prev", "accept", payload("prev", .null)),
    Case(
      "tooBig, rebase, blobs and prevData absent", "accept",
      commit {
        $0.changes = [("tooBig", nil), ("rebase", nil), ("blobs", nil), ("prevData", nil)]
      }),
    Case("commit object of version 2", "accept", signed("version", .int(2))),
    Case("commit object of version 4", "reject bad_field", signed("version", .int(4))),
    Case("commit object with version as text", "reject bad_field", signed("version", .text("3"))),
    Case("commit object of another account", "reject commit_mismatch", signed("did", .text("did:web:example.com"))),
    Case("commit object of another rev", "reject commit_mismatch", signed("rev", .text("3l6oveex3ii2m"))),
    Case("commit object with data null", "reject bad_field", signed("data", .null)),
    Case("commit object with a data CID of another form", "reject bad_cid", signed("data", .link([1, 0x71, 0, 1, 7]))),
    Case("commit object with sig as text", "reject bad_field", signed("sig", .text("x"))),
    Case("commit object with an unknown field", "accept", signed("x", .nested(63))),
    Case("commit object too deep", "reject too_deep", signed("x", .nested(64))),
    Case("commit object with a bad tag", "reject bad_tag", signed("x", .raw([0xc0, 0]))),
    Case("commit object with bytes behind it", "reject trailing_bytes", commit { $0.commitTail = [0] }),
    Case(
      "commit object with unsorted keys", "accept +unsorted_keys",
      signed("x", .raw([0xa2, 0x61, 0x62, 1, 0x61, 0x61, 2]))),
  ]
  + ["ops", "rev", "seq", "repo", "time", "since", "blocks", "commit"]
  .map { Case("no \($0)", "reject missing_field", payload($0, nil)) }
  + ["did", "rev", "sig", "data", "version"]
  .map { Case("commit object without \($0)", "reject missing_field", signed($0, nil)) }
  + ["did", "rev", "seq", "time", "blocks"]
  .map { Case("sync without \($0)", "reject missing_field", sync($0, nil)) }

/// CAR files.
let carCases: [Case] = [
  Case("no roots", "reject bad_car", car { $0.roots = [] }),
  Case("two roots", "accept", car { $0.roots.append(raw) }),
  Case("the commit as second root", "reject commit_mismatch", car { $0.roots.insert(cid(post), at: 0) }),
  Case("root absent", "reject commit_missing", car { $0.blocks.removeLast() }),
  Case("root block with other bytes", "reject commit_missing", car { $0.blocks[$0.blocks.count - 1].data[20] ^= 1 }),
  Case(
    "root block twice, the first one false", "accept",
    car {
      $0.blocks.insert(($0.roots[0], [0xa0]), at: 0)
    }),
  Case("version 2", "reject bad_car", car { $0.version = .int(2) }),
  Case("version as text", "reject bad_car", car { $0.version = .text("1") }),
  Case("header is an array", "reject bad_car", car { $0.header = [0x80] }),
  Case(
    "header without version", "reject bad_car",
    car { $0.header = Item.map([("roots", .array($0.roots.map { .link($0) }))]).encoded }),
  Case("header without roots", "reject bad_car", car { $0.header = Item.map([("version", .int(1))]).encoded }),
  Case(
    "header with a byte behind it", "reject bad_car",
    car {
      $0.header = Item.map([("roots", .array($0.roots.map { .link($0) })), ("version", .int(1))]).encoded + [0]
    }),
  Case(
    "header with a root that is text", "reject bad_car",
    car {
      $0.header = Item.map([("roots", .array([.text("x")])), ("version", .int(1))]).encoded
    }),
  Case("header with more members", "accept", car { $0.moreHeader = [("made", .text("by hand"))] }),
  Case("header of no bytes", "reject bad_car", payload("blocks", .bytes([0]))),
  Case("header longer than the file", "reject bad_car", payload("blocks", .bytes([0x7f, 0xa0]))),
  Case("no bytes", "reject bad_car", payload("blocks", .bytes([]))),
  Case("a section of no bytes", "reject bad_car", car { $0.tail = [0] }),
  Case("a section shorter than a CID", "reject bad_car", car { $0.tail = [5, 1, 0x71, 0x12, 0x20, 0] }),
  Case("a section cut short", "reject bad_car", car { $0.tail = [60] + cid(post) }),
  Case("a varint cut short", "reject bad_car", car { $0.tail = [0x80] }),
  Case("a varint that is not minimal", "reject bad_car", car { $0.tail = [0xa4, 0] + cid([]) }),
  Case("a varint of ten bytes", "reject bad_car", car { $0.tail = [UInt8](repeating: 0xff, count: 9) + [1] }),
  Case("a length of 2^63 - 1", "reject bad_car", car { $0.tail = [UInt8](repeating: 0xff, count: 8) + [0x7f] }),
  Case("an empty block", "accept", car { $0.tail = [36] + cid([]) }),
  Case("a block with CID version 0", "accept", car { $0.tail = [35] + cid(post).dropFirst(2) + [1] }),
  Case("a block with CID version 2", "reject bad_car", car { $0.tail = [37, 2] + cid(post).dropFirst() + [1] }),
  Case("a block with an identity CID", "accept", car { $0.tail = [5, 1, 0x55, 0, 1, 7] }),
  Case("an unrelated block with other bytes", "accept", car { $0.blocks.append((cid(post), [1, 2, 3])) }),
  Case("blocks backwards", "accept", car { $0.blocks.reverse() }),
  Case(
    "sync: root of another form at the end of the frame", "reject commit_missing",
    sync("blocks", .bytes(CAR(roots: [[1, 0x55, 0, 1, 7]], blocks: []).encoded))),
  Case("sync with nothing but the commit", "skip sync", message("#sync", syncFields())),
  Case("sync without a CAR", "reject bad_car", sync("blocks", .bytes([]))),
  Case("sync of another account", "reject commit_mismatch", sync("did", .text("did:web:example.com"))),
  Case("sync of another rev", "reject commit_mismatch", sync("rev", .text("3l6oveex3ii2m"))),
]

private func op(_ change: (inout Op) -> Void) -> [UInt8] { commit { change(&$0.operations[0]) } }
private func badPath(_ path: String) -> Case {
  Case(
    "path \(path.prefix(30))", "partial op 0 bad_path",
    commit {
      $0.operations.insert(Op("create", path, post), at: 0)
    })
}

/// Operations.
let operationCases: [Case] =
  [
    Case("delete", "accept", commit { $0.operations = [Op("delete", path, nil)] }),
    Case("update", "accept", commit { $0.operations[0].action = "update" }),
    Case("create without CID", "reject no_operation_left op 0 cid_missing", op { $0.cidField = .null }),
    Case(
      "delete with a CID", "reject no_operation_left op 0 cid_on_delete",
      commit {
        $0.operations = [Op("delete", path, nil)]
        $0.operations[0].cidField = .link(cid(post))
      }),
    Case("CID is text", "reject bad_field", op { $0.cidField = .text("bafy") }),
    Case("CID of another form", "reject bad_cid", op { $0.cidField = .link([1, 0x55, 0, 1, 7]) }),
    Case("record absent", "reject no_operation_left op 0 record_missing", op { $0.hasBlock = false }),
    Case(
      "record with other bytes", "reject no_operation_left op 0 record_missing",
      commit {
        $0.operations[0].hasBlock = false
        $0.changeCAR = { $0.blocks.append((cid(post), [0xa0])) }
      }),
    Case("record not in the tree", "reject no_operation_left op 0 not_in_tree", op { $0.isInTree = false }),
    Case(
      "the tree has another record at the path", "reject no_operation_left op 0 not_in_tree",
      commit {
        $0.others.append(path)
        $0.operations[0].isInTree = false
        $0.operations[0].record = Item.map([("$type", .text("x"))]).encoded
      }),
    Case(
      "the record stands at another path", "reject no_operation_left op 0 not_in_tree",
      commit {
        $0.operations[0].isInTree = false
        $0.tree = { ($0.root, $0.blocks) }(Tree([(path: "app.bsky.feed.post/3l6oveex3ii2n", value: cid(post))]))
      }),
    Case(
      "deleted and still in the tree", "reject no_operation_left op 0 not_deleted",
      commit {
        $0.operations = [Op("delete", path, nil)]
        $0.operations[0].isInTree = true
      }),
    Case("no tree at all", "reject no_operation_left op 0 mst_missing", commit { $0.tree = (cid(post + post), []) }),
    Case(
      "root node with other bytes", "reject no_operation_left op 0 mst_missing",
      commit {
        $0.changeCAR = { $0.blocks[0].data[0] = 0xa3 }
      }),
    Case("unknown action", "skip unknown_action op 0 unknown_action", op { $0.action = "move" }),
    Case(
      "unknown action beside a good one", "accept op 0 unknown_action",
      commit {
        $0.operations.insert(Op("move", "app.bsky.feed.post/3l6oveex3ii2m", nil), at: 0)
      }),
    Case(
      "unknown action beside a bad one", "reject no_operation_left op 0 unknown_action op 1 cid_missing",
      commit {
        $0.operations[0].cidField = .null
        $0.operations.insert(Op("move", "app.bsky.feed.post/3l6oveex3ii2m", nil), at: 0)
      }),
    Case(
      "one bad between two good ones", "partial op 1 record_missing",
      commit {
        $0.operations += ["l", "m"].map { Op("create", "app.bsky.feed.post/3l6oveex3ii2" + $0, post) }
        $0.operations[1].record = Item.map([("$type", .text("x"))]).encoded
        $0.operations[1].hasBlock = false
      }),
    Case(
      "200 operations on one record", "accept",
      commit {
        $0.operations = (0..<200).map { Op("create", "app.bsky.feed.post/\($0)", post) }
      }),
    Case(
      "201 operations", "reject too_many_ops",
      commit {
        $0.operations = (0..<201).map { Op("create", "app.bsky.feed.post/\($0)", post) }
      }),
    Case(
      "operation without action", "reject missing_field",
      payload("ops", .array([.map([("path", .text(path)), ("cid", .null)])]))),
    Case(
      "operation without path", "reject missing_field",
      payload("ops", .array([.map([("action", .text("create")), ("cid", .null)])]))),
    Case(
      "action is a number", "reject bad_field",
      payload("ops", .array([.map([("action", .int(1)), ("path", .text(path))])]))),
    Case(
      "path is bytes", "reject bad_field",
      payload("ops", .array([.map([("action", .text("create")), ("path", .bytes([]))])]))),
    Case("longest record key", "accept", op { $0.path = "app.bsky.feed.post/" + String(repeating: "a", count: 512) }),
    Case("record key with every sign", "accept", op { $0.path = "app.bsky.feed.post/Az09._:~-" }),
  ]
  + [
    "", "/", "app.bsky.feed.post", "app.bsky.feed.post/", "/3l6oveex3ii2k", "app.bsky.feed.post/a/b", "post/a",
    "app.bsky/a", "app.bsky.feed.po-st/a", "app.bsky.feed.1post/a", "1app.bsky.feed.post/a", "app..post/a",
    ".app.bsky.post/a", "app.-bsky.post/a", "app.bsky-.post/a", "app.bsky.pöst/a", "app.bsky.feed.post/.",
    "app.bsky.feed.post/..", "app.bsky.feed.post/a b", "app.bsky.feed.post/a#b", "app.bsky.feed.post/a@b",
    "app.bsky.feed.post/ä", "app.bsky.feed.post/" + String(repeating: "a", count: 513),
    "app." + String(repeating: "a", count: 64) + ".post/a", " app.bsky.feed.post/a",
  ].map(badPath)

private func tree(_ nodes: [Item]) -> (root: [UInt8], blocks: [(cid: [UInt8], data: [UInt8])]) {
  let blocks = nodes.map { (cid: cid($0.encoded), data: $0.encoded) }
  return (blocks[0].cid, blocks)
}
private func node(_ entries: [Item], left: Item? = .null) -> Item {
  .map([("e", .array(entries))] + (left.map { [("l", $0)] } ?? []))
}
private let good = Tree.entry(suffix: Array(path.utf8), shared: 0, value: cid(post))
private func treeCase(_ name: String, _ expected: String, _ nodes: [Item]) -> Case {
  Case(name, expected, commit { $0.tree = tree(nodes) })
}
private func entry(_ fields: [(String, Item?)]) -> Item {
  var entry: [(String, Item)] = [
    ("k", .bytes(Array(path.utf8))), ("p", .int(0)), ("t", .null), ("v", .link(cid(post))),
  ]
  for (name, value) in fields { entry = entry.with(name, value) }
  return .map(entry)
}

/// Tree nodes.
let treeCases: [Case] =
  [
    treeCase("a tree of one node", "accept", [node([good])]),
    treeCase("an empty tree", "reject no_operation_left op 0 not_in_tree", [node([])]),
    treeCase(
      "the path left of the node", "accept",
      [
        node(
          [Tree.entry(suffix: Array("z".utf8), shared: 0, value: cid(post))], left: .link(cid(node([good]).encoded))),
        node([good]),
      ]),
    treeCase(
      "the path right of the node", "accept",
      [
        node([
          Tree.entry(suffix: Array("a".utf8), shared: 0, value: cid(post), subtree: .link(cid(node([good]).encoded)))
        ]),
        node([good]),
      ]),
    treeCase(
      "a node on the path absent", "reject no_operation_left op 0 mst_missing",
      [
        node([Tree.entry(suffix: Array("a".utf8), shared: 0, value: cid(post), subtree: .link(cid([1, 2, 3])))])
      ]),
    treeCase("a node is an array", "reject bad_field", [.array([])]),
    treeCase("a node without e", "reject missing_field", [.map([("l", .null)])]),
    treeCase("a node without l", "reject missing_field", [node([good], left: nil)]),
    treeCase("e is a map", "reject bad_field", [.map([("e", .map([])), ("l", .null)])]),
    treeCase("l is text", "reject bad_field", [node([good], left: .text("x"))]),
    treeCase("l of another form", "reject bad_cid", [node([good], left: .link([1, 0x71, 0, 1, 7]))]),
    treeCase("a node with an unknown field", "accept", [.map([("e", .array([good])), ("l", .null), ("x", .int(1))])]),
    treeCase("a node with bytes behind it", "reject trailing_bytes", [.raw(node([good]).encoded + [0])]),
    treeCase("a node cut short", "reject truncated", [.raw(node([good]).encoded.dropLast())]),
    treeCase(
      "a node with a key twice", "reject duplicate_key", [.map([("e", .array([good])), ("l", .null), ("l", .null)])]),
    treeCase(
      "a node with unsorted keys", "accept +unsorted_keys",
      [
        .rawMap([(.text("l"), .null), (.text("e"), .array([good]))])
      ]),
    treeCase("an entry is a number", "reject bad_field", [node([.int(1)])]),
    treeCase("k is text", "reject bad_field", [node([entry([("k", .text(path))])])]),
    treeCase("p is text", "reject bad_field", [node([entry([("p", .text("0"))])])]),
    treeCase("p is negative", "reject bad_field", [node([entry([("p", .int(-1))])])]),
    treeCase("p is 2^63 - 1", "reject bad_field", [node([entry([("p", .int(.max))])])]),
    treeCase("p above 0 in the first entry", "reject bad_field", [node([entry([("p", .int(1))])])]),
    treeCase(
      "p longer than the key before", "reject bad_field",
      [
        node([good, Tree.entry(suffix: [0x7a], shared: 100, value: cid(post))])
      ]),
    treeCase("t is text", "reject bad_field", [node([entry([("t", .text("x"))])])]),
    treeCase("v is null", "reject bad_field", [node([entry([("v", .null)])])]),
    treeCase("v of another form", "reject bad_cid", [node([entry([("v", .link([1, 0x71, 0, 1, 7]))])])]),
    treeCase("an entry with an unknown field", "accept", [node([entry([("x", .nested(61))])])]),
    treeCase("an entry too deep", "reject too_deep", [node([entry([("x", .nested(62))])])]),
    treeCase("an entry with a long head", "accept +nonminimal_head", [node([entry([("p", .raw([0x18, 0]))])])]),
    treeCase(
      "the same key twice", "reject bad_field",
      [
        node([good, Tree.entry(suffix: [], shared: path.utf8.count, value: cid(post))])
      ]),
    treeCase(
      "keys that fall", "reject bad_field",
      [
        node([good, Tree.entry(suffix: Array("app".utf8), shared: 0, value: cid(post))])
      ]),
    treeCase(
      "a key of 5000 bytes", "reject bad_field",
      [
        node([good, Tree.entry(suffix: [UInt8](repeating: 0x7a, count: 5000), shared: 0, value: cid(post))])
      ]),
    treeCase("a chain of 200 nodes", "reject too_deep", chain(200)),
    treeCase("a chain of 100 nodes", "accept", chain(100)),
  ]
  + ["k", "p", "t", "v"].map {
    treeCase("an entry without \($0)", "reject missing_field", [node([entry([($0, nil)])])])
  }

/// Empty nodes, each with the next at its left, and the path in the last.
private func chain(_ count: Int) -> [Item] {
  var nodes = [node([good])]
  for _ in 1..<count { nodes.insert(node([], left: .link(cid(nodes[0].encoded))), at: 0) }
  return nodes
}
