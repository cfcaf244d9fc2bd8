/// What effects leave behind for later events: which were given lately, so that they are not given twice, and which labels
/// entities have. Bounded by `RuleLimits`, in stream time; where it is full, what was not asked for longest is forgotten.
struct EffectMemory: ~Copyable {
  /// A label of an entity.
  struct Mark {
    /// Milliseconds of stream time; `.max` without expiry.
    var expires: Int64 = .min
    /// How often the label was given after a removal, or removed after having been given.
    var generation: UInt32 = 0
    var isGiven: UInt32 = 0
  }

  var given: KeyedTable
  /// Until when the same effect is not given again, ms of stream time.
  var givenUntil: [Int64] = []
  var marked: KeyedTable
  var marks: [Mark] = []
  /// Labels that were given, sorted by their bytes.
  var names: [[UInt8]] = []

  init(givenMax: Int, marksMax: Int) {
    given = KeyedTable(capacity: givenMax)
    marked = KeyedTable(capacity: marksMax)
  }

  // MARK: Not twice

  /// Whether the effect may be given at `clockMs`.
  mutating func isNew(_ key: StateKey, clockMs: Int64) -> Bool {
    guard let slot = given.find(key) else { return true }
    return givenUntil[slot] <= clockMs
  }

  /// Notes that the effect was given.
  mutating func note(_ key: StateKey, untilMs: Int64) {
    let slot = given.find(key) ?? given.insert(key).slot
    while givenUntil.count <= slot { givenUntil.append(.min) }
    givenUntil[slot] = untilMs
  }

  // MARK: Labels

  /// The generation an effect that gives (or removes) the label belongs to: a new one wherever the other came before it. It is
  /// part of what effects are told apart by, so a label given again after a removal is no repetition.
  func generation(_ label: StateKey, gives: Bool) -> UInt32 {
    guard let slot = marked.peek(label) else { return 1 }
    return marks[slot].isGiven == (gives ? 1 : 0) ? marks[slot].generation : marks[slot].generation &+ 1
  }

  /// Notes that the label was given until `expires`, or removed.
  mutating func mark(_ label: StateKey, gives: Bool, expires: Int64) {
    let generation = generation(label, gives: gives)
    let slot = marked.find(label) ?? marked.insert(label).slot
    while marks.count <= slot { marks.append(Mark()) }
    marks[slot] = Mark(expires: gives ? expires : .min, generation: generation, isGiven: gives ? 1 : 0)
  }

  /// Whether the label is there at `clockMs`.
  func has(_ label: StateKey, clockMs: Int64) -> Bool {
    guard let slot = marked.peek(label) else { return false }
    return marks[slot].isGiven == 1 && marks[slot].expires > clockMs
  }

  /// Remembers the name of a label, so that it can be listed. Past `RuleLimits.labelNamesMax` names, new ones are not.
  mutating func remember(_ name: [UInt8]) {
    var low = 0
    var high = names.count
    while low < high {
      let middle = (low + high) / 2
      if names[middle].lexicographicallyPrecedes(name) { low = middle + 1 } else { high = middle }
    }
    if low < names.count, names[low] == name { return }
    if names.count < RuleLimits.labelNamesMax { names.insert(name, at: low) }
  }
}
