import ATProto
import FuzzKit

func fuzzCAR(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let car = Bytes(UnsafeRawBufferPointer(start: data, count: count))
  checkIndex(car)
  var reader = RepoReader()
  let first = list(car) { (body) throws(DecodeError) in try reader.read(car, visit: body) }
  law(first == list(car) { (body) throws(DecodeError) in try reader.read(car, visit: body) }, "two listings differ")
  _ = list(car) { (body) throws(DecodeError) in try reader.readTree(car, visit: body) }
  return 0
}

/// Every block that is listed is found again by its CID exactly where it hashes to it.
private func checkIndex(_ car: Bytes) {
  var index = BlockIndex()
  var defects: Defects = []
  do throws(DecodeError) {
    try index.read(car, Slice(offset: 0, count: car.count), defects: &defects)
  } catch {
    law(error.reason == .badCAR && error.offset >= 0 && error.offset <= car.count, "\(error)")
    return
  }
  law(index.root.end <= car.count, "the root ends outside")
  _ = index.find(car[index.root], in: car, verifying: true)
  for block in index.data {
    law(block.end <= car.count, "a block ends outside")
    let cid = Slice(offset: block.offset - CID.blessedCount, count: CID.blessedCount)
    let found = index.find(car[cid], in: car, verifying: true)
    law(found != nil || !SHA256Digest.matches(car[block], cid: car[cid]), "a good block was not found")
    law(index.find(car[cid], in: car, verifying: false) != nil, "a listed block was not found")
  }
}

/// What one listing gave, or why there is none; its laws are checked on the way.
private func list(
  _ car: Bytes, _ read: ((RepoEntry) -> Void) throws(DecodeError) -> RepoSummary
) -> [[UInt8]] {
  var paths: [[UInt8]] = []
  var missing = 0
  do throws(DecodeError) {
    let summary = try read { entry in
      let path = entry.path.array
      law(paths.last.map { $0.lexicographicallyPrecedes(path) } ?? true, "paths do not ascend")
      law(CID.isBlessed(car[entry.cid]), "a record with another CID")
      if let record = entry.record {
        law(SHA256Digest.matches(car[record], cid: car[entry.cid]), "a record that is not what its CID says")
      } else {
        missing += 1
      }
      paths.append(path)
    }
    law(summary.recordCount == paths.count && summary.missingRecordCount == missing, "the summary counts otherwise")
    for slice in [summary.root, summary.did, summary.rev, summary.data] + summary.missingNodes {
      law(slice.end <= car.count, "a slice outside")
    }
  } catch {
    law(error.offset >= 0 && error.offset <= car.count, "\(error)")
    paths.append(Array(error.reason.rawValue.utf8))
  }
  return paths
}
