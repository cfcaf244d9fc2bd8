import ATProto
import Osprey

/// Which rules an event meets: by action name, then by collection. Looking up allocates nothing; an event no rule applies to
/// costs one hash. Lists are in rule order.
final class RuleIndex {
  /// A rule and what `lh_run` wants for it.
  struct Member {
    var rule: Int32
    var function: Int32
  }

  /// Of one action. Plain numbers throughout: looking up counts no references.
  private struct Table {
    /// Where its buckets begin, and how many they are but one; -1 where it names no collection.
    var firstBucket = 0
    var mask = -1
    /// Range of `members` for every collection no rule names in full.
    var others = 0..<0
  }

  /// A collection that rules of an action name.
  private struct Name {
    var text: Slice
    var list: Range<Int>
  }

  private let tables: [Table]
  /// Open addressing; -1 is empty, else an index into `names`.
  private let buckets: [Int32]
  private let names: [Name]
  private let texts: [UInt8]
  private let members: [Member]
  /// Per rule the prefixes it names, for collections no rule names in full; empty where it takes every collection.
  private let prefixes: [[[UInt8]]]

  init(_ rules: [RuleDefinition]) {
    var tables: [Table] = []
    var buckets: [Int32] = []
    var names: [Name] = []
    var texts: [UInt8] = []
    var members: [Member] = []
    func add(_ places: [Int]) -> Range<Int> {
      let start = members.count
      members.append(contentsOf: places.map { Member(rule: Int32($0), function: rules[$0].function) })
      return start..<members.count
    }
    let prefixes = rules.map { rule in
      rule.collections.filter { $0.hasSuffix(".*") }.map { Array($0.dropLast(1).utf8) }
    }
    for action in ActionName.allCases {
      let ours = rules.indices.filter {
        rules[$0].actions.isEmpty || rules[$0].actions.contains(action.text.description)
      }
      let isOperation = action == .operationCreate || action == .operationUpdate || action == .operationDelete
      let open = ours.filter {
        rules[$0].collections.isEmpty || (isOperation && !prefixes[$0].isEmpty)
      }
      var table = Table(others: add(open))
      let named = isOperation ? Set(ours.flatMap { rules[$0].collections }.filter { !$0.hasSuffix(".*") }).sorted() : []
      if !named.isEmpty {
        var size = 8
        while size < named.count * 2 { size *= 2 }
        table.firstBucket = buckets.count
        table.mask = size - 1
        buckets += Array(repeating: -1, count: size)
      }
      for name in named {
        let bytes = Array(name.utf8)
        var at = withBytes(bytes) { RuleIndex.hash($0) } & table.mask
        while buckets[table.firstBucket + at] >= 0 { at = (at + 1) & table.mask }
        buckets[table.firstBucket + at] = Int32(names.count)
        let list = add(ours.filter { RuleIndex.applies(rules[$0], to: name) })
        names.append(Name(text: Slice(offset: texts.count, count: bytes.count), list: list))
        texts += bytes
      }
      tables.append(table)
    }
    (self.tables, self.buckets, self.names, self.texts) = (tables, buckets, names, texts)
    (self.members, self.prefixes) = (members, prefixes)
  }

  private static func applies(_ rule: RuleDefinition, to collection: String) -> Bool {
    rule.collections.isEmpty
      || rule.collections.contains { pattern in
        pattern == collection || (pattern.hasSuffix(".*") && collection.hasPrefix(pattern.dropLast(1)))
      }
  }

  /// Of the length and the last eight bytes, in which NSIDs differ. Names come from rule files, so nobody can pile them up in
  /// one bucket.
  @inline(__always)
  private static func hash(_ bytes: Bytes) -> Int {
    var value = UInt64(bytes.count)
    if bytes.count >= 8 {
      value ^= UnsafeRawPointer(bytes.base + bytes.count - 8).loadUnaligned(as: UInt64.self)
    } else {
      for index in 0..<bytes.count { value = value << 8 ^ UInt64(bytes[index]) }
    }
    return Int((value &* 0x9e37_79b9_7f4a_7c15) >> 40)
  }

  /// The rules to ask about an event, as a range for `member(at:)`. `isExact` says that no prefix has to be looked at.
  @inline(__always)
  func rules(for action: Action) -> (range: Range<Int>, isExact: Bool) {
    let table = tables[Int(action.name.rawValue)]
    if table.mask >= 0, !action.collection.isEmpty {
      var at = RuleIndex.hash(action.collection) & table.mask
      while buckets[table.firstBucket + at] >= 0 {
        let name = names[Int(buckets[table.firstBucket + at])]
        if name.text.count == action.collection.count,
          texts.withUnsafeBufferPointer({
            memcmp($0.baseAddress! + name.text.offset, action.collection.base, name.text.count) == 0
          })
        {
          return (name.list, true)
        }
        at = (at + 1) & table.mask
      }
    }
    return (table.others, false)
  }

  @inline(__always)
  func member(at position: Int) -> Member { members[position] }

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
