import Signatures

/// The synthetic network: makes one frame after the other, always the same ones for the same configuration.
/// Belongs to one thread. `directory` may be used by others.
package final class World {
  package let configuration: SimulatorConfiguration
  let accounts: Accounts
  let templates: RepositoryTemplates
  let writer: RecordWriter
  let assembler = CommitAssembler()
  var states: [RepositoryState?]
  var random: Random
  var playRandom: Random
  var malformedRandom: Random
  var schedule = Schedule()
  /// The frame at which the next instance of each play starts.
  var nextStart: [Int]
  /// The frame from which on no play begins.
  let lastStart: Int
  /// The latest posts, for others to like, quote and answer.
  var recentPosts: [PostReference] = []
  var recentPostCount = 0
  var nextAbuser: Int
  var nextNewcomer: Int
  var busyNewsrooms: Set<Int> = []

  /// Frames made so far.
  package private(set) var frameCount = 0
  /// The present in stream time, microseconds since 1970.
  private(set) var now: UInt64

  static let recentPostsMax = 4_096
  /// After so many commits an account starts again from its template (and says so with `#sync`), so that memory does
  /// not grow with the length of the run.
  let commitsPerAccountMax: Int

  /// A network at its start. Takes about half a second; repositories are set up as accounts first act.
  package init(_ configuration: SimulatorConfiguration) {
    self.configuration = configuration
    accounts = Accounts(configuration)
    templates = RepositoryTemplates(seed: configuration.seed, percent: configuration.repositoryPercent)
    writer = RecordWriter(accounts: accounts)
    states = Array(repeating: nil, count: accounts.count)
    random = Random(seed: configuration.seed, stream: 1)
    playRandom = Random(seed: configuration.seed, stream: 2)
    malformedRandom = Random(seed: configuration.seed, stream: 3)
    nextStart = PlayKind.allCases.map { configuration.campaigns.play($0)?.firstEvent ?? .max }
    lastStart = configuration.framesMax.map { $0 - min($0 / 10, 60 * configuration.eventsPerSecond) } ?? .max
    nextAbuser = accounts.abusers.lowerBound
    nextNewcomer = accounts.newcomers.lowerBound
    now = configuration.startTime
    commitsPerAccountMax = min(max(3_000_000 / accounts.count, 64), 4_096)
    recentPosts.reserveCapacity(Self.recentPostsMax)
    seedRecentPosts()
  }

  /// DIDs, handles and DID documents; safe to use from any thread.
  package var directory: SimulatedDirectory { SimulatedDirectory(accounts: accounts) }

  /// Puts the next frame, signed, into `frame`.
  package func next(into frame: inout [UInt8]) -> FrameInfo {
    var draft = FrameDraft()
    swap(&draft.bytes, &frame)
    self.draft(into: &draft)
    draft.finish()
    swap(&draft.bytes, &frame)
    return draft.info
  }

  /// Puts the next frame into `draft`, complete but for its signature, which is most of the work and may be done
  /// elsewhere (`FrameDraft.finish`).
  package func draft(into draft: inout FrameDraft) {
    let number = UInt64(frameCount)
    let rate = UInt64(configuration.eventsPerSecond)
    now = configuration.startTime + number / rate * 1_000_000 + number % rate * 1_000_000 / rate
    draft.unsigned = nil
    draft.info = FrameInfo()
    draft.info.seq = configuration.startSeq + Int64(frameCount)
    draft.info.time = now
    frameCount += 1
    if configuration.malformedPerMillion > 0,
      malformedRandom.chance(configuration.malformedPerMillion, in: 1_000_000)
    {
      malformed(into: &draft)
      return
    }
    startDuePlays()
    switch schedule.next(at: now) {
    case .play(let play, let actor): perform(play, actor, into: &draft)
    case .reactivate(let account): accountStatus(account, isActive: true, status: nil, into: &draft)
    case nil: everyday(into: &draft)
    }
  }

  // MARK: - Parts of every frame

  /// The account's repository, set up at first use.
  func state(_ account: Int) -> RepositoryState {
    if let state = states[account] { return state }
    let isSmall = accounts.newcomers.contains(account) || accounts.abusers.contains(account)
    let trait = accounts.trait(5, of: account)
    let rev = TextFormat.tid(microseconds: configuration.startTime - 10_000_000 - trait % 1_000_000, clock: account)
    return RepositoryState(root: templates.root(trait: trait >> 20, isSmall: isSmall), rev: rev, lastRecord: 0)
  }

  /// A record key made a little before now, later than the account's last one; the time in it is the record's time.
  func recordKey(_ state: inout RepositoryState, _ account: Int, _ random: inout Random) -> (key: UInt64, time: UInt64)
  {
    let time = max(now - UInt64(20_000 + random.below(880_000)), (state.lastRecord >> 10) + 1)
    state.lastRecord = TextFormat.tid(microseconds: time, clock: account)
    return (state.lastRecord, time)
  }

  func envelope(_ account: Int, _ info: FrameInfo) -> CommitAssembler.Envelope {
    CommitAssembler.Envelope(
      seq: info.seq, time: info.time, rev: TextFormat.tid(microseconds: now, clock: account),
      did: accounts.did(account), key: accounts.signingKey(account))
  }

  /// Carries out what was planned in `assembler`.
  func commit(_ account: Int, _ state: inout RepositoryState, into draft: inout FrameDraft) {
    draft.info.kind = .commit
    draft.info.account = account
    assembler.commit(&state, envelope(account, draft.info), into: &draft)
    states[account] = state
    for operation in assembler.operations where operation.collection == .post && operation.action == .create {
      remember(PostReference(account: account, record: state.lastRecord, digest: operation.digest))
    }
  }

  func remember(_ post: PostReference) {
    if recentPosts.count < Self.recentPostsMax {
      recentPosts.append(post)
    } else {
      recentPosts[recentPostCount % Self.recentPostsMax] = post
    }
    recentPostCount += 1
  }

  /// A post to react to: the newer and the luckier more often.
  func recentPost(_ random: inout Random) -> PostReference {
    let back = min(random.below(recentPosts.count), random.below(recentPosts.count))
    let newest = recentPostCount % recentPosts.count + recentPosts.count - 1
    return recentPosts[(newest - back) % recentPosts.count]
  }

  /// Posts from before the start, so that the first likes have something to like.
  private func seedRecentPosts() {
    for number in 0..<256 {
      let time = configuration.startTime - UInt64(300 - number) * 1_000_000
      let account = random.below(accounts.everyday.count)
      let digest = withUnsafeBytes(of: (random.next(), random.next(), random.next(), random.next())) {
        Digest(copying: $0)
      }
      remember(
        PostReference(
          account: account, record: TextFormat.tid(microseconds: time, clock: account), digest: digest))
    }
  }

  /// `at://…` of a record that the frame creates.
  func uri(_ account: Int, _ key: TreeKey) -> String {
    "at://\(String(decoding: accounts.did(account), as: UTF8.self))/\(String(decoding: key.path, as: UTF8.self))"
  }
}

/// Who lives in a synthetic network. A value: safe to use from any thread.
package struct SimulatedDirectory: Sendable {
  let accounts: Accounts

  init(accounts: Accounts) { self.accounts = accounts }

  /// The accounts of a network as they are at its start, without making the network.
  package init(_ configuration: SimulatorConfiguration) { accounts = Accounts(configuration) }

  /// The DID document, as plc.directory serves it; nil for an unknown DID.
  package func document(_ did: String) -> [UInt8]? {
    accounts.account(did: did).map { accounts.document($0) }
  }

  /// Accounts in all.
  package var count: Int { accounts.count }

  /// The DID of account `number`.
  package func did(_ number: Int) -> String { String(decoding: accounts.did(number), as: UTF8.self) }

  /// One JSON line about account `number`: did, handle, created_at, pds, followers, follows, posts. No newline.
  package func line(_ number: Int) -> [UInt8] { accounts.directoryLine(number) }
}
