import ATProto
import Osprey

/// Gives the effects of the rules that hit, at the end of an event: works out what each is for, leaves out what was given
/// before, counts against the quotas, and writes the rest into the verdict in rule order. Makes no text while judging.
struct EffectGiver {
  private struct Prepared {
    enum Part {
      case text([UInt8])
      case feature([UInt8])
    }
    var kind: EffectKind
    var target: EffectTarget
    var entityType: [UInt8]
    /// Where the entity is the value of a feature.
    var feature: [UInt8]
    var value: [UInt8]
    var expiresSeconds: Int64?
    var dedupeMs: Int64
    var comment: [Part]
  }

  /// An effect that is to be given.
  private struct Pending {
    var rule: Int
    var effect: Int
    var isShadow: Bool
    var entity: Slice
  }

  private let effects: [[Prepared]]
  private let own: [Quota?]
  private let inAll: [Quota?]
  private var pending: [Pending] = []
  let entities = ByteWriter(capacity: 512)
  private let comment = ByteWriter(capacity: 512)
  /// Effects of the current act by the kind whose quota they count towards.
  private var counts = [Int64](repeating: 0, count: EffectKind.allCases.count)

  init(_ rules: [RuleDefinition], quotas: [EffectKind: Quota]) {
    own = rules.map(\.quota)
    inAll = EffectKind.allCases.map { quotas[$0] ?? Quota.builtIn[$0] }
    effects = rules.map { rule in
      rule.effects.map { effect in
        var feature = ""
        if case .named(_, let name) = effect.target { feature = name }
        return Prepared(
          kind: effect.kind, target: effect.target, entityType: Array(effect.target.entityType.utf8),
          feature: Array(feature.utf8), value: Array(effect.value.utf8), expiresSeconds: effect.expiresSeconds,
          dedupeMs: effect.dedupeSeconds * 1000,
          comment: effect.comment.map { part in
            switch part {
            case .text(let text): .text(Array(text.utf8))
            case .feature(let name): .feature(Array(name.utf8))
            }
          })
      }
    }
  }

  /// Forgets the event before.
  mutating func begin() {
    entities.removeAll()
    if !pending.isEmpty { pending.removeAll(keepingCapacity: true) }
  }

  /// Takes the effects of a rule that hit. True where the rule is live by its file and shadow because of a quota.
  mutating func take(_ rule: Int, _ action: Action, _ host: RuleHost) -> Bool {
    let state = host.state
    var isShadow = host.rules[rule].mode == .shadow
    var isOver = !isShadow && state.quotas.isOver(rule, clockMs: action.clockMs)
    isShadow = isShadow || isOver
    let start = pending.count
    collect(rule, isShadow: isShadow, action, host)
    if !isShadow, pending.count > start {
      for index in counts.indices { counts[index] = 0 }
      for given in pending[start...] { counts[Int(effects[rule][given.effect].kind.quotaKind.rawValue)] += 1 }
      if let trip = state.quotas.act(rule, effects: counts, clockMs: action.clockMs, own: own[rule], inAll: inAll) {
        host.counters.add(.quotaTrips, rule)
        host.onQuota?(
          QuotaTrip(
            rule: host.rules[rule].name, kind: trip.kind, limit: trip.limit, period: trip.period,
            untilMs: trip.untilMs == .max ? nil : trip.untilMs))
        isOver = true
        isShadow = true
        pending.removeSubrange(start...)
        collect(rule, isShadow: true, action, host)
      }
    }
    if pending.count == start, !effects[rule].isEmpty { host.counters.add(.suppressed, rule) }
    for given in pending[start...] { remember(given, action, host) }
    return isOver
  }

  /// Appends the effects of a rule that have an entity and were not given before.
  private mutating func collect(_ rule: Int, isShadow: Bool, _ action: Action, _ host: RuleHost) {
    for (index, effect) in effects[rule].enumerated() {
      let entity = entity(of: effect, rule, action, host)
      // A verdict is about the event, whose account may be unknown; the others need somebody to be for.
      guard entity.count > 0 || effect.kind == .verdict else { continue }
      let given = Pending(rule: rule, effect: index, isShadow: isShadow, entity: entity)
      if effect.dedupeMs > 0, !host.state.effects.isNew(key(given, host), clockMs: action.clockMs) { continue }
      pending.append(given)
    }
  }

  /// The entity's id as a slice of `entities`; empty where the event does not say, or where what it says is none.
  private func entity(of effect: Prepared, _ rule: Int, _ action: Action, _ host: RuleHost) -> Slice {
    let start = entities.count
    switch effect.target {
    case .did: entities.append(action.did)
    case .uri: entities.append(action.uri)
    case .named:
      withBytes(effect.feature) { name in
        if !host.features.append(name, rule: rule, to: entities) { host.facts.appendDefault(name, to: entities) }
      }
      let count = entities.count - start
      let id = entities[Slice(offset: start, count: count)]
      let isWellFormed =
        count <= RuleLimits.entityBytesMax
        && withBytes(effect.entityType) { type in
          type == "UserId" ? id.hasPrefix("did:") : type == "AtUri" ? id.hasPrefix("at://") : true
        }
      if !isWellFormed { entities.truncate(to: start) }
    }
    return Slice(offset: start, count: entities.count - start)
  }

  /// What an effect is told apart by: rule, mode, kind, entity and value; for a label also how often it came and went.
  private func key(_ given: Pending, _ host: RuleHost) -> StateKey {
    let effect = effects[given.rule][given.effect]
    var hash = SipHash()
    hash.append(host.crossingKeys[given.rule])
    hash.append(given.isShadow ? 1 : 0 as UInt8)
    hash.append(effect.kind.rawValue)
    append(effect, entities[given.entity], to: &hash)
    if effect.kind == .label || effect.kind == .unlabel {
      let label = labelKey(given, effect)
      hash.append(UInt64(host.state.effects.generation(label, gives: effect.kind == .label)))
    }
    let (high, low) = hash.finish()
    return StateKey(high: high, low: low)
  }

  private func append(_ effect: Prepared, _ entity: Bytes, to hash: inout SipHash) {
    withBytes(effect.entityType) { hash.append($0.base, $0.count) }
    hash.append(0 as UInt8)
    hash.append(entity.base, entity.count)
    hash.append(0 as UInt8)
    withBytes(effect.value) { hash.append($0.base, $0.count) }
  }

  private func labelKey(_ given: Pending, _ effect: Prepared) -> StateKey {
    let entity = entities[given.entity]
    return withBytes(effect.entityType) { type in
      withBytes(effect.value) { value in
        EffectGiver.labelKey(type: type, entity: entity, label: value, isShadow: given.isShadow)
      }
    }
  }

  /// What a label of an entity is filed under. Labels of shadow rules are kept apart: nobody has them.
  static func labelKey(type: Bytes, entity: Bytes, label: Bytes, isShadow: Bool) -> StateKey {
    var hash = SipHash()
    hash.append(isShadow ? 1 : 0 as UInt8)
    for part in [type, entity, label] {
      hash.append(part.base, part.count)
      hash.append(0 as UInt8)
    }
    let (high, low) = hash.finish()
    return StateKey(high: high, low: low)
  }

  private func remember(_ given: Pending, _ action: Action, _ host: RuleHost) {
    let effect = effects[given.rule][given.effect]
    if effect.dedupeMs > 0 {
      host.state.effects.note(key(given, host), untilMs: action.clockMs + effect.dedupeMs)
    }
    guard effect.kind == .label || effect.kind == .unlabel else { return }
    let expires = effect.expiresSeconds.map { action.clockMs + $0 * 1000 } ?? .max
    host.state.effects.mark(labelKey(given, effect), gives: effect.kind == .label, expires: expires)
    if !given.isShadow { host.state.effects.remember(effect.value) }
  }

  // MARK: Into the verdict

  /// Writes what was taken since `begin`.
  func write(to verdict: Verdict, _ action: Action, _ host: RuleHost) {
    for given in pending {
      let effect = effects[given.rule][given.effect]
      comment.removeAll()
      for part in effect.comment {
        switch part {
        case .text(let bytes): withBytes(bytes) { comment.append($0) }
        case .feature(let name):
          withBytes(name) { name in
            if !host.features.append(name, rule: given.rule, to: comment) {
              host.facts.appendDefault(name, to: comment)
            }
          }
        }
        if comment.count > RuleLimits.commentBytesMax { break }
      }
      let cut = comment.bytes.prefixUTF8(RuleLimits.commentBytesMax)
      withBytes(host.nameBytes[given.rule]) { name in
        withBytes(host.hashBytes[given.rule]) { hash in
          withBytes(effect.entityType) { type in
            withBytes(effect.value) { value in
              verdict.addEffect(
                rule: name, ruleHash: hash, isShadow: given.isShadow, type: effect.kind, entityType: type,
                entity: entities[given.entity], value: value, expiresSeconds: effect.expiresSeconds, comment: cut,
                actionID: action.id, clockMs: action.clockMs)
            }
          }
        }
      }
    }
  }
}

extension Bytes {
  fileprivate func hasPrefix(_ text: StaticString) -> Bool {
    let length = text.utf8CodeUnitCount
    return count >= length && self[Slice(offset: 0, count: length)] == text
  }
}
