import Foundation
import Signatures
import Testing

@testable import Simulator

@Suite struct TreeTests {
  private func json(_ path: String) throws -> [[String: Any]] {
    let data = try Data(contentsOf: sharedData.appendingPathComponent(path))
    return try #require(JSONSerialization.jsonObject(with: data) as? [[String: Any]])
  }

  @Test(.enabled(if: hasSharedData, "needs ../shared/data"))
  func `keys stand at the layers that the interoperability tests give`() throws {
    for fixture in try json("interop/mst/key_heights.json") {
      let key = try #require(fixture["key"] as? String)
      #expect(TreeKey(key).layer == fixture["height"] as? Int, "\(key)")
    }
  }

  @Test(.enabled(if: hasSharedData, "needs ../shared/data"))
  func `keys share the prefixes that the interoperability tests give`() throws {
    for fixture in try json("interop/mst/common_prefix.json") {
      let left = TreeKey(try #require(fixture["left"] as? String))
      let right = TreeKey(try #require(fixture["right"] as? String))
      #expect(left.commonPrefix(right) == fixture["len"] as? Int)
    }
  }

  @Test(.enabled(if: hasSharedData, "needs ../shared/data"))
  func `roots and proofs are those of the interoperability tests`() throws {
    let fixtures = try json("interop/firehose/commit-proof-fixtures.json")
    #expect(fixtures.count == 6)
    for fixture in fixtures {
      let comment = "\(fixture["comment"] ?? "")"
      func strings(_ name: String) throws -> [String] { try #require(fixture[name] as? [String]) }
      let leaf = digest(cid: try #require(fixture["leafValue"] as? String))
      var root = TreeNode.empty()
      for key in try strings("keys") { root = root.setting(TreeKey(key), to: leaf) }
      #expect(sealed(root) == digest(cid: try #require(fixture["rootBeforeCommit"] as? String)), "\(comment)")
      let items = try strings("keys").sorted().map { (key: TreeKey($0), layer: TreeKey($0).layer, value: leaf) }
      #expect(sealed(TreeNode.build(items)) == root.digest, "\(comment)")
      for key in try strings("adds") { root = root.setting(TreeKey(key), to: leaf) }
      for key in try strings("dels") { root = root.removing(TreeKey(key)) }
      #expect(sealed(root) == digest(cid: try #require(fixture["rootAfterCommit"] as? String)), "\(comment)")
      var proof: [TreeNode] = []
      for key in try strings("adds") + strings("dels") { root.collectProof(of: TreeKey(key), into: &proof) }
      let expected = Set(try strings("blocksInProof").map { digest(cid: $0) })
      #expect(Set(proof.compactMap(\.digest)) == expected, "\(comment)")
    }
  }

  @Test func `a tree does not remember the way it was made`() {
    var random = Random(seed: 3, stream: 0)
    let keys = (0..<300).map { TreeKey("app.bsky.feed.like/\($0)") }
    let value = Digest(sha256: [1])
    var one = TreeNode.empty()
    for key in keys { one = one.setting(key, to: value) }
    var other = TreeNode.empty()
    for key in keys.reversed() { other = other.setting(key, to: Digest(sha256: [2])) }
    for number in 300..<400 { other = other.setting(TreeKey("app.bsky.feed.like/\(number)"), to: value) }
    for number in 300..<400 { other = other.removing(TreeKey("app.bsky.feed.like/\(number)")) }
    var shuffled = keys
    for index in shuffled.indices { shuffled.swapAt(index, random.below(shuffled.count)) }
    for key in shuffled { other = other.setting(key, to: value) }
    #expect(sealed(one) == sealed(other))
    for key in shuffled { other = other.removing(key) }
    #expect(sealed(other) == sealed(.empty()))
  }
}
