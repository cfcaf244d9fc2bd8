import ATProto
import Signatures

extension World {
  /// Starts the plays whose frame has come.
  func startDuePlays() {
    guard frameCount < lastStart else { return }
    for (index, kind) in PlayKind.allCases.enumerated() where frameCount > nextStart[index] {
      guard let numbers = configuration.campaigns.play(kind) else { continue }
      // Between three and five quarters of the period, so that plays do not march in step.
      nextStart[index] += max(1, numbers.everyEvents * (75 + playRandom.below(51)) / 100)
      var random = Random(seed: playRandom.next(), stream: UInt64(index))
      let actors = cast(kind, count: random.within(numbers.accounts), &random)
      guard !actors.isEmpty else { continue }
      let play = PlayInstance(kind, numbers, random, actors: actors)
      prepare(play)
      let spread = play.random.within(numbers.spreadMs, or: 0...0)
      for actor in actors.indices {
        schedule.add(.play(play, actor: actor), at: now + UInt64(play.random.below(spread * 1_000 + 1)))
      }
    }
  }

  /// Who takes part: abusers, newcomers and free newsrooms in turn, others by lot and each only once.
  private func cast(_ kind: PlayKind, count: Int, _ random: inout Random) -> [Int] {
    switch kind {
    case .linkFlood, .copyPaste, .massFollow, .mentionSpam, .lookalike, .replyFlood, .hashtagStuffing, .followChurn,
      .scam, .identityFlapping, .listAbuse:
      return (0..<count).map { _ in
        defer {
          nextAbuser = nextAbuser + 1 < accounts.abusers.upperBound ? nextAbuser + 1 : accounts.abusers.lowerBound
        }
        return nextAbuser
      }
    case .starterPack:
      return (0..<count).map { _ in
        defer {
          nextNewcomer =
            nextNewcomer + 1 < accounts.newcomers.upperBound ? nextNewcomer + 1 : accounts.newcomers.lowerBound
        }
        return nextNewcomer
      }
    case .newsBot:
      let rooms = accounts.newsrooms
      let start = random.below(rooms.count)
      let free = (0..<rooms.count).map { rooms.lowerBound + ($0 + start) % rooms.count }
        .filter { !busyNewsrooms.contains($0) }
      let chosen = Array(free.prefix(count))
      busyNewsrooms.formUnion(chosen)
      return chosen
    case .knownAccount:
      return accounts.known.isEmpty ? [] : [accounts.known.lowerBound + random.below(accounts.known.count)]
    case .meme, .sharedQuote, .conversation, .fanAccount, .questionHour, .photographer, .cleanUp, .scamTalk, .rename,
      .curator:
      let wanted = min(count, accounts.everyday.count)
      let start = random.below(accounts.everyday.count)
      let stride = coprimeStride(&random)
      return (0..<wanted).map { (start + $0 * stride) % accounts.everyday.count }
    }
  }

  /// A step that meets every everyday account before it meets one again.
  private func coprimeStride(_ random: inout Random) -> Int {
    func divisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : divisor(b, a % b) }
    while true {
      let stride = 1 + random.below(accounts.everyday.count)
      if divisor(accounts.everyday.count, stride) == 1 { return stride }
    }
  }

  /// What the actors of an instance have in common.
  private func prepare(_ play: PlayInstance) {
    play.strangers = play.random.below(accounts.everyday.count)
    play.stride = coprimeStride(&play.random)
    play.known =
      configuration.campaigns.knownAccounts.isEmpty ? 0 : play.random.below(configuration.campaigns.knownAccounts.count)
    switch play.kind {
    case .linkFlood:
      for _ in 0..<play.random.within(play.numbers.domains) {
        play.domains.append(
          "\(play.random.pick(PlayTexts.domainWords))-\(play.random.pick(PlayTexts.domainWords))\(play.random.below(9_000) + 1_000).test"
        )
      }
      let first = play.random.below(PlayTexts.flood.count)
      play.templates = (0..<3).map { PlayTexts.flood[(first + $0 * 3) % PlayTexts.flood.count] }
    case .copyPaste:
      play.text = """
        \(play.random.pick(PlayTexts.waveStarts)) \(play.random.pick(PlayTexts.waveMiddles)). \
        Case \(play.random.below(90_000) + 10_000), \(play.random.pick(PlayTexts.waveEnds))
        """
    case .mentionSpam: play.text = play.random.pick(PlayTexts.pitches)
    case .meme: play.text = play.random.pick(PlayTexts.memes)
    case .sharedQuote:
      // With a name and a year, so that two instances are two quotes.
      play.text = """
        \(play.random.pick(PlayTexts.quotes)) — \(play.random.pick(Names.second)), \(1_800 + play.random.below(220))
        """
    case .replyFlood: play.text = play.random.pick(PlayTexts.replyPitches)
    case .massFollow, .lookalike, .newsBot, .starterPack, .conversation, .fanAccount, .knownAccount, .hashtagStuffing,
      .followChurn, .scam, .identityFlapping, .listAbuse, .questionHour, .photographer, .cleanUp, .scamTalk, .rename,
      .curator:
      break
    }
  }

  /// Writes one frame of a play and puts the actor's next turn on the schedule.
  func perform(_ play: PlayInstance, _ actor: Int, into draft: inout FrameDraft) {
    let account = play.actors[actor]
    guard states[account]?.isActive ?? true else {
      // Away at the moment; the turn is taken later.
      schedule.add(.play(play, actor: actor), at: now + 30_000_000)
      everyday(into: &draft)
      return
    }
    draft.info.play = play.kind
    let done = act(play, actor, account, into: &draft)
    play.remaining[actor] -= done
    if play.remaining[actor] > 0 {
      let gap = play.random.within(play.numbers.gapMs, or: 0...0)
      schedule.add(.play(play, actor: actor), at: now + UInt64(gap) * 1_000)
    } else if play.kind == .newsBot {
      busyNewsrooms.remove(account)
    }
    guard play.kind.isAbuse else { return }
    let did = String(decoding: accounts.did(account), as: UTF8.self)
    func entry(_ uri: String?) -> TruthEntry {
      TruthEntry(uri: uri, did: did, campaign: play.kind.rawValue, seq: draft.info.seq)
    }
    draft.info.truth =
      draft.info.kind == .commit ? assembler.operations.map { entry(uri(account, $0.key)) } : [entry(nil)]
  }

  /// Plans and writes the frame; answers how many of the actor's events it holds.
  private func act(_ play: PlayInstance, _ actor: Int, _ account: Int, into draft: inout FrameDraft) -> Int {
    let isRename = [.lookalike, .fanAccount, .knownAccount].contains(play.kind)
    if play.kind == .identityFlapping || play.kind == .rename {
      identity(account, handle: anyHandle(play, actor, account), into: &draft)
      return 1
    }
    if isRename, play.remaining[actor] == 1, play.random.chance(play.kind == .lookalike ? 100 : 60) {
      identity(account, handle: newHandle(play, account), into: &draft)
      return 1
    }
    var state = state(account)
    var done = 1
    assembler.begin()
    switch play.kind {
    case .massFollow, .starterPack:
      // The last event of a starter pack is the newcomer's first post.
      if play.kind == .starterPack, play.remaining[actor] == 1 {
        plan(post: EverydayPost.make(time: now, self, &play.random).body, "en", account, &state, play)
      } else {
        let left = play.remaining[actor] - (play.kind == .starterPack ? 1 : 0)
        done = play.random.chance(50) ? 1 : min(left, play.random.within(play.numbers.batch))
        for _ in 0..<done { planFollow(account, &state, play) }
      }
    case .lookalike, .fanAccount, .knownAccount:
      planProfile(account, &state, name: newName(play), &play.random)
    case .linkFlood: planFlood(account, &state, play)
    case .newsBot: planHeadline(account, &state, play)
    case .mentionSpam: planMentions(account, &state, play)
    case .conversation: planReply(account, &state, play)
    case .copyPaste, .meme, .sharedQuote:
      let isDisguised = play.random.chance(play.numbers.disguisedPercent ?? 0)
      var body = TextBuilder()
      body.add(isDisguised ? Disguise.apply(to: play.text, &play.random) : play.text)
      plan(post: body, "en", account, &state, play)
    case .replyFlood, .hashtagStuffing, .followChurn, .scam, .listAbuse, .questionHour, .photographer, .cleanUp,
      .scamTalk, .curator, .identityFlapping, .rename:
      planMore(play, account, &state)
    }
    commit(account, &state, into: &draft)
    if [.conversation, .questionHour].contains(play.kind), let post = assembler.operations.first {
      let reference = PostReference(account: account, record: state.lastRecord, digest: post.digest)
      play.thread = (play.thread?.root ?? reference, reference)
    }
    return done
  }

  // MARK: - Records of plays

  func plan(
    post body: TextBuilder, _ language: String, _ account: Int, _ state: inout RepositoryState, _ play: PlayInstance,
    embed: RecordWriter.Embed? = nil, reply: (root: PostReference, parent: PostReference)? = nil
  ) {
    let made = recordKey(&state, account, &play.random)
    let start = assembler.records.bytes.count
    writer.post(
      RecordWriter.Post(body: body, language: language, time: made.time, embed: embed, reply: reply),
      into: &assembler.records)
    assembler.add(.create, TreeKey(.post, tid: made.key), .post, recordFrom: start)
  }

  /// The next account that this instance has not met yet.
  func stranger(_ play: PlayInstance) -> Int {
    play.strangers = (play.strangers + play.stride) % accounts.everyday.count
    return play.strangers
  }

  private func planFollow(_ account: Int, _ state: inout RepositoryState, _ play: PlayInstance) {
    let made = recordKey(&state, account, &play.random)
    let start = assembler.records.bytes.count
    writer.relation(.follow, to: stranger(play), time: made.time, into: &assembler.records)
    assembler.add(.create, TreeKey(.follow, tid: made.key), .follow, recordFrom: start)
  }

  private func planFlood(_ account: Int, _ state: inout RepositoryState, _ play: PlayInstance) {
    var body = TextBuilder()
    for character in play.random.pick(play.templates) {
      switch character {
      case "#": body.add(String(play.random.below(980) + 20))
      case "*": body.add(play.random.pick(PlayTexts.floodWords))
      default: body.add(String(character))
      }
    }
    if play.random.chance(60) { body.add(" " + play.random.pick(PlayTexts.floodEmoji)) }
    var last = ""
    for _ in 0..<play.random.within(play.numbers.linksPerPost) {
      let prefix = play.random.chance(40) ? play.random.pick(PlayTexts.floodWords) + "." : ""
      last = "https://\(prefix)\(play.random.pick(play.domains))/\(play.random.below(10_000_000))"
      let shown = play.random.chance(35) ? play.random.pick(PlayTexts.anchors) : String(last.dropFirst(8))
      body.add(shown, as: .link(last))
    }
    let card: RecordWriter.Embed? =
      last.isEmpty || !play.random.chance(30)
      ? nil : .external(uri: last, title: play.random.pick(play.templates), about: "", thumb: nil)
    plan(post: body, "en", account, &state, play, embed: card)
  }

  private func planHeadline(_ account: Int, _ state: inout RepositoryState, _ play: PlayInstance) {
    let number = account - accounts.newsrooms.lowerBound
    let headline = """
      \(play.random.pick(Newsrooms.who)) \(play.random.pick(Newsrooms.verbs)) \(play.random.pick(Newsrooms.what)) \
      \(play.random.pick(Newsrooms.ends))
      """
    let link = "https://\(Newsrooms.domain(number))/2026/\(play.random.below(1_000_000))"
    var body = TextBuilder()
    body.add(headline)
    body.add(String(link.dropFirst(8)), as: .link(link))
    let card = RecordWriter.Embed.external(
      uri: link, title: headline, about: "By our staff", thumb: digest(&play.random))
    plan(post: body, "en", account, &state, play, embed: card)
  }

  private func planMentions(_ account: Int, _ state: inout RepositoryState, _ play: PlayInstance) {
    var body = TextBuilder()
    for _ in 0..<play.random.within(play.numbers.mentionsPerPost) {
      let target = stranger(play)
      body.add("@" + String(decoding: accounts.handle(target), as: UTF8.self), as: .mention(account: target))
    }
    body.add(" " + play.text)
    if play.random.chance(30) {
      let link = "https://join-\(play.random.pick(PlayTexts.domainWords)).test/\(play.random.below(100_000))"
      body.add(String(link.dropFirst(8)), as: .link(link))
    }
    let parent = recentPost(&play.random)
    plan(post: body, "en", account, &state, play, reply: play.random.chance(50) ? (parent, parent) : nil)
  }

  private func planReply(_ account: Int, _ state: inout RepositoryState, _ play: PlayInstance) {
    var body = TextBuilder()
    let others = play.actors.filter { $0 != account }
    let first = play.random.below(max(1, others.count))
    for index in 0..<min(others.count, play.random.within(play.numbers.mentionsPerPost)) {
      let target = others[(first + index) % others.count]
      body.add("@" + String(decoding: accounts.handle(target), as: UTF8.self), as: .mention(account: target))
    }
    body.add(" " + play.random.pick(PlayTexts.replies))
    if play.random.chance(50) {
      body.add(" ")
      body.add(Phrases.english, &play.random)
    }
    let parent = recentPost(&play.random)
    plan(post: body, "en", account, &state, play, reply: play.thread ?? (parent, parent))
  }

  // MARK: - Names

  private func newName(_ play: PlayInstance) -> String {
    guard !configuration.campaigns.knownAccounts.isEmpty else { return "nobody" }
    if play.kind == .knownAccount { return accounts.displayName(play.actors[0]) }
    let name = configuration.campaigns.knownAccounts[play.known].name
    if play.kind == .fanAccount {
      return play.random.pick(PlayTexts.fanForms).split(separator: "%", omittingEmptySubsequences: false)
        .joined(separator: name)
    }
    switch play.random.below(4) {
    case 0: return Disguise.homoglyphs(name, share: 60, &play.random)
    case 1: return Disguise.invisible(name, share: 40, &play.random)
    case 2: return name + play.random.pick(PlayTexts.officialTails)
    default:
      return Disguise.homoglyphs(name, share: 40, &play.random) + play.random.pick(PlayTexts.officialTails)
    }
  }

  private func newHandle(_ play: PlayInstance, _ account: Int) -> [UInt8] {
    guard play.kind != .knownAccount, !configuration.campaigns.knownAccounts.isEmpty else {
      return accounts.handle(account)
    }
    let known = configuration.campaigns.knownAccounts[play.known].handle
    var label = String(known.prefix { $0 != "." })
    let host = "\(play.random.pick(PlayTexts.domainWords)).sim.test"
    if play.kind == .fanAccount {
      return Array("\(label)\(play.random.pick(PlayTexts.fanHandleTails)).\(host)".utf8)
    }
    for (from, to) in [("o", "0"), ("i", play.random.chance(50) ? "1" : "l"), ("m", "rn")] where play.random.chance(60)
    {
      label = label.split(separator: Character(from), omittingEmptySubsequences: false).joined(separator: to)
    }
    if play.random.chance(40) { label += play.random.pick(["-support", "-official", "-help"]) }
    return Array("\(label).\(host)".utf8)
  }
}
