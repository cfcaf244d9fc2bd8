import ATProto

/// The features every verdict has where they are known (CONTRACT.md, "Verdicts topic"). No rule may take one of these names.
package let defaultFeatureNames: Set<String> = [
  "ActionName", "UserId", "Handle", "PdsHost", "AccountCreatedAt", "AccountAgeSeconds", "Collection", "OperationKind",
  "AtUri",
  "RecordKey", "Cid", "PostText", "PostAllDomains", "FacetLinkList", "PostEmbedRecordUri", "RecordError",
]

/// What the rules say about one action: which ran, what they returned, what follows. Filled by the judge, written by
/// `VerdictWriter`, emptied and filled again; its memory is kept. One thread.
package final class Verdict {
  /// What a rule said.
  package enum Outcome: UInt8, Sendable {
    case miss, hit
    /// The rule returned nil: it does not apply to this event. Its column stays away.
    case notApplicable
    /// The rule failed. Its column stays away.
    case failed
  }

  package struct Rule {
    package var name: Slice
    package var outcome: Outcome
    package var isShadow: Bool
    /// Whether it is shadow only because a quota is used up.
    package var isOverQuota = false
  }

  /// The value of a feature. `list` is a range of `items`.
  package enum FeatureValue {
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    case text(Slice)
    case list(first: Int, count: Int)
  }

  package struct Feature {
    package var name: Slice
    package var value: FeatureValue
    /// Left out to fit the message into the broker's limit.
    package var isCut = false
  }

  /// One effect of one rule on one entity.
  package struct Effect {
    package var rule: Slice
    package var ruleHash: Slice
    package var isShadow: Bool
    package var type: EffectKind
    /// `UserId`, `AtUri`, or what a rule calls its entity.
    package var entityType: Slice
    package var entity: Slice
    /// Whether the entity is an account or a record: only these stand in columns of their own besides `__effects`.
    package var isSubject: Bool
    package var value: Slice
    /// Milliseconds since 1970; nil without expiry.
    package var expiresAtMs: Int64?
    /// The same as hours after the event, rounded up.
    package var hours: Int64?
    package var comment: Slice
    /// CONTRACT.md, "Effect id".
    package var id: (UInt64, UInt64)
  }

  /// What is known about the account beside what the action says.
  package struct Account {
    package var handle: Slice
    package var pdsHost: Slice
    /// Milliseconds since 1970, and seconds from then to the event.
    package var createdAtMs: Int64?
    package var ageSeconds: Int64?
  }

  package private(set) var account: Account?
  package private(set) var rules: [Rule] = []
  package private(set) var features: [Feature] = []
  package private(set) var items: [Slice] = []
  package private(set) var effects: [Effect] = []
  /// Rules that failed on this action.
  package var errorCount = 0 { didSet { isFilled = true } }
  /// Time all rules took, microseconds.
  package var evaluationMicros: Int64 = 0 { didSet { isFilled = true } }
  /// Whether any rule hit, live or shadow: whether there is something to publish.
  package private(set) var hasHit = false
  package private(set) var hasLiveHit = false
  /// Whether there is anything to forget: for most events there is not, and then `removeAll` costs nothing.
  private var isFilled = false
  private let arena = ByteWriter(capacity: 8192)
  private let scratch = ByteWriter(capacity: 512)

  package init() {}

  /// Forgets everything but the memory.
  package func removeAll() {
    guard isFilled else { return }
    account = nil
    rules.removeAll(keepingCapacity: true)
    features.removeAll(keepingCapacity: true)
    items.removeAll(keepingCapacity: true)
    effects.removeAll(keepingCapacity: true)
    errorCount = 0
    evaluationMicros = 0
    hasHit = false
    hasLiveHit = false
    if arena.capacity > 1 << 20 { arena.shrink(to: 8192) } else { arena.removeAll() }
    isFilled = false
  }

  /// The bytes behind a slice of this verdict. Valid until something is added.
  package subscript(slice: Slice) -> Bytes { arena[slice] }

  private func keep(_ bytes: Bytes) -> Slice {
    isFilled = true
    let start = arena.count
    arena.append(bytes)
    return Slice(offset: start, count: bytes.count)
  }

  /// Sets the features about the account that are not in the action; empty and nil are not known.
  package func setAccount(handle: Bytes, pdsHost: Bytes, createdAtMs: Int64?, ageSeconds: Int64?) {
    account = Account(
      handle: keep(handle), pdsHost: keep(pdsHost), createdAtMs: createdAtMs, ageSeconds: ageSeconds)
  }

  /// What one rule said, in rule order.
  package func addRule(name: Bytes, outcome: Outcome, isShadow: Bool, isOverQuota: Bool = false) {
    rules.append(Rule(name: keep(name), outcome: outcome, isShadow: isShadow, isOverQuota: isOverQuota))
    if outcome == .hit {
      hasHit = true
      if !isShadow { hasLiveHit = true }
    }
  }

  package func addFeature(_ name: Bytes, _ value: Bool) { add(name, .bool(value)) }
  package func addFeature(_ name: Bytes, _ value: Int64) { add(name, .integer(value)) }
  /// `value` is finite.
  package func addFeature(_ name: Bytes, _ value: Double) { add(name, .double(value)) }
  package func addFeature(_ name: Bytes, _ value: Bytes) { add(name, .text(keep(value))) }

  /// Starts a list; `addItem` fills it until the next feature.
  package func addListFeature(_ name: Bytes) { add(name, .list(first: items.count, count: 0)) }

  package func addItem(_ value: Bytes) {
    guard case .list(let first, let count)? = features.last?.value else {
      preconditionFailure("an item without a list feature before it")
    }
    items.append(keep(value))
    features[features.count - 1].value = .list(first: first, count: count + 1)
  }

  private func add(_ name: Bytes, _ value: FeatureValue) {
    features.append(Feature(name: keep(name), value: value))
  }

  /// Adds an effect unless the same one stands there already; its id is worked out here.
  ///
  /// `actionID` is the action's id, `clockMs` the event's clock.
  package func addEffect(
    rule: Bytes, ruleHash: Bytes, isShadow: Bool, type: EffectKind, entityType: Bytes, entity: Bytes,
    value: Bytes, expiresSeconds: Int64?, comment: Bytes, actionID: Int64, clockMs: Int64
  ) {
    scratch.removeAll()
    scratch.append(decimal: actionID)
    scratch.append(0)
    scratch.append(rule)
    scratch.append(0)
    scratch.append(type.text)
    scratch.append(0)
    scratch.append(entityType)
    scratch.append(0)
    scratch.append(entity)
    scratch.append(0)
    scratch.append(value)
    let id = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { digest in
      SHA256Digest.compute(scratch.bytes, into: digest.baseAddress!)
      let raw = UnsafeRawPointer(digest.baseAddress!)
      return (
        UInt64(bigEndian: raw.loadUnaligned(as: UInt64.self)),
        UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      )
    }
    for effect in effects where effect.id == id { return }
    effects.append(
      Effect(
        rule: keep(rule), ruleHash: keep(ruleHash), isShadow: isShadow, type: type, entityType: keep(entityType),
        entity: keep(entity), isSubject: entityType == "UserId" || entityType == "AtUri", value: keep(value),
        expiresAtMs: expiresSeconds.map { clockMs + $0 * 1000 },
        hours: expiresSeconds.map { ($0 + 3599) / 3600 }, comment: keep(comment), id: id))
  }

  // MARK: Fitting into a message

  /// Leaves out the longest feature that is still in; false where none is left.
  func cutLongestFeature() -> Bool {
    var longest: (index: Int, count: Int)?
    for (index, feature) in features.enumerated() where !feature.isCut {
      let count = size(feature)
      if count > longest?.count ?? 0 { longest = (index, count) }
    }
    guard let longest else { return false }
    features[longest.index].isCut = true
    return true
  }

  private func size(_ feature: Feature) -> Int {
    switch feature.value {
    case .text(let slice): return slice.count
    case .list(let first, let count):
      return items[first..<first + count].reduce(0) { $0 + $1.count + 3 }
    default: return 0
    }
  }

  /// Empties the comments of all effects.
  func cutComments() {
    for index in effects.indices { effects[index].comment = .none }
  }
}
