import Osprey

/// A rule that wanted to act more often than a quota allows; it is shadow from now on.
package struct QuotaTrip: Sendable, Equatable, CustomStringConvertible {
  package enum Period: String, Sendable { case hour, day }

  package var rule: String
  /// The kind of effect whose quota in all is used up; nil where it is the rule's own quota.
  package var kind: EffectKind?
  package var limit: Int
  package var period: Period
  /// Milliseconds of event time at which the rule acts again; nil: when the rules are loaded again.
  package var untilMs: Int64?

  package var description: String {
    let used =
      kind.map { "all rules together have given \(limit) effects of kind \($0.text)" }
      ?? "it has acted on \(limit) events"
    return "the rule \(rule) is shadow "
      + (untilMs == nil ? "until the rules are loaded again" : "until the end of the \(period.rawValue)")
      + ": \(used) this \(period.rawValue), which is the quota"
  }
}

/// Counts what rules do against their quotas, per hour and day of event time (UTC).
///
/// A rule acts when at least one of its effects is given; that counts once per event towards its own quota, and each effect
/// towards the quota of its kind. Where one is used up, the rule becomes shadow until the hour or day is over; where it is the
/// one for takedowns, until the rules are loaded again, because somebody should look. Loading ends every trip; counts stay.
struct QuotaBook {
  /// What was counted in the latest hour and day.
  struct Count {
    var hour: Int64 = .min
    var day: Int64 = .min
    var inHour: Int64 = 0
    var inDay: Int64 = 0

    mutating func advance(to clockMs: Int64) {
      let (nowHour, nowDay) = (floorDivide(clockMs, 3_600_000), floorDivide(clockMs, 86_400_000))
      if nowHour > hour { (hour, inHour) = (nowHour, 0) }
      if nowDay > day { (day, inDay) = (nowDay, 0) }
    }

    /// The period in which `more` would be too many.
    func exceeded(by more: Int64, _ quota: Quota) -> (QuotaTrip.Period, Int, endMs: Int64)? {
      if let limit = quota.hour, inHour + more > limit { return (.hour, limit, (hour + 1) * 3_600_000) }
      if let limit = quota.day, inDay + more > limit { return (.day, limit, (day + 1) * 86_400_000) }
      return nil
    }

    mutating func add(_ more: Int64) {
      inHour += more
      inDay += more
    }
  }

  struct Rule {
    /// Hash of the rule's name.
    var name: UInt64
    /// The rule is shadow as long as the clock is below; `.max`: until the rules are loaded again.
    var shadowUntil: Int64 = .min
    var count = Count()
  }

  /// In the order of the rule set that judges now.
  var rules: [Rule] = []
  var kinds = [Count](repeating: Count(), count: EffectKind.allCases.count)
  /// Whether any rule may be shadow because of a quota.
  private(set) var hasTripped = false

  /// Puts the rules into the order of another set, known by the hashes of their names.
  mutating func arrange(_ names: [UInt64], keepsTrips: Bool) {
    var known: [UInt64: Rule] = [:]
    for rule in rules { known[rule.name] = rule }
    rules = names.map { name in
      var rule = known[name] ?? Rule(name: name)
      if !keepsTrips { rule.shadowUntil = .min }
      return rule
    }
    hasTripped = rules.contains { $0.shadowUntil != .min }
  }

  @inline(__always)
  func isOver(_ rule: Int, clockMs: Int64) -> Bool { hasTripped && rules[rule].shadowUntil > clockMs }

  /// Counts one act of `rule` that gives `effects`, per kind how many. Where a quota forbids it, nothing is counted, the rule is
  /// shadow from now on, and the trip is returned.
  mutating func act(
    _ rule: Int, effects: [Int64], clockMs: Int64, own: Quota?, inAll: [Quota?]
  ) -> (kind: EffectKind?, period: QuotaTrip.Period, limit: Int, untilMs: Int64)? {
    rules[rule].count.advance(to: clockMs)
    if let own, let (period, limit, end) = rules[rule].count.exceeded(by: 1, own) {
      return trip(rule, nil, period, limit, end)
    }
    for kind in EffectKind.allCases where effects[Int(kind.rawValue)] > 0 {
      let index = Int(kind.rawValue)
      kinds[index].advance(to: clockMs)
      guard let quota = inAll[index] else { continue }
      if let (period, limit, end) = kinds[index].exceeded(by: effects[index], quota) {
        return trip(rule, kind, period, limit, kind == .takedown ? .max : end)
      }
    }
    rules[rule].count.add(1)
    for index in effects.indices where effects[index] > 0 { kinds[index].add(effects[index]) }
    return nil
  }

  private mutating func trip(
    _ rule: Int, _ kind: EffectKind?, _ period: QuotaTrip.Period, _ limit: Int, _ untilMs: Int64
  ) -> (EffectKind?, QuotaTrip.Period, Int, Int64) {
    rules[rule].shadowUntil = max(rules[rule].shadowUntil, untilMs)
    hasTripped = true
    return (kind, period, limit, untilMs)
  }
}

/// Rounds towards minus infinity.
func floorDivide(_ value: Int64, _ by: Int64) -> Int64 {
  let quotient = value / by
  return value % by < 0 ? quotient - 1 : quotient
}
