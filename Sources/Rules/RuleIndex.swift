import ATProto
import Osprey

/// Which rules an event meets: by action name, then by collection. Looking up allocates nothing; an event no rule applies to
/// costs one hash. Lists are in rule order.
struct RuleIndex {
  private struct Table {
    /// Open addressing; -1 is empty, else an index into `names`.
    var buckets: [Int32] = []
    var names: [[UInt8]] = []
    /// Range of `members` per name, then the range for every other collection.
    var lists: [Range<Int>] = []
    var others = 0..<0
  }

  private var tables: [Table]
  private var members: [Int32] = []
  /// Per rule the prefixes it names, for collections no rule names in full; empty where it takes every collection.
  private var prefixes: [[[UInt8]]]

  init(_ rules: [RuleDefinition]) {
    tables = []
    prefixes = rules.map { rule in
      rule.collections.filter { $0.hasSuffix(".*") }.map { Array($0.dropLast(1).utf8) }
    }
    for action in ActionName.allCases {
      let ours = rules.indices.filter {
        rules[$0].actions.isEmpty || rules[$0].actions.contains(action.text.description)
      }
      var table = Table()
      let isOperation = action == .operationCreate || action == .operationUpdate || action == .operationDelete
      let open = ours.filter {
        rules[$0].collections.isEmpty || (isOperation && !prefixes[$0].isEmpty)
      }
      table.others = add(open)
      if isOperation {
        for name in Set(ours.flatMap { rules[$0].collections }.filter { !$0.hasSuffix(".*") }).sorted() {
          table.names.append(Array(name.utf8))
          table.lists.append(add(ours.filter { RuleIndex.applies(rules[$0], to: name) }))
        }
      }
      RuleIndex.fill(&table)
      tables.append(table)
    }
  }

  private mutating func add(_ rules: [Int]) -> Range<Int> {
    let start = members.count
    members.append(contentsOf: rules.map { Int32($0) })
    return start..<members.count
  }

  private static func applies(_ rule: RuleDefinition, to collection: String) -> Bool {
    rule.collections.isEmpty
      || rule.collections.contains { pattern in
        pattern == collection || (pattern.hasSuffix(".*") && collection.hasPrefix(pattern.dropLast(1)))
      }
  }

  private static func fill(_ table: inout Table) {
    guard !table.names.isEmpty else { return }
    var size = 8
    while size < table.names.count * 2 { size *= 2 }
    table.buckets = Array(repeating: -1, count: size)
    for (index, name) in table.names.enumerated() {
      var at = withBytes(name) { hash($0) } & (size - 1)
      while table.buckets[at] >= 0 { at = (at + 1) & (size - 1) }
      table.buckets[at] = Int32(index)
    }
  }

  /// FNV-1a. Names come from rule files, so nobody can pile them up in one bucket.
  @inline(__always)
  private static func hash(_ bytes: Bytes) -> Int {
    var value: UInt32 = 2_166_136_261
    for index in 0..<bytes.count { value = (value ^ UInt32(bytes[index])) &* 16_777_619 }
    return Int(value ^ value >> 15)
  }

  /// The rules to ask about an event, as a range for `rule(at:)`. `isExact` says that no prefix has to be looked at.
  @inline(__always)
  func rules(for action: Action) -> (range: Range<Int>, isExact: Bool) {
    let table = tables[Int(action.name.rawValue)]
    if !table.buckets.isEmpty, !action.collection.isEmpty {
      let mask = table.buckets.count - 1
      var at = RuleIndex.hash(action.collection) & mask
      while table.buckets[at] >= 0 {
        let index = Int(table.buckets[at])
        let name = table.names[index]
        if name.count == action.collection.count,
          name.withUnsafeBufferPointer({ memcmp($0.baseAddress!, action.collection.base, $0.count) == 0 })
        {
          return (table.lists[index], true)
        }
        at = (at + 1) & mask
      }
    }
    return (table.others, false)
  }

  @inline(__always)
  func rule(at position: Int) -> Int { Int(members[position]) }

  /// Whether a rule that names prefixes takes this collection.
  @inline(__always)
  func accepts(_ rule: Int, _ collection: Bytes) -> Bool {
    let prefixes = prefixes[rule]
    if prefixes.isEmpty { return true }
    for prefix in prefixes where prefix.count <= collection.count {
      if prefix.withUnsafeBufferPointer({ memcmp($0.baseAddress!, collection.base, $0.count) == 0 }) { return true }
    }
    return false
  }
}

#if canImport(Glibc)
  import Glibc
#endif
