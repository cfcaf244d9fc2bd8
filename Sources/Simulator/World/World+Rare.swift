import ATProto
import Signatures

extension World {
  /// The last two records in a hundred: lists, thread gates, profiles, other applications.
  func planRare(_ account: Int, _ state: inout RepositoryState) {
    switch random.below(10) {
    case 0: planList(account, &state)
    case 1, 2: planListItem(account, &state)
    case 3, 4: planThreadGate(account, &state)
    case 5, 6: planBook(account, &state)
    case 7, 8: planMatch(account, &state)
    default: planUpdate(account, &state)
    }
  }

  /// A singleton record: an update where it exists.
  func planUpdate(_ account: Int, _ state: inout RepositoryState) {
    if random.chance(70) {
      planProfile(account, &state, name: accounts.displayName(account), &random)
    } else {
      planStatus(account, &state)
    }
  }

  /// The profile record with this name.
  func planProfile(_ account: Int, _ state: inout RepositoryState, name: String, _ random: inout Random) {
    let key = TreeKey(RecordCollection.profile.rawValue + "/self")
    guard !assembler.operations.contains(where: { $0.key == key }) else { return }
    let made = recordKey(&state, account, &random)
    let start = assembler.records.bytes.count
    var about = TextBuilder()
    about.add(Phrases.random(&random), &random)
    writer.profile(
      name: name, about: String(decoding: about.text, as: UTF8.self),
      avatar: random.chance(80) ? digest(&random) : nil, time: made.time, into: &assembler.records)
    assembler.add(state.root.value(of: key) == nil ? .create : .update, key, .profile, recordFrom: start)
  }

  private func planStatus(_ account: Int, _ state: inout RepositoryState) {
    let key = TreeKey(RecordCollection.status.rawValue + "/self")
    guard !assembler.operations.contains(where: { $0.key == key }) else { return }
    let made = recordKey(&state, account, &random)
    let start = begin(.status, fields: 4)
    assembler.records.text("status")
    assembler.records.text("app.bsky.actor.status#live")
    created(made.time)
    assembler.records.text("durationMinutes")
    assembler.records.int(Int64(15 * (1 + random.below(16))))
    assembler.add(state.root.value(of: key) == nil ? .create : .update, key, .status, recordFrom: start)
  }

  private func planList(_ account: Int, _ state: inout RepositoryState) {
    let made = recordKey(&state, account, &random)
    let start = assembler.records.bytes.count
    assembler.records.map(5)
    assembler.records.text("name")
    assembler.records.text("People of \(random.pick(Names.second))")
    type(.list)
    assembler.records.text("purpose")
    assembler.records.text(random.chance(70) ? "app.bsky.graph.defs#curatelist" : "app.bsky.graph.defs#modlist")
    created(made.time)
    assembler.records.text("description")
    assembler.records.text("Kept by hand")
    assembler.add(.create, TreeKey(.list, tid: made.key), .list, recordFrom: start)
    state.list = made.key
  }

  private func planListItem(_ account: Int, _ state: inout RepositoryState) {
    guard let list = state.list else { return planList(account, &state) }
    let made = recordKey(&state, account, &random)
    let start = assembler.records.bytes.count
    assembler.records.map(4)
    assembler.records.text("list")
    writer.uri(account, .list, list, into: &assembler.records)
    type(.listItem)
    assembler.records.text("subject")
    assembler.records.text(utf8: accounts.did(random.below(accounts.everyday.count)))
    created(made.time)
    assembler.add(.create, TreeKey(.listItem, tid: made.key), .listItem, recordFrom: start)
  }

  private func planThreadGate(_ account: Int, _ state: inout RepositoryState) {
    let made = recordKey(&state, account, &random)
    let start = assembler.records.bytes.count
    assembler.records.map(4)
    assembler.records.text("post")
    writer.uri(account, .post, made.key, into: &assembler.records)
    type(.threadGate)
    assembler.records.text("allow")
    assembler.records.array(0)
    created(made.time)
    assembler.add(.create, TreeKey(.threadGate, tid: made.key), .threadGate, recordFrom: start)
  }

  private func planBook(_ account: Int, _ state: inout RepositoryState) {
    let made = recordKey(&state, account, &random)
    let start = begin(.bookStatus, fields: 6)
    assembler.records.text("title")
    assembler.records.text("The \(random.pick(Names.second)) \(random.pick(["Letters", "Garden", "Paradox", "Ferry"]))")
    assembler.records.text("author")
    assembler.records.text("\(random.pick(Names.first)) \(random.pick(Names.second))")
    assembler.records.text("finished")
    assembler.records.bool(random.chance(30))
    assembler.records.text("progress")
    assembler.records.int(Int64(random.below(101)))
    created(made.time)
    assembler.add(.create, TreeKey(.bookStatus, tid: made.key), .bookStatus, recordFrom: start)
  }

  private func planMatch(_ account: Int, _ state: inout RepositoryState) {
    let made = recordKey(&state, account, &random)
    let start = assembler.records.bytes.count
    assembler.records.map(6)
    assembler.records.text("away")
    assembler.records.text("\(random.pick(Names.second)) united")
    assembler.records.text("home")
    assembler.records.text("\(random.pick(Names.second)) rovers")
    type(.matchScore)
    assembler.records.text("goals")
    assembler.records.array(2)
    assembler.records.int(Int64(random.below(5)))
    assembler.records.int(Int64(random.below(4)))
    assembler.records.text("minute")
    assembler.records.int(Int64(1 + random.below(90)))
    created(made.time)
    assembler.add(.create, TreeKey(.matchScore, tid: made.key), .matchScore, recordFrom: start)
  }

  // MARK: - Fields that several records share

  private func begin(_ collection: RecordCollection, fields: Int) -> Int {
    let start = assembler.records.bytes.count
    assembler.records.map(fields)
    type(collection)
    return start
  }

  private func type(_ collection: RecordCollection) {
    assembler.records.text("$type")
    assembler.records.text(collection.rawValue)
  }

  private func created(_ time: UInt64) {
    assembler.records.text("createdAt")
    assembler.records.time(time)
  }

  /// A digest of nothing that exists: blobs are not part of the stream.
  func digest(_ random: inout Random) -> Digest {
    withUnsafeBytes(of: (random.next(), random.next(), random.next(), random.next())) { Digest(copying: $0) }
  }
}

/// The posts of everyday life.
enum EverydayPost {
  private static let tags = ["art", "books", "birds", "music", "trains", "cats", "gamedev", "garden", "写真", "football"]
  private static let sites = [
    "weblog", "maps", "recipes", "video", "news", "photos", "archive", "wiki", "shop", "radio",
  ]

  static func make(time: UInt64, _ world: World, _ random: inout Random) -> RecordWriter.Post {
    let phrases = Phrases.random(&random)
    var body = TextBuilder()
    let sentences = [1, 1, 2, 2, 2, 3][random.below(6)]
    for sentence in 0..<sentences {
      if sentence > 0 { body.add(" ") }
      body.add(phrases, &random)
    }
    if random.chance(10) {
      for _ in 0...random.below(2) {
        let account = random.below(world.accounts.everyday.count)
        body.add("@" + String(decoding: world.accounts.handle(account), as: UTF8.self), as: .mention(account: account))
      }
    }
    var link: String?
    if random.chance(8) {
      link = "https://\(random.pick(sites)).\(random.pick(Names.second)).test/\(random.below(1_000_000))"
      body.add(String((link ?? "").dropFirst(8)), as: .link(link ?? ""))
    }
    if random.chance(12) {
      let tag = random.pick(tags)
      body.add("#" + tag, as: .tag(tag))
    }
    var post = RecordWriter.Post(body: body, language: phrases.language, time: time)
    post.embed = embed(link, world, &random)
    if random.chance(35) {
      let parent = world.recentPost(&random)
      post.reply = (random.chance(60) ? parent : world.recentPost(&random), parent)
    }
    return post
  }

  private static func embed(_ link: String?, _ world: World, _ random: inout Random) -> RecordWriter.Embed? {
    if let link, random.chance(60) {
      return .external(
        uri: link, title: "\(random.pick(Newsrooms.who)) \(random.pick(Newsrooms.verbs))",
        about: random.pick(Newsrooms.what),
        thumb: random.chance(50) ? world.digest(&random) : nil)
    }
    switch random.below(100) {
    case ..<20:
      return .images(
        (0...random.below(3)).map { number in
          (
            alt: number == 0 ? random.pick(Phrases.english.objects) : "", blob: world.digest(&random),
            size: 40_000 + random.below(900_000)
          )
        })
    case ..<26: return .quote(world.recentPost(&random))
    case ..<29: return .video(blob: world.digest(&random), size: 1_000_000 + random.below(20_000_000))
    default: return nil
    }
  }
}
