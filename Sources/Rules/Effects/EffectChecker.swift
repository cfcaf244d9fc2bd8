import Osprey

// The `effects` and the `quota` of a rule.

extension RuleChecker {
  static let effectKeys = ["on", "expires", "dedupe", "comment"]
  private static let onExample = "on = \"did\", on = \"uri\" or on = { \"Domain\", feature = \"LinkSite\" }"

  mutating func effects(_ value: RuleValue) -> [EffectDefinition] {
    guard case .table(let entries) = value else {
      fail("'effects' is not a list", try: "effects = { verdict \"review\" }")
      return []
    }
    if entries.contains(where: { $0.key == "$effect" }) {
      fail("'effects' is one effect, not a list", try: "effects = { … } around it")
      return []
    }
    if entries.count > RuleLimits.effectsMax { fail("a rule has at most \(RuleLimits.effectsMax) effects") }
    var found: [EffectDefinition] = []
    for entry in entries.sorted(by: { ($0.key, $0.index) < ($1.key, $1.index) }).prefix(RuleLimits.effectsMax) {
      guard let effect = effect(entry) else { continue }
      if found.contains(where: { $0.kind == effect.kind && $0.target == effect.target && $0.value == effect.value }) {
        fail("the rule has the same \(effect.kind.text) on the same entity twice", try: "one of them")
      }
      found.append(effect)
    }
    return found
  }

  private mutating func effect(_ entry: RuleEntry) -> EffectDefinition? {
    guard case .table(let parts) = entry.value,
      case .text(let name)? = parts.first(where: { $0.key == "$effect" })?.value, let kind = EffectKind(name: name)
    else {
      fail("an entry of 'effects' is not an effect", try: "verdict \"review\" or label { \"spam\", on = \"did\" }")
      return nil
    }
    var effect = EffectDefinition(
      kind: kind, value: "", target: .did, expiresSeconds: nil,
      dedupeSeconds: kind == .verdict ? 0 : RuleLimits.dedupeSecondsDefault, comment: [])
    for part in parts.sorted(by: { ($0.key, $0.index) < ($1.key, $1.index) }) {
      switch part.key {
      case "$effect": continue
      case "" where part.index == 1 && kind == .comment: effect.comment = comment(part)
      case "" where part.index == 1:
        effect.value = self.text(RuleEntry(key: name, index: 0, value: part.value)) ?? ""
      case "on" where kind != .verdict: effect.target = target(part) ?? .did
      case "expires" where kind.mayExpire: effect.expiresSeconds = seconds(part, from: 1, toDays: 10 * 366)
      case "dedupe": effect.dedupeSeconds = seconds(part, from: 0, toDays: 30) ?? 0
      case "comment" where kind != .comment: effect.comment = comment(part)
      default:
        let nearest = nearest(part.key, in: Self.effectKeys)
        fail(
          "\(name) has no '\(part.key.isEmpty ? "[\(part.index)]" : part.key)'"
            + (nearest.flatMap { $0 == part.key ? nil : ", did you mean '\($0)'?" } ?? ""))
      }
    }
    check(effect)
    // What has expired is as good as removed: giving it again is no repetition.
    if let expires = effect.expiresSeconds { effect.dedupeSeconds = min(effect.dedupeSeconds, expires) }
    return effect
  }

  private mutating func check(_ effect: EffectDefinition) {
    let kind = effect.kind
    if kind == .list {
      if !isListAddress(effect.value) { fail("list needs the AT URI of a list", try: kind.example) }
      if effect.target.entityType != "UserId" { fail("only accounts can be put on a list", try: "on = \"did\"") }
    } else if kind == .comment {
      if effect.comment.isEmpty { fail("comment needs a text", try: kind.example) }
    } else if kind.needsValue || !effect.value.isEmpty {
      if !isEffectValue(effect.value) {
        fail("\(kind.text) needs a value of 1 to 128 bytes without blanks, '/' and '|'", try: kind.example)
      }
    }
  }

  func isEffectValue(_ value: String) -> Bool {
    (1...128).contains(value.utf8.count) && value.utf8.allSatisfy { $0 > 0x20 && $0 != 0x2f && $0 != 0x7c }
  }

  private func isListAddress(_ value: String) -> Bool {
    value.hasPrefix("at://did:") && value.contains("/app.bsky.graph.list/") && value.utf8.count <= 512
      && value.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7c }
  }

  /// `"did"`, `"uri"` or `{ "Domain", feature = "LinkSite" }`.
  private mutating func target(_ entry: RuleEntry) -> EffectTarget? {
    switch entry.value {
    case .text("did"): return .did
    case .text("uri"): return .uri
    case .table(let parts):
      var type = ""
      var feature = ""
      for part in parts {
        guard case .text(let text) = part.value else { continue }
        if part.key == "feature" { feature = text }
        if part.key.isEmpty, part.index == 1 { type = text }
      }
      if parts.count == 2, isPascalCase(type), isFeatureName(feature) { return .named(type: type, feature: feature) }
    default: break
    }
    fail("'on' does not say what the effect is for", try: Self.onExample)
    return nil
  }

  private mutating func seconds(_ entry: RuleEntry, from least: Int64, toDays days: Int64) -> Int64? {
    switch entry.value {
    case .integer(let value) where value >= least && value <= days * 86400: return value
    case .number(let value) where value >= Double(least) && value <= Double(days * 86400):
      return Int64(value.rounded(.up))
    default:
      fail("'\(entry.key)' is not a time of up to \(days) days", try: "\(entry.key) = hours(24)")
      return nil
    }
  }

  /// Splits `{Name}` out of a comment.
  private mutating func comment(_ entry: RuleEntry) -> [CommentPart] {
    guard let whole = text(RuleEntry(key: "comment", index: 0, value: entry.value)) else { return [] }
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
      if !isFeatureName(name) { fail("'{\(name)}' in a comment is not the name of a feature", try: "{LinkCount}") }
      if open > rest.startIndex { parts.append(.text(String(rest[..<open]))) }
      parts.append(.feature(name))
      rest = rest[rest.index(after: close)...]
    }
    if !rest.isEmpty { parts.append(.text(String(rest))) }
    return parts
  }

  // MARK: Quotas

  /// `quota = { hour = 100, day = 1000 }`.
  mutating func quota(_ entry: RuleEntry) -> Quota? {
    guard case .table(let parts) = entry.value, !parts.isEmpty else {
      fail("'\(entry.key)' is not a quota", try: "\(entry.key) = { hour = 100, day = 1000 }")
      return nil
    }
    var quota = Quota()
    for part in parts.sorted(by: { ($0.key, $0.index) < ($1.key, $1.index) }) {
      guard case .integer(let number) = part.value, (0...1_000_000_000).contains(number),
        part.key == "hour" || part.key == "day"
      else {
        fail("a quota has a number for `hour`, `day` or both", try: "\(entry.key) = { hour = 100, day = 1000 }")
        continue
      }
      if part.key == "hour" { quota.hour = Int(number) } else { quota.day = Int(number) }
    }
    return quota
  }
}
