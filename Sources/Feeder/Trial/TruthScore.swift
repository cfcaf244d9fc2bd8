import ATProto
import Osprey
import Rules

/// Holds the hits of a rule set against the truth.
///
/// An *event* of a campaign is found when a live rule hits it, or when an effect of a live rule names its address. An *account*
/// of a campaign is found when one of its events in that campaign is, or when an effect of a rule that hit such an event names
/// the account. A hit is false when its event is in no campaign; an account that was hit is a false one when it is in no
/// campaign at all. A rule belongs to the campaign in which most of the accounts lie that it found. What rules do with
/// damaged frames is left out.
package final class TruthScore: @unchecked Sendable {
  // Unchecked: used by the judging thread, and by the owner before it starts and after it has ended.

  /// What one rule hit.
  private struct Tally {
    var hits = 0
    var falseHits = 0
    /// Hits by campaign.
    var inCampaign: [Int: Int] = [:]
    /// Accounts found, by campaign.
    var found: [Int: Set<String>] = [:]
    /// Accounts the rule hit or named.
    var accounts: Set<String> = []
  }

  private let truth: Truth
  private let rules: [RuleDefinition]
  private var tallies: [Tally]
  /// Entries of the truth that came by, and those that were found.
  private var seen: Set<Int> = []
  private var foundEvents: Set<Int> = []
  private let campaignAccounts: Set<String>

  package init(_ truth: Truth, rules: [RuleDefinition]) {
    self.truth = truth
    self.rules = rules
    tallies = rules.map { _ in Tally() }
    campaignAccounts = Set(truth.entries.map(\.did))
  }

  /// Takes what the rules said about an action.
  func note(_ action: Action, _ outcomes: RuleOutcomes, _ verdict: Verdict) {
    let entry = truth.find(sequence: action.sequence, did: action.did, uri: action.uri)
    if let entry { seen.insert(entry) }
    guard outcomes.contains(where: { $0.outcome == .hit }), !truth.malformedSequences.contains(action.sequence) else {
      return
    }
    for (rule, outcome) in outcomes where outcome == .hit {
      hit(rule, action, entry)
      name(rule, entry, verdict)
    }
  }

  private func hit(_ rule: Int, _ action: Action, _ entry: Int?) {
    let did = action.did.string
    tallies[rule].hits += 1
    tallies[rule].accounts.insert(did)
    guard let entry else {
      tallies[rule].falseHits += 1
      return
    }
    let campaign = truth.entries[entry].campaign
    tallies[rule].inCampaign[campaign, default: 0] += 1
    tallies[rule].found[campaign, default: []].insert(did)
    if rules[rule].mode == .live { foundEvents.insert(entry) }
  }

  /// Accounts and records that effects of the rule name besides the event's own.
  private func name(_ rule: Int, _ entry: Int?, _ verdict: Verdict) {
    for effect in verdict.effects where matches(verdict[effect.rule], rules[rule].name) {
      let entity = verdict[effect.entity]
      let isRecord = entity.count > 5 && entity[Slice(offset: 0, count: 5)] == "at://"
      let did = isRecord ? Self.account(of: entity) : entity.string
      guard !did.isEmpty else { continue }
      tallies[rule].accounts.insert(did)
      let named = isRecord ? truth.entry(uri: entity) : nil
      if let named, rules[rule].mode == .live { foundEvents.insert(named) }
      guard let campaign = (named ?? entry).map({ truth.entries[$0].campaign }) else { continue }
      tallies[rule].found[campaign, default: []].insert(did)
    }
  }

  private func matches(_ bytes: Bytes, _ name: String) -> Bool { name.utf8.elementsEqual(bytes.raw) }

  /// The account in `at://ACCOUNT/…`.
  private static func account(of uri: Bytes) -> String {
    let rest = uri[Slice(offset: 5, count: uri.count - 5)]
    return String(rest.string.prefix { $0 != "/" })
  }

  // MARK: The result

  /// How well one rule, one campaign or all rules together did. Shares are nil where there is nothing to share.
  package struct Score: Sendable, Equatable {
    /// Events of the campaign that came by, and those that were found.
    package var events = 0
    package var foundEvents = 0
    package var accounts = 0
    package var foundAccounts = 0
    /// Hits, and those on events of no campaign.
    package var hits = 0
    package var falseHits = 0
    /// Accounts hit or named, and those in no campaign.
    package var hitAccounts = 0
    package var falseAccounts = 0

    package var recall: Double? { accounts == 0 ? nil : Double(foundAccounts) / Double(accounts) }
    package var precision: Double? { hitAccounts == 0 ? nil : 1 - Double(falseAccounts) / Double(hitAccounts) }
    package var eventRecall: Double? { events == 0 ? nil : Double(foundEvents) / Double(events) }
    package var eventPrecision: Double? { hits == 0 ? nil : 1 - Double(falseHits) / Double(hits) }
  }

  package struct Result: Sendable {
    /// By name, sorted.
    package var campaigns: [(name: String, score: Score, rules: [String])]
    /// By rule, in rule order: its own score against the campaign it belongs to; nil without one.
    package var rules: [(name: String, campaign: String?, score: Score)]
    /// All live rules together.
    package var all: Score

    /// The worst of the campaigns counts, and false hits count also where they are of a rule that found nothing.
    package var precision: Double? { (campaigns.map(\.score.precision) + [all.precision]).compactMap { $0 }.min() }
    package var recall: Double? { campaigns.compactMap(\.score.recall).min() }
  }

  /// What came of it. After the trial.
  package var result: Result {
    let home = tallies.map { tally in
      tally.found.max { ($0.value.count, $1.key) < ($1.value.count, $0.key) }?.key
    }
    var accounts: [Set<String>] = truth.campaigns.map { _ in [] }
    var all = Score()
    var campaigns = truth.campaigns.indices.map { _ in Score() }
    for index in seen {
      let entry = truth.entries[index]
      accounts[entry.campaign].insert(entry.did)
      campaigns[entry.campaign].events += 1
      if foundEvents.contains(index) { campaigns[entry.campaign].foundEvents += 1 }
    }
    let live = rules.indices.filter { rules[$0].mode == .live }
    for campaign in campaigns.indices {
      let found = live.reduce(into: Set<String>()) { $0.formUnion(tallies[$1].found[campaign] ?? []) }
      campaigns[campaign].accounts = accounts[campaign].count
      campaigns[campaign].foundAccounts = accounts[campaign].intersection(found).count
      add(live.filter { home[$0] == campaign }, to: &campaigns[campaign])
      all.events += campaigns[campaign].events
      all.foundEvents += campaigns[campaign].foundEvents
      all.accounts += campaigns[campaign].accounts
      all.foundAccounts += campaigns[campaign].foundAccounts
    }
    add(live, to: &all)
    return Result(
      campaigns: campaigns.indices.filter { campaigns[$0].events > 0 }.map { campaign in
        let rules = live.filter { home[$0] == campaign }.map { self.rules[$0].name }
        return (truth.campaigns[campaign], campaigns[campaign], rules)
      },
      rules: rules.indices.map { rule in
        var score = Score()
        add([rule], to: &score)
        if let campaign = home[rule] {
          score.events = campaigns[campaign].events
          score.foundEvents = tallies[rule].inCampaign[campaign] ?? 0
          score.accounts = accounts[campaign].count
          score.foundAccounts = accounts[campaign].intersection(tallies[rule].found[campaign] ?? []).count
        }
        return (rules[rule].name, home[rule].map { truth.campaigns[$0] }, score)
      }, all: all)
  }

  /// Adds what these rules hit; an account that several of them hit counts once.
  private func add(_ rules: [Int], to score: inout Score) {
    var hit: Set<String> = []
    for rule in rules {
      score.hits += tallies[rule].hits
      score.falseHits += tallies[rule].falseHits
      hit.formUnion(tallies[rule].accounts)
    }
    score.hitAccounts += hit.count
    score.falseAccounts += hit.subtracting(campaignAccounts).count
  }
}
