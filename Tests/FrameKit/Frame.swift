import ATProto

/// A header and a payload.
package func frame(_ header: Item, _ payload: Item) -> [UInt8] { header.encoded + payload.encoded }

/// A message frame of type `t` whose payload has these fields.
package func message(_ t: String, _ fields: [(String, Item)]) -> [UInt8] {
  frame(.map([("op", .int(1)), ("t", .text(t))]), .map(fields))
}

extension [(String, Item)] {
  /// The same fields with one replaced, added or (nil) removed.
  package func with(_ name: String, _ value: Item?) -> [(String, Item)] {
    var out = self
    if let index = firstIndex(where: { $0.0 == name }) {
      if let value { out[index].1 = value } else { out.remove(at: index) }
    } else if let value {
      out.append((name, value))
    }
    return out
  }
}

/// An operation of a commit to be built.
package struct Op: Sendable {
  package var action: String
  package var path: String
  /// The record's bytes; nil on delete.
  package var record: [UInt8]?
  /// Whether the tree holds the path with this record.
  package var isInTree: Bool
  /// Whether the record's block is in the CAR.
  package var hasBlock = true
  /// The `cid` field in place of the honest one.
  package var cidField: Item?

  package init(_ action: String, _ path: String, _ record: [UInt8]?) {
    self.action = action
    self.path = path
    self.record = record
    isInTree = action != "delete"
  }
}

/// A `#commit` built from honest defaults, each of which can be made wrong before `encoded` is asked for.
package struct CommitFrame: Sendable {
  package static let did = "did:plc:44ybard66vv44zksje25o7dz"
  package static let rev = "3l6oveex3ii2l"
  package static let post = Item.map([
    ("$type", .text("app.bsky.feed.post")), ("text", .text("hello")), ("createdAt", .text("2026-08-01T00:00:00.000Z")),
  ]).encoded

  package var operations: [Op]
  /// Paths the tree holds besides those of the operations.
  package var others: [String] = ["app.bsky.actor.profile/self", "app.bsky.feed.like/3l6oveex3ii22"]
  /// The signed commit's fields that differ from the honest ones; nil removes.
  package var commitChanges: [(String, Item?)] = []
  /// Put behind the commit object in its block.
  package var commitTail: [UInt8] = []
  /// The payload's fields that differ; nil removes.
  package var changes: [(String, Item?)] = []
  /// The tree in place of the honest one: its root and blocks.
  package var tree: (root: [UInt8], blocks: [(cid: [UInt8], data: [UInt8])])?
  package var changeCAR: @Sendable (inout CAR) -> Void = { _ in }

  package init(_ operations: [Op]) { self.operations = operations }

  /// One created post with this record.
  package init(record: [UInt8] = CommitFrame.post) {
    self.init([Op("create", "app.bsky.feed.post/3l6oveex3ii2k", record)])
  }

  /// The payload with everything put together.
  package var payload: [(String, Item)] {
    var entries: [(path: String, value: [UInt8])] = others.map { ($0, cid(CommitFrame.post)) }
    var records: [(cid: [UInt8], data: [UInt8])] = []
    for operation in operations {
      guard let record = operation.record else {
        if operation.isInTree { entries.append((operation.path, cid(CommitFrame.post))) }
        continue
      }
      if operation.isInTree { entries.append((operation.path, cid(record))) }
      let block = cid(record)
      if operation.hasBlock, !records.contains(where: { $0.cid == block }) { records.append((block, record)) }
    }
    let honest = Tree(entries)
    let (root, nodes) = tree ?? (honest.root, honest.blocks)
    var signed: [(String, Item)] = [
      ("did", .text(Self.did)), ("rev", .text(Self.rev)), ("sig", .bytes([UInt8](repeating: 7, count: 64))),
      ("data", .link(root)), ("prev", .null), ("version", .int(3)),
    ]
    for (name, value) in commitChanges { signed = signed.with(name, value) }
    let commit = Item.map(signed).encoded + commitTail
    var car = CAR(roots: [cid(commit)], blocks: nodes + records + [(cid(commit), commit)])
    changeCAR(&car)
    var fields: [(String, Item)] = [
      ("ops", .array(operations.map(field))), ("rev", .text(Self.rev)), ("seq", .int(1001)),
      ("repo", .text(Self.did)), ("time", .text("2026-08-01T00:00:00.000Z")), ("blobs", .array([])),
      ("since", .text("3l6oveex3ii22")), ("blocks", .bytes(car.encoded)), ("commit", .link(cid(commit))),
      ("rebase", .bool(false)), ("tooBig", .bool(false)), ("prevData", .link(cid(CommitFrame.post))),
    ]
    for (name, value) in changes { fields = fields.with(name, value) }
    return fields
  }

  package var encoded: [UInt8] { message("#commit", payload) }

  /// The fields of one operation.
  package func field(_ operation: Op) -> Item {
    let honest: Item = operation.record.map { .link(cid($0)) } ?? .null
    return .map([
      ("cid", operation.cidField ?? honest), ("path", .text(operation.path)), ("action", .text(operation.action)),
    ])
  }
}

/// The honest fields of a `#sync`.
package func syncFields() -> [(String, Item)] {
  let commit = Item.map([
    ("did", .text(CommitFrame.did)), ("rev", .text(CommitFrame.rev)), ("sig", .bytes([UInt8](repeating: 7, count: 64))),
    ("data", .link(cid([0xa0]))), ("prev", .null), ("version", .int(3)),
  ]).encoded
  return [
    ("did", .text(CommitFrame.did)), ("rev", .text(CommitFrame.rev)), ("seq", .int(1002)),
    ("time", .text("2026-08-01T00:00:00.000Z")),
    ("blocks", .bytes(CAR(roots: [cid(commit)], blocks: [(cid(commit), commit)]).encoded)),
  ]
}

/// The honest fields of an `#identity`.
package func identityFields() -> [(String, Item)] {
  [
    ("did", .text(CommitFrame.did)), ("seq", .int(1003)), ("time", .text("2026-08-01T00:00:00.000Z")),
    ("handle", .text("alice.example.com")),
  ]
}

/// The honest fields of an `#account`.
package func accountFields() -> [(String, Item)] {
  [
    ("did", .text(CommitFrame.did)), ("seq", .int(1004)), ("time", .text("2026-08-01T00:00:00.000Z")),
    ("active", .bool(false)), ("status", .text("takendown")),
  ]
}
