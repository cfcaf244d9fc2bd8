import ATProto
import CLuaHost
import Osprey

/// Turns what the host announced of one rule into a `RuleDefinition`, collecting everything that is wrong with it.
struct RuleChecker {
  static let ruleKeys = ["name", "about", "owner", "actions", "collections", "mode", "when", "effects"]
  static let effectKeys = ["on", "expires", "comment"]
  let file: String
  let line: Int
  private(set) var errors: [RuleError] = []

  init(file: String, line: Int) {
    self.file = file
    self.line = line
  }

  private mutating func fail(_ what: String, try attempt: String = "") {
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
      default: unknownKey(entry)
      }
    }
    checkName(rule)
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

  private mutating func text(_ entry: RuleEntry) -> String? {
    if case .text(let value) = entry.value { return value }
    fail("'\(entry.key)' is not text", try: "\(entry.key) = \"…\"")
    return nil
  }

  private mutating func texts(_ entry: RuleEntry) -> [String] {
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

  // MARK: Effects

  private mutating func effects(_ value: RuleValue) -> [EffectDefinition] {
    guard case .table(let entries) = value else {
      fail("'effects' is not a list", try: "effects = { verdict \"review\" }")
      return []
    }
    if entries.contains(where: { $0.key == "$effect" }) {
      fail("'effects' is one effect, not a list", try: "effects = { … } around it")
      return []
    }
    if entries.count > RuleLimits.effectsMax { fail("a rule has at most \(RuleLimits.effectsMax) effects") }
    return entries.sorted(by: { ($0.key, $0.index) < ($1.key, $1.index) }).prefix(RuleLimits.effectsMax)
      .compactMap { effect($0) }
  }

  private mutating func effect(_ entry: RuleEntry) -> EffectDefinition? {
    guard case .table(let parts) = entry.value,
      case .text(let name)? = parts.first(where: { $0.key == "$effect" })?.value,
      let kind = EffectKind(rawValue: name)
    else {
      fail("an entry of 'effects' is not an effect", try: "verdict \"review\" or label { \"spam\", on = \"did\" }")
      return nil
    }
    var effect = EffectDefinition(kind: kind, value: "", target: .did, expiresSeconds: nil, comment: [])
    for part in parts.sorted(by: { ($0.key, $0.index) < ($1.key, $1.index) }) {
      switch part.key {
      case "$effect": continue
      case "" where part.index == 1: effect.value = self.text(RuleEntry(key: name, index: 0, value: part.value)) ?? ""
      case "on" where kind == .label:
        guard let target = text(part).flatMap(EffectTarget.init(rawValue:)) else {
          fail("'on' is \"did\" or \"uri\"", try: "on = \"did\"")
          continue
        }
        effect.target = target
      case "expires" where kind == .label: effect.expiresSeconds = seconds(part)
      case "comment": effect.comment = comment(part)
      default:
        let nearest = nearest(part.key, in: Self.effectKeys)
        fail(
          "\(name) has no '\(part.key.isEmpty ? "[\(part.index)]" : part.key)'"
            + (nearest.map { ", did you mean '\($0)'?" } ?? ""))
      }
    }
    if !isEffectValue(effect.value) {
      fail("\(name) needs a value of 1 to 128 bytes without '/' and '|'", try: "\(name) \"spam\"")
    }
    return effect
  }

  private func isEffectValue(_ value: String) -> Bool {
    (1...128).contains(value.utf8.count) && value.utf8.allSatisfy { $0 > 0x20 && $0 != 0x2f && $0 != 0x7c }
  }

  private mutating func seconds(_ entry: RuleEntry) -> Int64? {
    switch entry.value {
    case .integer(let value) where value > 0 && value <= 10 * 366 * 86400: return value
    case .number(let value) where value > 0 && value <= 10 * 366 * 86400: return Int64(value.rounded(.up))
    default:
      fail("'expires' is not a time of up to ten years", try: "expires = hours(24)")
      return nil
    }
  }

  /// Splits `{Name}` out of a comment.
  private mutating func comment(_ entry: RuleEntry) -> [CommentPart] {
    guard let whole = text(entry) else { return [] }
    if whole.utf8.count > RuleLimits.commentBytesMax {
      fail("a comment has at most \(RuleLimits.commentBytesMax) bytes")
    }
    var parts: [CommentPart] = []
    var rest = Substring(whole)
    while let open = rest.firstIndex(of: "{") {
      guard let close = rest[open...].firstIndex(of: "}") else {
        fail("a '{' of the comment has no '}'", try: "{FeatureName}")
        break
      }
      let name = String(rest[rest.index(after: open)..<close])
      if !isPascalCase(name) { fail("'{\(name)}' in a comment is not the name of a feature", try: "{LinkCount}") }
      if open > rest.startIndex { parts.append(.text(String(rest[..<open]))) }
      parts.append(.feature(name))
      rest = rest[rest.index(after: close)...]
    }
    if !rest.isEmpty { parts.append(.text(String(rest))) }
    return parts
  }

  /// The candidate nearest to a misspelt word, nil where none is near.
  private func nearest(_ word: String, in candidates: [String]) -> String? {
    let allowed = 1 + Int32(word.utf8.count) / 3
    var best: (name: String, distance: Int32)?
    for candidate in candidates {
      let distance = editDistance(word, candidate)
      if distance <= allowed, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.name
  }
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

/// A PascalCase name made of the letters and digits of another.
private func pascalCase(_ name: String) -> String {
  let words = name.split(whereSeparator: { !($0.isASCII && ($0.isLetter || $0.isNumber)) })
  let joined = words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  return joined.first?.isLetter == true ? joined : "Rule\(joined)"
}
