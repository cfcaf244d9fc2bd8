import ATProto
import Osprey
import Synchronization

/// `atkafka_handled_events{action_name,collection}`: the first 64 distinct collections since start, the rest as `other`.
///
/// `add` is called by the judge's thread alone; anybody may take a snapshot.
package final class CollectionCounters: @unchecked Sendable {
  // Unchecked: `table` and `names` are read and grown by the judge alone, and grown or read by others only under `lock`.
  private static let namesMax = 64
  private static let tableCount = 256

  private let lock = Mutex(())
  private var names: [[UInt8]] = []
  /// Index + 1 into `names`, 0 for empty; open addressing.
  private var table = [UInt8](repeating: 0, count: tableCount)
  /// By collection (64, then other, then none) and action name.
  private let counters: [Counter]

  package init() {
    counters = (0..<(Self.namesMax + 2) * ActionName.allCases.count).map { _ in Counter() }
  }

  /// Counts one action. `collection` is empty outside operations.
  package func add(_ name: ActionName, _ collection: Bytes) {
    let row = collection.isEmpty ? Self.namesMax + 1 : index(of: collection)
    counters[row * ActionName.allCases.count + Int(name.rawValue)].add()
  }

  private func index(of collection: Bytes) -> Int {
    var hash: UInt32 = 0x811c_9dc5
    for at in 0..<collection.count { hash = (hash ^ UInt32(collection[at])) &* 0x0100_0193 }
    var place = Int(hash) & (Self.tableCount - 1)
    while table[place] != 0 {
      let index = Int(table[place]) - 1
      if withBytes(names[index], { $0 == collection }) { return index }
      place = (place + 1) & (Self.tableCount - 1)
    }
    guard names.count < Self.namesMax else { return Self.namesMax }
    lock.withLock { _ in
      names.append(collection.array)
      table[place] = UInt8(names.count)
    }
    return names.count - 1
  }

  /// Label pairs and counts of everything that was counted.
  package var snapshot: [(action: String, collection: String, count: Int)] {
    let names = lock.withLock { _ in self.names.map { String(decoding: $0, as: UTF8.self) } }
    var rows: [(String, String, Int)] = []
    for row in 0..<(Self.namesMax + 2) {
      let collection =
        row < names.count ? names[row] : row == Self.namesMax ? "other" : row == Self.namesMax + 1 ? "" : nil
      guard let collection else { continue }
      for name in ActionName.allCases {
        let count = counters[row * ActionName.allCases.count + Int(name.rawValue)].count
        if count > 0 { rows.append(("\(name.text)", collection, count)) }
      }
    }
    return rows
  }
}
