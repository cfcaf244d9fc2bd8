import Foundation

/// What happens besides everyday traffic, as `campaigns.json` says it. The file explains every member.
package struct CampaignPlan: Sendable, Codable, Equatable {
  /// An account whose name others imitate. Its DID is fixed, so that a rule may list it.
  package struct KnownAccount: Sendable, Codable, Equatable {
    package var name: String
    package var handle: String
    package var did: String
  }

  /// One kind of campaign or of honest behaviour that looks like one.
  package struct Play: Sendable, Codable, Equatable {
    package var about: String
    package var everyEvents: Int
    package var firstEvent: Int
    package var accounts: [Int]
    package var eventsPerAccount: [Int]
    package var spreadMs: [Int]
    package var gapMs: [Int]
    package var linksPerPost: [Int]?
    package var domains: [Int]?
    package var mentionsPerPost: [Int]?
    package var tagsPerPost: [Int]?
    package var batch: [Int]?
    package var disguisedPercent: Int?

    private enum CodingKeys: String, CodingKey {
      case about, accounts, domains, batch
      case everyEvents = "every_events"
      case firstEvent = "first_event"
      case eventsPerAccount = "events_per_account"
      case spreadMs = "spread_ms"
      case gapMs = "gap_ms"
      case linksPerPost = "links_per_post"
      case mentionsPerPost = "mentions_per_post"
      case tagsPerPost = "tags_per_post"
      case disguisedPercent = "disguised_percent"
    }
  }

  /// Why a plan is refused.
  package enum Problem: Error, Sendable, Equatable {
    /// Not the JSON that is expected; the parser's words.
    case unreadable(String)
    /// A campaign or hard negative that the simulator does not know.
    case unknownName(String)
    /// `member` of `play` is out of range: ranges are `[low, high]` with 0 ≤ low ≤ high, periods at least 1.
    case badNumber(play: String, member: String)
    /// Not did:plc with 24 characters.
    case badDID(String)
  }

  package var version: Int
  package var about: [String]
  package var knownAccounts: [KnownAccount]
  package var campaigns: [String: Play]
  package var hardNegatives: [String: Play]

  private enum CodingKeys: String, CodingKey {
    case version, about, campaigns
    case knownAccounts = "known_accounts"
    case hardNegatives = "hard_negatives"
  }

  /// The project's own plan, compiled in from `campaigns.json`.
  package static let standard: CampaignPlan = {
    do {
      return try CampaignPlan(json: PackageResources.campaigns_json)
    } catch {
      preconditionFailure("campaigns.json is our own and tested: \(error)")
    }
  }()

  /// Parses a plan; the standard one goes through here too.
  package init(json: [UInt8]) throws(Problem) {
    do {
      self = try JSONDecoder().decode(CampaignPlan.self, from: Data(json))
    } catch {
      throw .unreadable(String(describing: error))
    }
    try check()
  }

  private func check() throws(Problem) {
    for account in knownAccounts where !Self.isPLC(account.did) { throw .badDID(account.did) }
    for (name, play) in campaigns.sorted(by: { $0.key < $1.key }) {
      guard PlayKind(rawValue: name)?.isAbuse == true else { throw .unknownName(name) }
      try play.check(name)
    }
    for (name, play) in hardNegatives.sorted(by: { $0.key < $1.key }) {
      guard PlayKind(rawValue: name)?.isAbuse == false else { throw .unknownName(name) }
      try play.check(name)
    }
  }

  private static func isPLC(_ did: String) -> Bool {
    did.utf8.count == 32 && did.hasPrefix("did:plc:")
      && did.utf8.dropFirst(8).allSatisfy { ($0 >= 97 && $0 <= 122) || ($0 >= 50 && $0 <= 55) }
  }

  /// The numbers of a play, if the plan has it.
  func play(_ kind: PlayKind) -> Play? {
    kind.isAbuse ? campaigns[kind.rawValue] : hardNegatives[kind.rawValue]
  }
}

extension CampaignPlan.Play {
  fileprivate func check(_ name: String) throws(CampaignPlan.Problem) {
    guard everyEvents >= 1 else { throw .badNumber(play: name, member: "every_events") }
    guard firstEvent >= 0 else { throw .badNumber(play: name, member: "first_event") }
    let ranges: [(String, [Int]?, ClosedRange<Int>)] = [
      ("accounts", accounts, 1...10_000), ("events_per_account", eventsPerAccount, 1...100_000),
      ("spread_ms", spreadMs, 0...86_400_000), ("gap_ms", gapMs, 0...86_400_000),
      ("links_per_post", linksPerPost, 0...20), ("domains", domains, 1...50),
      ("mentions_per_post", mentionsPerPost, 1...30), ("tags_per_post", tagsPerPost, 0...50), ("batch", batch, 1...200),
    ]
    for (member, range, allowed) in ranges {
      guard let range else { continue }
      guard range.count == 2, range[0] <= range[1], allowed.contains(range[0]), allowed.contains(range[1]) else {
        throw .badNumber(play: name, member: member)
      }
    }
    guard (0...100).contains(disguisedPercent ?? 0) else { throw .badNumber(play: name, member: "disguised_percent") }
  }
}

extension Random {
  /// A number in the range `[low, high]` of a plan, or in `fallback` where the plan has none.
  mutating func within(_ range: [Int]?, or fallback: ClosedRange<Int> = 1...1) -> Int {
    guard let range, range.count == 2, range[0] <= range[1] else { return within(fallback) }
    return within(range[0]...range[1])
  }
}
