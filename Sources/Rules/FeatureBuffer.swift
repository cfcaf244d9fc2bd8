import ATProto
import CLuaHost
import Osprey

/// The features the rules returned for the current event: in rule order, by name within a rule, one type per name.
struct FeatureBuffer {
  private struct Feature {
    var rule: Int
    var name: Slice
    var kind: FeatureKind
    var integer: Int64 = 0
    var double: Double = 0
    var text = Slice.none
    var first = 0
    var count = 0
  }

  var types: FeatureTypes
  /// Names of features that verdicts leave out and that are kept all the same, for tests to see. They are nobody's column: what
  /// no verdict could say is passed over, and they may be text once and a number later.
  var untyped: [[UInt8]] = []
  private let arena = ByteWriter(capacity: 4096)
  private var features: [Feature] = []
  private var items: [Slice] = []
  private var rule = 0
  private var start = 0
  /// Why the current rule's features were refused.
  private(set) var error: String?

  init(types: FeatureTypes) { self.types = types }

  mutating func removeAll() {
    arena.removeAll()
    features.removeAll(keepingCapacity: true)
    items.removeAll(keepingCapacity: true)
    error = nil
    start = 0
  }

  mutating func begin(rule: Int) {
    self.rule = rule
    start = features.count
    error = nil
  }

  /// A feature of features.lua comes now, in the middle of a rule that has not returned any yet.
  mutating func beginShared() {
    rule = -1
    start = features.count
    error = nil
  }

  /// The feature stays, whatever becomes of rule `rule`, which goes on.
  mutating func endShared(rule: Int) {
    self.rule = rule
    start = features.count
  }

  /// Forgets what the current rule returned.
  mutating func drop() {
    features.removeSubrange(start...)
    error = nil
  }

  /// Sorts what the current rule returned: Lua lists a table in no order that lasts.
  mutating func finish() {
    guard features.count - start > 1 else { return }
    let arena = arena
    features[start...].sort { arena[$0.name] < arena[$1.name] }
  }

  /// Takes one value; list elements follow their list with `index` from 1. False where it is refused.
  mutating func add(_ name: Bytes, index: Int64, _ value: lh_value) -> Bool {
    if index > 0 { return addItem(value) }
    let kind: FeatureKind
    let isUntyped = untyped.contains { withBytes($0) { $0 == name } }
    switch Int(value.kind) {
    case LH_FALSE, LH_TRUE: kind = .bool
    case LH_INTEGER: kind = .integer
    case LH_NUMBER:
      guard value.number.isFinite else {
        return isUntyped || refuse("the feature '\(name.string)' is not a finite number")
      }
      kind = .double
    case LH_TEXT: kind = .text
    case LH_TABLE: kind = .list
    default:
      return refuse("the feature '\(name.string)' must be text, a number, a boolean or a list of texts")
    }
    if isUntyped { return append(name, kind, kind, value) }
    switch types.type(of: name, orNew: kind) {
    case .refused(let why): return refuse(why)
    case .known(let known): return append(name, kind, known, value)
    }
  }

  private mutating func append(_ name: Bytes, _ kind: FeatureKind, _ known: FeatureKind, _ value: lh_value) -> Bool {
    var feature = Feature(rule: rule, name: keep(name), kind: known)
    switch (kind, known) {
    case (.bool, .bool): feature.integer = value.kind == Int32(LH_TRUE) ? 1 : 0
    case (.integer, .integer): feature.integer = value.integer
    case (.integer, .double): feature.double = Double(value.integer)
    case (.double, .double): feature.double = value.number
    case (.double, .integer):
      guard let whole = Int64(exactly: value.number) else {
        return refuse("the feature '\(name.string)' was a whole number before and is not one now")
      }
      feature.integer = whole
    case (.text, .text):
      feature.text = keep(
        Bytes(base: value.text.bytes, count: value.text.count).prefixUTF8(RuleLimits.featureTextBytesMax))
    case (.list, .list): feature.first = items.count
    default: return refuse("the feature '\(name.string)' was \(known.name) before and is \(kind.name) now")
    }
    features.append(feature)
    return true
  }

  private mutating func addItem(_ value: lh_value) -> Bool {
    guard value.kind == Int32(LH_TEXT), let last = features.indices.last else {
      return refuse("a list feature may hold texts only")
    }
    items.append(
      keep(Bytes(base: value.text.bytes, count: value.text.count).prefixUTF8(RuleLimits.featureTextBytesMax)))
    features[last].count += 1
    return true
  }

  private mutating func refuse(_ why: String) -> Bool {
    if error == nil { error = why }
    return false
  }

  private func keep(_ bytes: Bytes) -> Slice {
    let offset = arena.count
    arena.append(bytes)
    return Slice(offset: offset, count: bytes.count)
  }

  /// Hands all features over, private ones (`_Name`) only where that is wanted; of two with one name the first rule's stands.
  func add(to verdict: Verdict, withPrivate: Bool) {
    for (position, feature) in features.enumerated() {
      let name = arena[feature.name]
      if name[0] == 0x5f, !withPrivate { continue }
      if features[..<position].contains(where: { arena[$0.name] == name }) { continue }
      switch feature.kind {
      case .bool: verdict.addFeature(name, feature.integer != 0)
      case .integer: verdict.addFeature(name, feature.integer)
      case .double: verdict.addFeature(name, feature.double)
      case .text: verdict.addFeature(name, arena[feature.text])
      case .list:
        verdict.addListFeature(name)
        for item in items[feature.first..<feature.first + feature.count] { verdict.addItem(arena[item]) }
      }
    }
  }

  /// What one rule returned, as text, for people.
  func values(of rule: Int) -> [NamedValue] {
    features.filter { $0.rule == rule }.map { feature in
      let value: String
      switch feature.kind {
      case .bool: value = feature.integer != 0 ? "true" : "false"
      case .integer: value = "\(feature.integer)"
      case .double: value = "\(feature.double)"
      case .text: value = quoted(arena[feature.text].string)
      case .list:
        value = listed(items[feature.first..<feature.first + feature.count].map { quoted(arena[$0].string) })
      }
      return NamedValue(name: arena[feature.name].string, value: value)
    }
  }

  /// Writes the value of a feature into a comment: the rule's own, else the first there is. False where there is none.
  func append(_ name: Bytes, rule: Int, to out: ByteWriter) -> Bool {
    let own = features.first { $0.rule == rule && arena[$0.name] == name }
    guard let feature = own ?? features.first(where: { arena[$0.name] == name }) else { return false }
    switch feature.kind {
    case .bool: out.append(feature.integer != 0 ? "true" : "false")
    case .integer: out.append(decimal: feature.integer)
    case .double: out.append("\(feature.double)" as String)
    case .text: out.append(arena[feature.text])
    case .list:
      for (index, item) in items[feature.first..<feature.first + feature.count].enumerated() {
        if index > 0 { out.append(", ") }
        out.append(arena[item])
      }
    }
    return true
  }
}

extension Bytes {
  /// At most `limit` bytes, not ending inside a UTF-8 sequence.
  func prefixUTF8(_ limit: Int) -> Bytes {
    guard count > limit else { return self }
    var end = limit
    while end > 0, self[end] & 0xc0 == 0x80, limit - end < 3 { end -= 1 }
    return self[Slice(offset: 0, count: end)]
  }
}
