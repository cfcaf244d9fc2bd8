import ATProto

/// The type a feature has for ever within a rule set.
enum FeatureKind: UInt8 {
  case bool, integer, double, text, list

  var name: String {
    switch self {
    case .bool: "a boolean"
    case .integer: "a whole number"
    case .double: "a number"
    case .text: "text"
    case .list: "a list of texts"
    }
  }
}

/// Remembers the type each feature name was first seen with. Looking up allocates nothing.
struct FeatureTypes {
  private var buckets: [Int32]
  private var names: [[UInt8]] = []
  private var kinds: [FeatureKind] = []
  private let reserved: Set<[UInt8]>
  /// Places of names asked about last, by where the name stood: hashing costs more than comparing.
  private var recent = Array(repeating: Int32(-1), count: 64)

  /// `reserved` are names no feature may have: those of rules and of the default features.
  init(reserved: Set<String>) {
    self.reserved = Set(reserved.map { Array($0.utf8) })
    buckets = Array(repeating: -1, count: 16_384)
  }

  enum Answer {
    case known(FeatureKind)
    case refused(String)
  }

  /// The type of `name`, which becomes `kind` where it is new.
  mutating func type(of name: Bytes, orNew kind: FeatureKind) -> Answer {
    let place = Int(bitPattern: name.base) >> 4 & (recent.count - 1)
    if recent[place] >= 0, withBytes(names[Int(recent[place])], { $0 == name }) {
      return .known(kinds[Int(recent[place])])
    }
    var hash = SipHash()
    hash.append(name.base, name.count)
    var at = Int(truncatingIfNeeded: hash.finish().low) & (buckets.count - 1)
    while buckets[at] >= 0 {
      let index = Int(buckets[at])
      if withBytes(names[index], { $0 == name }) {
        recent[place] = Int32(index)
        return .known(kinds[index])
      }
      at = (at + 1) & (buckets.count - 1)
    }
    let text = name.string
    if !isFeatureName(text) { return .refused("the feature '\(text)' is not PascalCase") }
    if reserved.contains(name.array) { return .refused("'\(text)' is the name of a rule or of a default feature") }
    if names.count >= RuleLimits.featureNamesMax {
      return .refused("the rules have returned more than \(RuleLimits.featureNamesMax) names of features")
    }
    buckets[at] = Int32(names.count)
    names.append(name.array)
    kinds.append(kind)
    return .known(kind)
  }

  // MARK: Snapshots

  func save(to writer: SnapshotWriter) {
    writer.append(kinds.map(\.rawValue))
    writer.append(texts: names)
  }

  /// The types a snapshot has.
  mutating func restore(from reader: inout SnapshotReader) throws(SnapshotError) {
    let kinds: [UInt8] = try reader.array()
    let names = try reader.texts()
    guard kinds.count == names.count else { throw .damaged }
    for (name, number) in zip(names, kinds) {
      guard let kind = FeatureKind(rawValue: number) else { throw .damaged }
      withBytes(name) { _ = type(of: $0, orNew: kind) }
    }
  }

  /// Takes over types that a restored set knew, but for names no feature may have any more.
  mutating func takeOver(_ other: FeatureTypes) {
    for (name, kind) in zip(other.names, other.kinds) { withBytes(name) { _ = type(of: $0, orNew: kind) } }
  }
}
