import ATProto
import Foundation
import FrameKit
import Testing

/// The lines `path, CID, record JSON` of a repository, and its summary.
private func list(_ car: [UInt8]) throws -> (lines: [String], summary: RepoSummary) {
  var reader = RepoReader()
  var lines: [String] = []
  let summary = try withBytes(car) { bytes in
    try reader.read(bytes) { entry in
      let json = entry.record.map { recordText(bytes[$0].array, onlyMap: true, escaping: .html).json } ?? "MISSING"
      lines.append([entry.path.string, cidText(bytes[entry.cid].array), json].joined(separator: "\t"))
    }
  }
  return (lines, summary)
}

private func keys(ofTree car: [UInt8]) throws -> [String: String] {
  var reader = RepoReader()
  var keys: [String: String] = [:]
  _ = try withBytes(car) { bytes in
    try reader.readTree(bytes) { keys[$0.path.string] = cidText(bytes[$0.cid].array) }
  }
  return keys
}

@Test(
  .enabled(if: Vectors.arePresent, "\(Vectors.reason)"),
  arguments: [
    "bnewbold_20250310", "empty", "greenground.repo", "jim_repo", "repo_slice", "rsky_valid_repo", "tiny",
    "v2_bafyreieovfuizo", "v2_paul_staging.repo",
  ])
func `a repository lists the paths, CIDs and records of the reference`(name: String) throws {
  let car = try Vectors.data("car/\(name).car")
  let (lines, summary) = try list(car)
  #expect(try lines == Vectors.lines("car/\(name).car.records.tsv"))
  let expected = try Vectors.object(String(decoding: Vectors.data("car/\(name).car.commit.json"), as: UTF8.self))
  withBytes(car) { bytes in
    #expect([cidText(bytes[summary.root].array)] == expected["roots"] as? [String])
    #expect(bytes[summary.did].string == expected["did"] as? String)
    #expect(bytes[summary.rev].string == expected["rev"] as? String ?? "")
    #expect(Int(summary.version) == expected["version"] as? Int)
    #expect(cidText(bytes[summary.data].array) == expected["data"] as? String)
    #expect(summary.missingNodes.map { cidText(bytes[$0].array) } == expected["missing_nodes"] as? [String])
  }
  #expect(summary.recordCount == expected["records"] as? Int)
  #expect(summary.missingRecordCount == expected["records_without_block"] as? Int)
}

@Test(.enabled(if: Vectors.arePresent, "\(Vectors.reason)"))
func `the blocks of the reference CAR are found by their CIDs`() throws {
  let text = String(decoding: try Vectors.data("car/car-file-fixtures.json"), as: UTF8.self)
  let fixtures = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
  for fixture in fixtures {
    let car = base64(fixture["car"] as? String ?? "")
    var index = BlockIndex()
    var defects: Defects = []
    try withBytes(car) { bytes in
      try index.read(bytes, Slice(offset: 0, count: bytes.count), defects: &defects)
      #expect(cidText(bytes[index.root].array) == fixture["root"] as? String)
      let blocks = try #require(fixture["blocks"] as? [[String: String]])
      #expect(index.count == blocks.count)
      for block in blocks {
        let data = base64(block["bytes"] ?? "")
        #expect(cidText(cid(data)) == block["cid"])
        let found = withBytes(cid(data)) { index.find($0, in: bytes, verifying: true) }
        #expect(try bytes[#require(found)].array == data)
      }
    }
  }
}

private func base64(_ text: String) -> [UInt8] {
  [UInt8](Data(base64Encoded: text + String(repeating: "=", count: (4 - text.count % 4) % 4)) ?? Data())
}

/// Each case names two trees and the records that differ: the first listing, changed by these, is the second.
@Test(.enabled(if: Vectors.arePresent, "\(Vectors.reason)"))
func `the listings of two trees differ by the records the suite says`() throws {
  for item in try Vectors.objects("mst/mst_diff_cases.jsonl") {
    let inputs = try #require(item["inputs"] as? [String: String])
    var listing = try keys(ofTree: Vectors.data("mst/" + (inputs["mst_a"] ?? "")))
    let after = try keys(ofTree: Vectors.data("mst/" + (inputs["mst_b"] ?? "")))
    let operations = try #require((item["results"] as? [String: Any])?["record_ops"] as? [[String: Any]])
    for operation in operations {
      let path = try #require(operation["rpath"] as? String)
      #expect(listing[path] == operation["old_value"] as? String)
      listing[path] = operation["new_value"] as? String
    }
    #expect(listing == after, "\(item["file"] ?? "")")
  }
}

@Test(.enabled(if: Vectors.arePresent, "\(Vectors.reason)"))
func `the test support builds the trees of the interop fixtures`() throws {
  let text = String(decoding: try Vectors.data("interop/firehose/commit-proof-fixtures.json"), as: UTF8.self)
  let fixtures = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
  for fixture in fixtures {
    let before = try #require(fixture["keys"] as? [String])
    let gone = try #require(fixture["dels"] as? [String])
    let after = before.filter { !gone.contains($0) } + (fixture["adds"] as? [String] ?? [])
    let value = base32(try #require(fixture["leafValue"] as? String))
    #expect(cidText(Tree(before.map { ($0, value) }).root) == fixture["rootBeforeCommit"] as? String)
    #expect(cidText(Tree(after.map { ($0, value) }).root) == fixture["rootAfterCommit"] as? String)
  }
  let heights = String(decoding: try Vectors.data("interop/mst/key_heights.json"), as: UTF8.self)
  for item in try #require(try JSONSerialization.jsonObject(with: Data(heights.utf8)) as? [[String: Any]]) {
    #expect(Tree.height(Array((item["key"] as? String ?? "").utf8)) == item["height"] as? Int)
  }
}

/// The bytes of a base32 CID.
private func base32(_ text: String) -> [UInt8] {
  var bits: UInt64 = 0
  var count = 0
  var out: [UInt8] = []
  for character in text.utf8.dropFirst() {
    bits = bits << 5 | UInt64(character >= 0x61 ? character - 0x61 : character - 0x32 + 26)
    count += 5
    if count >= 8 {
      count -= 8
      out.append(UInt8(truncatingIfNeeded: bits >> UInt64(count)))
    }
  }
  return out
}

private let leaf = cid(CommitFrame.post)

/// A repository whose tree consists of these nodes, the first one its root.
private func repository(_ nodes: [Item], version: Item = .int(3)) -> [UInt8] {
  let commit = Item.map([
    ("did", .text(CommitFrame.did)), ("data", .link(cid(nodes[0].encoded))), ("version", version),
    ("rev", .text(CommitFrame.rev)), ("sig", .bytes([1])),
  ]).encoded
  return CAR(roots: [cid(commit)], blocks: nodes.map { (cid($0.encoded), $0.encoded) } + [(cid(commit), commit)])
    .encoded
}

private func node(_ entries: [Item], _ left: Item = .null) -> Item { .map([("e", .array(entries)), ("l", left)]) }

private func reason(_ car: [UInt8]) -> Reason? {
  do {
    _ = try list(car)
    return nil
  } catch let error as DecodeError {
    return error.reason
  } catch {
    return nil
  }
}

@Test func `a repository of our own lists its paths in order`() throws {
  let paths = (0..<500).map { "app.bsky.feed.post/\($0)" }
  let tree = Tree(paths.map { ($0, leaf) })
  let commit = Item.map([
    ("did", .text(CommitFrame.did)), ("data", .link(tree.root)), ("version", .int(3)), ("rev", .null),
  ]).encoded
  let car = CAR(roots: [cid(commit)], blocks: tree.blocks + [(cid(commit), commit), (leaf, CommitFrame.post)]).encoded
  let (lines, summary) = try list(car)
  #expect(lines.map { String($0.prefix { $0 != "\t" }) } == paths.sorted())
  #expect(summary.missingRecordCount == 0 && summary.missingNodes.isEmpty && summary.rev.isEmpty)
}

/// Without the order over the whole tree, forty nodes that each name the next one twice would list for ever.
@Test(.timeLimit(.minutes(1))) func `a tree that uses a node twice is refused`() {
  var nodes = [node([Tree.entry(suffix: [0x61], shared: 0, value: leaf)])]
  for _ in 0..<40 {
    let below = Item.link(cid(nodes[0].encoded))
    nodes.insert(node([Tree.entry(suffix: [0x62], shared: 0, value: leaf, subtree: below)], below), at: 0)
  }
  #expect(reason(repository(nodes)) == .badField)
}

@Test func `damaged repositories say why`() {
  let entry = Tree.entry(suffix: [0x61], shared: 0, value: leaf)
  #expect(reason(repository([node([entry])])) == nil)
  #expect(reason(repository([node([entry])], version: .int(4))) == .badField)
  #expect(reason(repository([.array([])])) == .badField)
  #expect(reason(repository([.map([("e", .array([]))])])) == .missingField)
  #expect(reason(repository([node([Tree.entry(suffix: [0x61], shared: 1, value: leaf)])])) == .badField)
  #expect(reason(repository([.raw(node([entry]).encoded + [0])])) == .trailingBytes)
  #expect(reason(CAR(roots: [leaf], blocks: []).encoded) == .commitMissing)
  #expect(reason(CAR(roots: [[1, 0x55, 0, 1, 7]], blocks: []).encoded) == .commitMissing)
  #expect(reason(CAR(roots: [leaf], blocks: [(leaf, CommitFrame.post)]).encoded) == .missingField)
  #expect(reason([0]) == .badCAR)
  var deep = [node([entry])]
  for _ in 0..<200 { deep.insert(node([], .link(cid(deep[0].encoded))), at: 0) }
  #expect(reason(repository(deep)) == .tooDeep)
}
