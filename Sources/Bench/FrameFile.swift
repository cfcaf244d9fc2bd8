import ATProto
import Foundation

/// A file of frames (`[u32 little-endian length][frame]`) in memory.
final class FrameFile {
  let name: String
  private let storage: [UInt8]
  private let slices: [Slice]

  init(_ path: String) throws {
    name = URL(fileURLWithPath: path).lastPathComponent
    let storage = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    var slices: [Slice] = []
    var at = 0
    while at + 4 <= storage.count {
      let count = (0..<4).reduce(0) { $0 | Int(storage[at + $1]) << (8 * $1) }
      guard at + 4 + count <= storage.count else { break }
      slices.append(Slice(offset: at + 4, count: count))
      at += 4 + count
    }
    self.storage = storage
    self.slices = slices
  }

  var count: Int { slices.count }
  var bytes: Int { slices.reduce(0) { $0 + $1.count } }

  /// Where the frames stand in the bytes that `withAll` shows.
  var frames: [Slice] { slices }

  /// The data of every block of every commit, as slices of the file.
  func blocks() -> [Slice] {
    var found: [Slice] = []
    var index = BlockIndex()
    withBytes(storage) { all in
      for slice in slices {
        guard let blocks = blocksField(all, slice) else { continue }
        var defects: Defects = []
        do throws(DecodeError) {
          try index.read(all, blocks, defects: &defects)
        } catch {
          continue  // Not a CAR: nothing of it can be hashed.
        }
        found += index.data
      }
    }
    return found
  }

  func withAll(_ body: (Bytes) -> Void) { withBytes(storage, body) }

  /// The `blocks` field of the payload in `frame`.
  private func blocksField(_ all: Bytes, _ frame: Slice) -> Slice? {
    var reader = CBORReader(all, in: frame)
    do throws(DecodeError) {
      try reader.skip()
      var map = try reader.map()
      while let key = try reader.nextKey(&map) {
        if all[key] == "blocks" { return try reader.byteString() }
        try reader.skip()
      }
    } catch {
      return nil  // Not a frame with blocks.
    }
    return nil
  }
}
