/// What a synthetic network is made from. Equal configurations give equal bytes.
package struct SimulatorConfiguration: Sendable {
  /// Everything random follows from it.
  package var seed: UInt64
  /// Everyday accounts. Newsrooms, known accounts, newcomers and abusers come on top.
  package var accounts: Int
  /// What happens besides everyday traffic.
  package var campaigns: CampaignPlan
  /// Share of malformed frames in a million frames. They come on top of the valid ones.
  package var malformedPerMillion: Int
  /// The first frame's seq. Over 2^32, so that every seq has the same width on the wire.
  package var startSeq: Int64
  /// The first frame's time, microseconds since 1970.
  package var startTime: UInt64
  /// Frames per second of stream time.
  package var eventsPerSecond: Int
  /// Frames in all, where that is known. In the last minute of stream time (at most a tenth of the run) no play begins: of
  /// a campaign cut off after its first events nobody could say what it is.
  package var framesMax: Int?
  /// How large repositories are at the start, in percent of real ones. Less starts faster and gives smaller frames.
  package var repositoryPercent: Int

  /// 2026-07-04T14:38:08.000Z: files written with the same seed are the same on every day.
  package static let defaultStartTime: UInt64 = 1_783_175_888_000_000
  /// About where bsky.network stood in July 2026.
  package static let defaultStartSeq: Int64 = 31_527_015_322

  /// `accounts` is raised to 64 and cut to 1,000,000, `eventsPerSecond` kept in 1 … 1,000,000.
  ///
  /// Without `eventsPerSecond` stream time runs at one event a second for 20 accounts (at least 10, at most 1,000 a
  /// second), so that one account does about as much per minute in a small network as in the default one.
  package init(
    seed: UInt64 = 1, accounts: Int = 20_000, campaigns: CampaignPlan = .standard, malformedPerMillion: Int = 0,
    startSeq: Int64 = SimulatorConfiguration.defaultStartSeq,
    startTime: UInt64 = SimulatorConfiguration.defaultStartTime, eventsPerSecond: Int? = nil,
    repositoryPercent: Int = 100, framesMax: Int? = nil
  ) {
    self.framesMax = framesMax
    self.seed = seed
    self.accounts = min(max(accounts, 64), 1_000_000)
    self.campaigns = campaigns
    self.malformedPerMillion = min(max(malformedPerMillion, 0), 1_000_000)
    self.startSeq = max(startSeq, 1 << 32)
    self.startTime = startTime
    self.repositoryPercent = min(max(repositoryPercent, 1), 1_000)
    self.eventsPerSecond = min(max(eventsPerSecond ?? min(max(self.accounts / 20, 10), 1_000), 1), 1_000_000)
  }
}
