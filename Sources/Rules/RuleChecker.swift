import ATProto
import CLuaHost
import Osprey

/// Turns what the host announced of one rule into a `RuleDefinition`, collecting everything that is wrong with it.
struct RuleChecker {
  static let ruleKeys = [
    "name", "about", "owner", "actions", "collections", "mode", "when", "effects", "quota",
  ]
  let file: String
  let line: Int
  private(set) var errors: [RuleError] = []

  init(file: String, line: Int) {
    self.file = file
    self.line = line
  }

  mutating func fail(_ what: String, try attempt: String = "") {
    errors.append(RuleError(file, line, what, try: attempt))
  }

  /// `function` is 0 where the rule has no `when` that is a Lua function.
  mutating func check(_ entries: [RuleEntry], function: Int32, fileHash: String) -> RuleDefinition {
    var rule = RuleDefinition(
      name: "", about: "", owner: "", file: file, line: line, actions: [], collections: [], mode: .live, effects: [],
      fileHash: fileHash, function: function)
    for entry in entries.sorted(by: { ($0.key, $0.index) < ($1.key, $1.index) }) {
      switch entry.key {
      case "name": rule.name = text(entry) ?? ""
      case "about": rule.about = text(entry) ?? ""
      case "owner": rule.owner = text(entry) ?? ""
      case "actions": rule.actions = texts(entry).filter { checkAction($0) }
      case "collections": rule.collections = texts(entry).filter { checkCollection($0) }
      case "mode":
        guard let mode = text(entry).flatMap(RuleMode.init(rawValue:)) else {
          fail("mode is \"live\" or \"shadow\"", try: "mode = \"shadow\"")
          continue
        }
        rule.mode = mode
      case "when": continue
      case "effects": rule.effects = effects(entry.value)
      case "quota": rule.quota = quota(entry)
      default: unknownKey(entry)
      }
    }
    checkName(rule)
    if rule.quota != nil, rule.effects.isEmpty {
      fail("the rule has a quota but no effects", try: "effects = { verdict \"review\" }")
    }
    if function == 0 { fail("the rule has no `when`", try: "when = function(event) return … end") }
    return rule
  }

  private mutating func unknownKey(_ entry: RuleEntry) {
    let shown = entry.key.isEmpty ? "[\(entry.index)]" : entry.key
    if let nearest = nearest(entry.key, in: Self.ruleKeys) {
      fail("a rule has no '\(shown)', did you mean '\(nearest)'?", try: "\(nearest) = …")
    } else {
      fail("a rule has no '\(shown)'", try: "it has \(Self.ruleKeys.joined(separator: ", "))")
    }
  }

  private mutating func checkName(_ rule: RuleDefinition) {
    if rule.name.isEmpty {
      fail("the rule has no name", try: "name = \"LinkFlood\"")
    } else if !isPascalCase(rule.name) {
      fail("'\(rule.name)' is not PascalCase", try: "name = \"\(pascalCase(rule.name))\"")
    } else if defaultFeatureNames.contains(rule.name) {
      fail("'\(rule.name)' is the name of a feature every verdict has", try: "another name")
    }
    if rule.about.isEmpty { fail("the rule does not say what it is about", try: "about = \"Many links in one post.\"") }
  }

  private mutating func checkAction(_ name: String) -> Bool {
    let known = ActionName.allCases.map { $0.text.description }
    if known.contains(name) { return true }
    let nearest = nearest(name, in: known)
    fail(
      "there is no action '\(name)'" + (nearest.map { ", did you mean '\($0)'?" } ?? ""),
      try: "one of \(known.joined(separator: ", "))")
    return false
  }

  /// An NSID (atproto.com/specs/nsid), or the first segments of one and `.*`.
  private mutating func checkCollection(_ name: String) -> Bool {
    let isPrefix = name.hasSuffix(".*")
    let segments = (isPrefix ? String(name.dropLast(2)) : name).split(separator: ".", omittingEmptySubsequences: false)
    let isWellFormed =
      segments.count >= (isPrefix ? 1 : 3) && name.utf8.count <= 317
      && segments.allSatisfy { segment in
        !segment.isEmpty && segment.utf8.count <= 63
          && segment.utf8.allSatisfy {
            ($0 >= 0x61 && $0 <= 0x7a) || ($0 >= 0x41 && $0 <= 0x5a) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2d
          }
      }
    if !isWellFormed { fail("'\(name)' is not a collection", try: "\"app.bsky.feed.post\" or \"app.bsky.feed.*\"") }
    return isWellFormed
  }

  mutating func text(_ entry: RuleEntry) -> String? {
    if case .text(let value) = entry.value { return value }
    fail("'\(entry.key)' is not text", try: "\(entry.key) = \"…\"")
    return nil
  }

  mutating func texts(_ entry: RuleEntry) -> [String] {
    var found: [String] = []
    if case .table(let entries) = entry.value {
      for item in entries.sorted(by: { $0.index < $1.index }) {
        guard case .text(let value) = item.value, item.key.isEmpty else { break }
        found.append(value)
      }
      if found.count == entries.count { return found }
    }
    fail("'\(entry.key)' is not a list of texts", try: "\(entry.key) = { \"…\" }")
    return []
  }

  /// The candidate nearest to a misspelt word, nil where none is near.
  func nearest(_ word: String, in candidates: [String]) -> String? { nearestName(word, in: candidates) }
}

/// The candidate nearest to a misspelt word, nil where none is near.
func nearestName(_ word: String, in candidates: [String]) -> String? {
  let allowed = 1 + Int32(word.utf8.count) / 3
  var best: (name: String, distance: Int32)?
  for candidate in candidates {
    let distance = editDistance(word, candidate)
    if distance <= allowed, distance < best?.distance ?? .max { best = (candidate, distance) }
  }
  return best?.name
}

/// Edits between two names.
func editDistance(_ left: String, _ right: String) -> Int32 {
  Array(left.utf8).withUnsafeBufferPointer { left in
    Array(right.utf8).withUnsafeBufferPointer { right in
      lh_distance(
        lh_text(bytes: left.baseAddress, count: left.count), lh_text(bytes: right.baseAddress, count: right.count))
    }
  }
}

/// An upper-case letter, then letters and digits; at most 64 bytes.
func isPascalCase(_ name: String) -> Bool {
  guard let first = name.utf8.first, first >= 0x41, first <= 0x5a, name.utf8.count <= 64 else { return false }
  return name.utf8.allSatisfy {
    ($0 >= 0x41 && $0 <= 0x5a) || ($0 >= 0x61 && $0 <= 0x7a) || ($0 >= 0x30 && $0 <= 0x39)
  }
}

/// The name of a feature: PascalCase, or `_` and PascalCase for one that no verdict shows.
func isFeatureName(_ name: String) -> Bool { isPascalCase(isPrivateFeature(name) ? String(name.dropFirst()) : name) }

/// Whether a feature is worked out and can be named, but is not written to the verdict.
func isPrivateFeature(_ name: String) -> Bool { name.utf8.first == 0x5f }

/// A PascalCase name made of the letters and digits of another.
private func pascalCase(_ name: String) -> String {
  let words = name.split(whereSeparator: { !($0.isASCII && ($0.isLetter || $0.isNumber)) })
  let joined = words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  return joined.first?.isLetter == true ? joined : "Rule\(joined)"
}
