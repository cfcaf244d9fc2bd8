import ATProto
import CLuaHost
import Osprey
import Synchronization

/// A failure of one rule on one event, for the log.
package struct RuleFault: Sendable {
  package var rule: String
  /// What happened, with file and line where Lua knew them.
  package var message: String
  package var uri: String
  package var did: String
  /// Whether a budget ended it.
  package var isKill: Bool
  /// Whether the rule has been set aside because of it.
  package var isSetAside: Bool
}

/// What judging one action came to.
package struct JudgeResult: Equatable, Sendable {
  /// Rules that ran; 0 where the event never entered Lua.
  package var evaluated = 0
  package var hits = 0
  package var shadowHits = 0
  package var errors = 0
  /// Rules that did not run because the event's time was used up.
  package var skipped = 0

  /// Whether the verdict is to be published under the default of `--verdicts`.
  package var hasHit: Bool { hits + shadowHits > 0 }
}

/// What rules found, by their position in the set.
package typealias RuleOutcomes = UnsafeBufferPointer<(rule: Int, outcome: Verdict.Outcome)>

/// A loaded rule set and the Lua state it runs in.
///
/// Made by `load`, then used by one thread. Counters and distinct values live in `state`, which outlives a reload.
// @unchecked: handed from the thread that loads it to the judge's thread and never used by both; `counters` may be read anywhere.
package final class RuleHost: @unchecked Sendable {
  package internal(set) var rules: [RuleDefinition] = []
  /// Rules that rules of the same name in local/ have replaced.
  package internal(set) var overridden: [RuleDefinition] = []
  /// What `labels.lua` says; nil where there is none, and any label goes.
  package internal(set) var labels: [LabelDefinition]?
  /// Names of the features of `features.lua`.
  package internal(set) var sharedFeatures: [String] = []
  /// `__ruleset`: `sha256:` and the hash over all files.
  package internal(set) var hash = ""
  /// Numbers per rule, by position in `rules`.
  package internal(set) var counters = RuleCounters(count: 0)
  /// Called for a rule that failed, at most once a second of stream time per rule.
  package var onFault: ((RuleFault) -> Void)?
  /// Called when a quota makes a rule shadow.
  package var onQuota: ((QuotaTrip) -> Void)?

  var lua: OpaquePointer?
  /// Another one only between the cases of `rules test`.
  var state: RuleState
  let facts: EventFacts
  let text: TextLibrary
  /// Set when loading begins.
  var lists: ListStore?
  var index = RuleIndex([])
  var features: FeatureBuffer
  var loading = LoadingState()
  /// Lists and patterns that were wrong while the files were run.
  var loadProblems: [RuleError] = []
  /// The file that runs now.
  var loadingPath = ""
  private var faults: [FaultHistory] = []
  /// What the rules that ran on the last judged action found, in rule order. Valid until the next one is judged.
  package var outcomes: RuleOutcomes { RuleOutcomes(start: outcomeRoom, count: outcomeCount) }
  /// Room for one outcome a rule: an event has forty of them, and an array would ask of each whether it is shared.
  private var outcomeRoom = UnsafeMutablePointer<RuleOutcomes.Element>.allocate(capacity: 1)
  private var outcomeCount = 0
  private(set) var effects = EffectGiver([], quotas: [:])
  /// What `rules/quotas.lua` says, or nothing.
  package internal(set) var quotas: [EffectKind: Quota] = [:]
  /// Files of lib/ while the set is loaded, by the name `use` has for them.
  var libraries: [String: ByteWriter] = [:]
  var counterNames = CounterNames()
  private var showsPrivateFeatures = false
  private var timeKills = 0
  /// The rule that runs now.
  private(set) var current = 0
  /// Writes down what the rules look at while an event is explained; nil while events are judged.
  var tracer: RuleTracer?
  /// Sees the compiled files while `rules check` loads them; nil else.
  var inspector: LoadInspector?
  /// The set is repeated to so many rules while it loads; 0: it is not.
  var rulesWanted = 0
  /// Which copy each rule is; empty where the set is not repeated.
  private(set) var copies: [Int] = []
  /// Per rule what its crossings are filed under, stable across reloads.
  var crossingKeys: [UInt64] = []

  /// Tells rule sets apart that share a state.
  let serial = RuleHost.serials.add(1, ordering: .relaxed).newValue
  private static let serials = Atomic<Int>(0)

  init(state: RuleState, text: TextLibrary) {
    self.state = state
    self.text = text
    facts = EventFacts(text)
    features = FeatureBuffer(types: FeatureTypes(reserved: []))
  }

  deinit {
    lh_destroy(lua)
    outcomeRoom.deallocate()
  }

  /// Bytes the Lua state holds.
  package var memoryBytes: Int { lh_memory(lua) }

  /// Says which rules apply to `action` and what they find. `verdict` is filled where a rule hit, or always under `fillsAlways`;
  /// else it is left empty. The action's bytes must stay in place until this returns; nothing of them is kept.
  package func judge(_ action: Action, into verdict: Verdict, fillsAlways: Bool = false) -> JudgeResult {
    verdict.removeAll()
    outcomeCount = 0
    var result = JudgeResult()
    let (range, isExact) = index.rules(for: action)
    effects.begin()
    if range.isEmpty {
      if fillsAlways { fill(verdict, action, micros: 0, errors: 0) }
      return result
    }
    facts.begin(action)
    features.removeAll()
    lh_begin_event(lua)
    var nanoseconds: Int64 = 0
    var instructions: Int64 = 0
    timeKills = 0
    // Members once, not once for each rule: each is a retain and a release.
    let (index, counters, lua, tracer) = (index, counters, lua, tracer)
    let found = outcomeRoom
    var foundCount = 0
    precondition(range.count <= rules.count)
    for position in range {
      let member = index.member(at: position)
      let rule = Int(member.rule)
      if !isExact, !index.accepts(rule, action.collection) { continue }
      if counters.isSetAside(rule) {
        tracer?.note(rule, .setAside)
        continue
      }
      if instructions > RuleLimits.eventInstructionsMax || timeKills >= RuleLimits.eventTimeKillsMax {
        result.skipped += 1
        tracer?.note(rule, .outOfBudget)
        continue
      }
      result.evaluated += 1
      var used: Int64 = 0
      let known = Int(lh_known(lua, member.function, &used))
      if known != LH_UNKNOWN {
        instructions += used
        counters.addKnown(rule, isSkip: known == LH_NOT_APPLICABLE)
        found[foundCount] = (rule, known == LH_NOT_APPLICABLE ? .notApplicable : .miss)
        foundCount += 1
        continue
      }
      let outcome = run(rule, member.function, action, counters)
      nanoseconds += lh_elapsed_ns(lua)
      instructions += lh_used(lua)
      tracer?.end(outcome, instructions: lh_used(lua), nanoseconds: lh_elapsed_ns(lua))
      found[foundCount] = (rule, outcome)
      foundCount += 1
      switch outcome {
      case .hit: if rules[rule].mode == .live { result.hits += 1 } else { result.shadowHits += 1 }
      case .failed: result.errors += 1
      case .miss, .notApplicable: break
      }
    }
    outcomeCount = foundCount
    if result.hasHit {
      let downgraded = giveEffects(action)
      result.hits -= downgraded
      result.shadowHits += downgraded
    }
    lh_end_event(lua)
    if result.hasHit || fillsAlways { fill(verdict, action, micros: nanoseconds / 1000, errors: result.errors) }
    return result
  }

  /// Decides which effects of the rules that hit are given. Returns how many live rules are shadow because of a quota.
  private func giveEffects(_ action: Action) -> Int {
    state.arrange(for: self)
    var downgraded = 0
    for (rule, outcome) in outcomes where outcome == .hit {
      if effects.take(rule, action, self) { downgraded += 1 }
    }
    return downgraded
  }

  private func run(_ rule: Int, _ function: Int32, _ action: Action, _ counters: RuleCounters) -> Verdict.Outcome {
    current = rule
    features.begin(rule: rule)
    tracer?.begin(rule)
    var hit: Int32 = 0
    let code = lh_run(lua, function, &hit)
    counters.addTime(rule, Int(lh_elapsed_ns(lua)))
    counters.notePeak(rule, Int(lh_used(lua)))
    guard code == LH_OK else {
      fail(rule, action, code: Int(code))
      return .failed
    }
    features.finish()
    switch Int(hit) {
    case LH_HIT:
      counters.add(.hits, rule)
      return .hit
    case LH_NOT_APPLICABLE:
      counters.add(.skips, rule)
      return .notApplicable
    default: return .miss
    }
  }

  /// Counts a fault, tells who listens, and sets the rule aside where it was one too many.
  private func fail(_ rule: Int, _ action: Action, code: Int) {
    let message = features.error ?? String(cString: lh_error(lua))
    let isFeatureError = features.error != nil
    tracer?.error = message
    features.drop()
    counters.add(.errors, rule)
    if code == LH_KILLED_TIME { timeKills += 1 }
    if code != LH_ERROR { counters.add(.kills, rule) }
    let isSetAside = faults[rule].note(at: action.clockMs)
    if isSetAside { counters.setAside(rule) }
    guard let onFault, isSetAside || faults[rule].maySpeak(at: action.clockMs) else { return }
    let definition = rules[rule]
    onFault(
      RuleFault(
        rule: definition.name, message: isFeatureError ? "\(definition.file):\(definition.line): \(message)" : message,
        uri: action.uri.string, did: action.did.string, isKill: code != LH_ERROR, isSetAside: isSetAside))
  }

  // MARK: Filling the verdict

  private func fill(_ verdict: Verdict, _ action: Action, micros: Int64, errors: Int) {
    if micros == 0 && index.rules(for: action).range.isEmpty {
      facts.begin(action)
      features.removeAll()
    }
    verdict.evaluationMicros = micros
    verdict.errorCount = errors
    facts.addDefaultFeatures(to: verdict)
    features.add(to: verdict, withPrivate: showsPrivateFeatures)
    state.arrange(for: self)
    for (rule, outcome) in outcomes {
      let isOver = state.quotas.isOver(rule, clockMs: action.clockMs)
      withBytes(nameBytes[rule]) {
        verdict.addRule(
          name: $0, outcome: outcome, isShadow: rules[rule].mode == .shadow || isOver,
          isOverQuota: isOver && rules[rule].mode == .live)
      }
    }
    effects.write(to: verdict, action, self)
  }

  // MARK: Prepared at load, so that judging makes no text

  private(set) var nameBytes: [[UInt8]] = []
  private(set) var hashBytes: [[UInt8]] = []

  /// Called once after loading.
  func prepare(_ options: RuleOptions) {
    index = RuleIndex(rules)
    copies = rulesWanted > 0 ? rules.map(\.copy) : []
    counters = RuleCounters(count: rules.count)
    outcomeRoom.deallocate()
    outcomeRoom = .allocate(capacity: max(1, rules.count))
    faults = Array(repeating: FaultHistory(options.faultsMax), count: rules.count)
    features = FeatureBuffer(types: FeatureTypes(reserved: defaultFeatureNames.union(rules.map(\.name))))
    nameBytes = rules.map { Array($0.name.utf8) }
    hashBytes = rules.map { Array($0.fileHash.utf8) }
    crossingKeys = nameBytes.map { name in
      var hash = SipHash()
      withBytes(name) { hash.append($0.base, $0.count) }
      return hash.finish().low
    }
    effects = EffectGiver(rules, quotas: quotas)
    showsPrivateFeatures = options.showsPrivateFeatures
    // What stays out of the verdict, and what no effect names either, nobody has to be told.
    let named = Set(rules.flatMap(\.effects).flatMap(\.featureNames))
    for name in sharedFeatures where name.hasPrefix("_") && !named.contains(name) {
      if showsPrivateFeatures { features.untyped.append(Array(name.utf8)) } else { lh_silence_feature(lua, name) }
    }
  }
}

/// When a rule failed last: enough to know whether it did so too often within a minute of stream time.
struct FaultHistory {
  private var times: [Int64] = []
  private var next = 0
  private var lastSpoken = Int64.min
  private let most: Int

  /// `most` faults are one too many.
  init(_ most: Int) { self.most = most }

  /// Notes a fault; true where it is one too many.
  mutating func note(at clockMs: Int64) -> Bool {
    if times.count < most {
      times.append(clockMs)
      guard times.count == most else { return false }
      return clockMs - times[0] <= RuleLimits.faultWindowMs
    }
    times[next] = clockMs
    next = (next + 1) % times.count
    return clockMs - times[next] <= RuleLimits.faultWindowMs
  }

  /// At most once a second.
  mutating func maySpeak(at clockMs: Int64) -> Bool {
    guard lastSpoken == .min || clockMs - lastSpoken >= 1000 || clockMs < lastSpoken else { return false }
    lastSpoken = clockMs
    return true
  }
}
