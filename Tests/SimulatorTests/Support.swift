import ATProto
import Foundation
import Signatures

@testable import Simulator

/// `../shared/data` beside the package; tests that need it are skipped where it is missing.
let sharedData = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared/data")
let hasSharedData = FileManager.default.fileExists(atPath: sharedData.appendingPathComponent("interop/mst").path)

/// The configuration that most tests look at.
let smallConfiguration = SimulatorConfiguration(seed: 7, accounts: 400, eventsPerSecond: 200)

/// Five thousand frames of the small network, made once for all tests.
struct Sample: Sendable {
  struct Frame: Sendable {
    var bytes: [UInt8]
    var info: FrameInfo
  }

  let frames: [Frame]
  let directory: SimulatedDirectory

  static let shared: Sample = {
    let world = World(smallConfiguration)
    var frames: [Frame] = []
    var bytes: [UInt8] = []
    for _ in 0..<5_000 {
      let info = world.next(into: &bytes)
      frames.append(Frame(bytes: bytes, info: info))
    }
    return Sample(frames: frames, directory: world.directory)
  }()
}

/// A frame's payload, taken apart without the code under test.
struct Payload {
  let bytes: [UInt8]
  private let fields: [CBORScan.Entry]

  /// The map at `start`; by default a frame's second item.
  init?(_ bytes: [UInt8], at start: Int? = nil) {
    var fields: [CBORScan.Entry] = []
    let end = bytes.withUnsafeBytes { raw -> Int? in
      guard let start = start ?? CBORScan.skip(raw, at: 0) else { return nil }
      return CBORScan.map(raw, at: start, into: &fields)
    }
    guard end != nil else { return nil }
    self.bytes = bytes
    self.fields = fields
  }

  subscript(key: String) -> [UInt8]? {
    fields.first { bytes[$0.key].elementsEqual(key.utf8) }.map { Array(bytes[$0.value]) }
  }

  /// A text of 24 bytes or more has two bytes of head, a shorter one has one.
  func text(_ key: String) -> String? {
    self[key].map { String(decoding: $0.dropFirst($0[0] == 0x78 ? 2 : 1), as: UTF8.self) }
  }

  func digest(_ key: String) -> Digest? { self[key].flatMap(linkedDigest) }

  /// The maps in the array `key`.
  func maps(_ key: String) -> [Payload] {
    guard let array = self[key] else { return [] }
    var offset = array[0] & 31 < 24 ? 1 : array[0] & 31 == 24 ? 2 : 3
    var result: [Payload] = []
    while offset < array.count, let map = Payload(array, at: offset) {
      result.append(map)
      offset = array.withUnsafeBytes { CBORScan.skip($0, at: offset) } ?? array.count
    }
    return result
  }
}

/// The digest in an encoded link, nil for null.
func linkedDigest(_ item: [UInt8]) -> Digest? {
  item.count == 41 ? item.withUnsafeBytes { Digest(copying: UnsafeRawBufferPointer(rebasing: $0[9...])) } : nil
}

/// The blocks of a CAR by digest, in the order of the file. Empty where one does not hash to its CID.
func carBlocks(_ car: ArraySlice<UInt8>) -> [(digest: Digest, data: [UInt8])] {
  let car = Array(car)
  var offset = 1 + Int(car[0])
  var result: [(digest: Digest, data: [UInt8])] = []
  while offset < car.count {
    var length = 0
    var shift = 0
    repeat {
      length |= Int(car[offset] & 127) << shift
      shift += 7
      offset += 1
    } while car[offset - 1] >= 128
    let digest = car.withUnsafeBytes { Digest(copying: UnsafeRawBufferPointer(rebasing: $0[(offset + 4)...])) }
    let data = Array(car[offset + 36..<offset + length])
    guard Digest(sha256: data) == digest else { return [] }
    result.append((digest, data))
    offset += length
  }
  return result
}

/// The tree under `root` as far as its blocks are there; nodes that are missing are empty stubs.
func partialTree(_ root: Digest, layer: Int?, _ blocks: [Digest: [UInt8]]) -> TreeNode {
  guard let block = blocks[root], let node = Payload(block, at: 0) else {
    return TreeNode(layer: layer ?? 0, left: nil, entries: [], digest: root)
  }
  var key: [UInt8] = []
  var parts: [(key: TreeKey, value: Digest, right: Digest?)] = []
  for entry in node.maps("e") {
    guard let prefix = entry["p"], let suffix = entry["k"], let value = entry.digest("v") else { continue }
    let shared = prefix[0] < 24 ? Int(prefix[0]) : Int(prefix[1])
    key = Array(key[..<shared]) + suffix.dropFirst(suffix[0] == 0x58 ? 2 : 1)
    parts.append((TreeKey(key), value, entry.digest("t")))
  }
  // The top node has keys, or else its layer is one above its only child's, which is found the same way.
  let own = layer ?? parts.first?.key.layer ?? 0
  return TreeNode(
    layer: own, left: node.digest("l").map { partialTree($0, layer: own - 1, blocks) },
    entries: parts.map { part in
      TreeNode.Entry(
        key: part.key, value: part.value, right: part.right.map { partialTree($0, layer: own - 1, blocks) })
    }, digest: root)
}

/// Seals what is new in a tree and answers its root.
func sealed(_ root: TreeNode) -> Digest? {
  var fresh: [TreeNode] = []
  var scratch: [UInt8] = []
  root.collectUnsealed(into: &fresh)
  for node in fresh.reversed() { node.seal(appendingTo: &scratch) }
  return root.digest
}

/// The digest in a CID's text.
func digest(cid text: String) -> Digest {
  var bits: UInt32 = 0
  var count = 0
  var bytes: [UInt8] = []
  for character in text.utf8.dropFirst() {
    bits = bits << 5 | UInt32(character >= 97 ? character - 97 : character - 24)
    count += 5
    if count >= 8 {
      count -= 8
      bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
    }
  }
  return bytes.withUnsafeBytes { Digest(copying: UnsafeRawBufferPointer(rebasing: $0[4...])) }
}
