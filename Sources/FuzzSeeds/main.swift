// FuzzSeeds DIR [FRAMES…]: writes inputs to start fuzzing from: honest frames and CARs, and some wrong in one place.
// FRAMES are files of [u32 little-endian length][frame], of which every seventh frame is taken.

import ATProto
import Foundation
import FrameKit

private func write(_ bytes: [UInt8], _ folder: String, _ name: String) throws {
  let url = URL(fileURLWithPath: CommandLine.arguments[1]).appendingPathComponent(folder)
  try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  try Data(bytes).write(to: url.appendingPathComponent(name))
}

private let record = Item.map([
  ("$type", .text("app.bsky.feed.post")), ("text", .text("a\"<é\u{2028}😀\u{1}")),
  ("createdAt", .text("2026-08-01T00:00:00Z")),
  ("n", .array([.int(-1), .int(.max), .double(1.5e-7), .bool(true), .null, .bytes([1, 2, 3, 4])])),
  ("raw", .raw([0x82, 0xf9, 0x3e, 0, 0x18, 1])), ("link", .link(cid([1]))), ("other", .link([1, 0x55, 0, 1, 7])),
  (
    "blob",
    .map([
      ("$type", .text("blob")), ("ref", .link(cid([2], codec: 0x55))), ("mimeType", .text("image/png")),
      ("size", .int(9)),
    ])
  ),
  ("old", .map([("cid", .text("bafy")), ("mimeType", .text("a"))])), ("bad", .raw([0x61, 0xff])),
]).encoded

private func writeSeeds() throws {
  var commit = CommitFrame(record: record)
  commit.operations += [
    Op("update", "app.bsky.actor.profile/self2", CommitFrame.post),
    Op("delete", "app.bsky.feed.like/3l6oveex3ii2z", nil),
  ]
  var seeds: [[UInt8]] = [
    commit.encoded, CommitFrame().encoded, CommitFrame(record: [0x80]).encoded, message("#sync", syncFields()),
    message("#identity", identityFields()), message("#account", accountFields()),
    message("#info", [("name", .text("OutdatedCursor")), ("message", .text("x"))]),
    frame(.map([("op", .int(-1))]), .map([("error", .text("FutureCursor"))])), message("#new", [("x", .nested(60))]),
  ]
  commit.operations[0].cidField = .null
  commit.changes = [("blobs", .null), ("time", .text("x")), ("tooBig", .bool(true)), ("since", .null)]
  seeds.append(commit.encoded)
  for (index, seed) in seeds.enumerated() { try write(seed, "frames", "built-\(index)") }
  // The first byte says how the rest is read: as a record, or as directions for one.
  try write([0] + record, "records", "record")
  try write([0] + CommitFrame.post, "records", "post")
  try write([1] + (0..<200).map { UInt8($0 * 37 & 0xff) }, "records", "directions")
  try write(Array("did:plc:abcdefghijklmnop".utf8), "canary", "did")
  for count in [0, 1, 5, 40] {
    let tree = Tree((0..<count).map { ("app.bsky.feed.post/\($0)", cid(record)) })
    let signed = Item.map([
      ("did", .text(CommitFrame.did)), ("rev", .text(CommitFrame.rev)), ("sig", .bytes([1])),
      ("data", .link(tree.root)),
      ("prev", .null), ("version", .int(3)),
    ]).encoded
    let blocks = tree.blocks + [(cid(record), record), (cid(signed), signed)]
    try write(CAR(roots: [cid(signed)], blocks: blocks).encoded, "car", "repository-\(count)")
    try write(CAR(roots: [tree.root], blocks: tree.blocks).encoded, "car", "tree-\(count)")
  }
  for path in CommandLine.arguments.dropFirst(2) { try writeFrames(of: path) }
}

private func writeFrames(of path: String) throws {
  let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  var at = 0
  var index = 0
  while at + 4 <= bytes.count {
    let count = (0..<4).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
    guard at + 4 + count <= bytes.count else { break }
    if index % 7 == 0 { try write(Array(bytes[at + 4..<at + 4 + count]), "frames", "real-\(index)") }
    at += 4 + count
    index += 1
  }
}

guard CommandLine.arguments.count > 1 else {
  print("usage: FuzzSeeds DIR [FRAMES…]")
  exit(2)
}
try writeSeeds()
