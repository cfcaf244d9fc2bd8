import ATProto
import Signatures

/// The plays that came with version 2 of the plan.
extension World {
  /// Plans one event of such a play.
  func planMore(_ play: PlayInstance, _ account: Int, _ state: inout RepositoryState) {
    switch play.kind {
    case .replyFlood: planPitch(account, &state, play)
    case .questionHour: planAnswer(account, &state, play)
    case .hashtagStuffing, .photographer: planTags(account, &state, play)
    case .scam, .scamTalk: planScam(account, &state, play)
    case .followChurn: planChurn(account, &state, play)
    case .cleanUp: if !planDelete(of: .follow, state, play) { planPointer(.like, account, &state) }
    case .listAbuse, .curator: planEntry(account, &state, play)
    default: preconditionFailure("the other plays are planned in World+Plays.swift")
    }
  }

  // MARK: - Posts

  /// The same pitch under the post of one stranger after the other.
  private func planPitch(_ account: Int, _ state: inout RepositoryState, _ play: PlayInstance) {
    var body = TextBuilder()
    body.add("\(play.random.pick(PlayTexts.replyOpenings)) \(play.text)")
    if play.random.chance(50) { body.add(" " + play.random.pick(PlayTexts.floodEmoji)) }
    let parent = recentPost(&play.random)
    plan(post: body, "en", account, &state, play, reply: (parent, parent))
  }

  /// The host's opening post, then an answer to everybody who wrote into the thread.
  private func planAnswer(_ account: Int, _ state: inout RepositoryState, _ play: PlayInstance) {
    var body = TextBuilder()
    body.add(Phrases.english, &play.random)
    guard let thread = play.thread else { return plan(post: body, "en", account, &state, play) }
    plan(post: body, "en", account, &state, play, reply: (thread.root, recentPost(&play.random)))
  }

  private func planTags(_ account: Int, _ state: inout RepositoryState, _ play: PlayInstance) {
    var body = TextBuilder()
    if play.kind == .photographer {
      body.add(Phrases.english, &play.random)
    } else {
      body.add(play.random.pick(PlayTexts.tagPitches))
    }
    let tags = play.kind == .photographer ? PlayTexts.photoTags : PlayTexts.popularTags
    let first = play.random.below(tags.count)
    for place in 0..<play.random.within(play.numbers.tagsPerPost) {
      let tag = tags[(first + place) % tags.count]
      body.add("#" + tag, as: .tag(tag))
    }
    plan(post: body, "en", account, &state, play)
  }

  private func planScam(_ account: Int, _ state: inout RepositoryState, _ play: PlayInstance) {
    var body = TextBuilder()
    if play.kind == .scamTalk {
      body.add(play.random.pick(PlayTexts.scamTalk))
      // Nobody writes the same long sentence as somebody else by chance.
      body.add(" ")
      body.add(Phrases.english, &play.random)
    } else {
      let promise = play.random.pick(PlayTexts.scamPromises)
      let call = play.random.pick(PlayTexts.scamCalls)
      var text = "\(promise). \(call)"
      if play.random.chance(50) { text = Disguise.censored(text, &play.random) }
      body.add("\(text) \(play.random.pick(PlayTexts.floodEmoji))")
    }
    plan(post: body, "en", account, &state, play)
  }

  // MARK: - Follows and lists

  /// Follows twenty to thirty strangers, takes all of it back, and begins again.
  private func planChurn(_ account: Int, _ state: inout RepositoryState, _ play: PlayInstance) {
    var churn = play.churn[account] ?? ([], 0)
    defer { play.churn[account] = churn }
    if churn.ahead == 0, let key = churn.follows.popLast() { return assembler.addDelete(key, .follow) }
    if churn.ahead == 0 { churn.ahead = 20 + play.random.below(11) }
    churn.ahead -= 1
    let made = recordKey(&state, account, &play.random)
    let start = assembler.records.bytes.count
    writer.relation(.follow, to: stranger(play), time: made.time, into: &assembler.records)
    let key = TreeKey(.follow, tid: made.key)
    assembler.add(.create, key, .follow, recordFrom: start)
    churn.follows.append(key)
  }

  /// Takes back an old follow that happens to be found.
  private func planDelete(
    of collection: RecordCollection, _ state: RepositoryState, _ play: PlayInstance
  ) -> Bool {
    let prefix = Array(collection.rawValue.utf8)
    for _ in 0..<200 {
      var node = state.root
      while let child = node.child(before: play.random.below(node.entries.count + 1)) { node = child }
      guard !node.entries.isEmpty else { continue }
      let key = node.entries[play.random.below(node.entries.count)].key
      guard key.path.starts(with: prefix) else { continue }
      assembler.addDelete(key, collection)
      return true
    }
    return false
  }

  /// The list first, then one stranger after the other on it.
  private func planEntry(_ account: Int, _ state: inout RepositoryState, _ play: PlayInstance) {
    let made = recordKey(&state, account, &play.random)
    let start = assembler.records.bytes.count
    let isAbuse = play.kind == .listAbuse
    guard let list = play.lists[account] else {
      writer.list(
        name: play.random.pick(isAbuse ? PlayTexts.wallNames : PlayTexts.curatedNames),
        purpose: isAbuse ? "modlist" : "curatelist", time: made.time, into: &assembler.records)
      assembler.add(.create, TreeKey(.list, tid: made.key), .list, recordFrom: start)
      play.lists[account] = made.key
      return
    }
    writer.listItem(of: list, by: account, subject: stranger(play), time: made.time, into: &assembler.records)
    assembler.add(.create, TreeKey(.listItem, tid: made.key), .listItem, recordFrom: start)
  }

  // MARK: - Handles

  /// A new handle that claims nothing. Who renames in earnest tries two or three that resemble each other.
  func anyHandle(_ play: PlayInstance, _ actor: Int, _ account: Int) -> [UInt8] {
    let word = play.random.pick(PlayTexts.domainWords)
    guard play.kind == .rename else {
      return Array("\(word)\(play.random.below(100_000)).\(play.random.pick(PlayTexts.domainWords)).sim.test".utf8)
    }
    let name = "\(Names.first[account % Names.first.count])\(account)"
    return Array(play.remaining[actor] % 2 == 0 ? "\(name).test".utf8 : "www.\(name).test".utf8)
  }
}

extension RecordWriter {
  func list(name: String, purpose: String, time: UInt64, into writer: inout CBORWriter) {
    writer.map(4)
    writer.text("name")
    writer.text(name)
    writer.text("$type")
    writer.text(RecordCollection.list.rawValue)
    writer.text("purpose")
    writer.text("app.bsky.graph.defs#\(purpose)")
    writer.text("createdAt")
    writer.time(time)
  }

  func listItem(of list: UInt64, by account: Int, subject: Int, time: UInt64, into writer: inout CBORWriter) {
    writer.map(4)
    writer.text("list")
    uri(account, .list, list, into: &writer)
    writer.text("$type")
    writer.text(RecordCollection.listItem.rawValue)
    writer.text("subject")
    writer.text(utf8: accounts.did(subject))
    writer.text("createdAt")
    writer.time(time)
  }
}
