import ATProto
import Signatures

extension World {
  /// What happens when nothing special is due.
  func everyday(into draft: inout FrameDraft) {
    let account = activeAccount()
    var state = state(account)
    if state.commits >= commitsPerAccountMax {
      startAgain(account, &state, into: &draft)
      return
    }
    switch random.below(10_000) {
    case ..<50: identity(account, handle: nil, into: &draft)
    case ..<80: pause(account, into: &draft)
    case ..<95: synchronise(account, &state, into: &draft)
    default:
      assembler.begin()
      for _ in 0..<operationCount() { planOperation(account, &state) }
      commit(account, &state, into: &draft)
    }
  }

  /// A tenth of the accounts writes nearly half of what is written.
  private func activeAccount() -> Int {
    while true {
      let some = random.chance(40) ? max(1, accounts.everyday.count / 10) : accounts.everyday.count
      let account = random.below(some)
      if states[account]?.isActive ?? true { return account }
    }
  }

  private func operationCount() -> Int {
    switch random.below(10_000) {
    case ..<5: 0
    case ..<100: 2 + random.below(4)
    case ..<102: 25 + random.below(176)
    default: 1
    }
  }

  /// One operation of everyday life: 95 % create, 4 % delete, 1 % update.
  private func planOperation(_ account: Int, _ state: inout RepositoryState) {
    switch random.below(100) {
    case ..<4: if !planDelete(state) { planCreate(account, &state) }
    case 4: planUpdate(account, &state)
    default: planCreate(account, &state)
    }
  }

  func planCreate(_ account: Int, _ state: inout RepositoryState) {
    switch random.below(1_000) {
    case ..<722: planPointer(.like, account, &state)
    case ..<828: planPost(account, &state)
    case ..<930: planPointer(.repost, account, &state)
    case ..<974: planRelation(.follow, account, &state)
    case ..<980: planRelation(.block, account, &state)
    default: planRare(account, &state)
    }
  }

  func planPointer(_ collection: RecordCollection, _ account: Int, _ state: inout RepositoryState) {
    let made = recordKey(&state, account, &random)
    let start = assembler.records.bytes.count
    let post = recentPost(&random)
    let via = random.chance(15) ? recentPost(&random) : nil
    writer.pointer(collection, to: post, via: via, time: made.time, into: &assembler.records)
    assembler.add(.create, TreeKey(collection, tid: made.key), collection, recordFrom: start)
  }

  private func planRelation(_ collection: RecordCollection, _ account: Int, _ state: inout RepositoryState) {
    let made = recordKey(&state, account, &random)
    let start = assembler.records.bytes.count
    writer.relation(
      collection, to: random.below(accounts.newsrooms.upperBound), time: made.time, into: &assembler.records)
    assembler.add(.create, TreeKey(collection, tid: made.key), collection, recordFrom: start)
  }

  private func planPost(_ account: Int, _ state: inout RepositoryState) {
    let made = recordKey(&state, account, &random)
    let start = assembler.records.bytes.count
    writer.post(EverydayPost.make(time: made.time, self, &random), into: &assembler.records)
    assembler.add(.create, TreeKey(.post, tid: made.key), .post, recordFrom: start)
  }

  /// Deletes a record that is in the tree; false if none was found that lends itself.
  func planDelete(_ state: RepositoryState) -> Bool {
    for _ in 0..<8 {
      guard let key = randomKey(state.root) else { return false }
      let path = key.path
      guard let slash = path.firstIndex(of: UInt8(ascii: "/")),
        let collection = RecordCollection(rawValue: String(decoding: path[..<slash], as: UTF8.self)),
        [.like, .follow, .post, .repost].contains(collection),
        !assembler.operations.contains(where: { $0.key == key })
      else { continue }
      assembler.addDelete(key, collection)
      return true
    }
    return false
  }

  private func randomKey(_ root: TreeNode) -> TreeKey? {
    var node = root
    while true {
      let place = random.below(node.entries.count + 1)
      if let child = node.child(before: place), node.entries.isEmpty || random.chance(75) {
        node = child
      } else {
        return node.entries.isEmpty ? nil : node.entries[min(place, node.entries.count - 1)].key
      }
    }
  }

  // MARK: - Events without commits

  /// Writes an `#identity` frame; without `handle` the account's own, now and then none or an invalid one.
  func identity(_ account: Int, handle: [UInt8]?, into draft: inout FrameDraft) {
    if let handle { accounts.setHandle(handle, of: account) }
    var shown: [UInt8]? = accounts.handle(account)
    if handle == nil, random.chance(45) { shown = random.chance(20) ? Array("handle.invalid".utf8) : nil }
    draft.info.kind = .identity
    draft.info.account = account
    var frame = CBORWriter(capacity: 0)
    swap(&frame.bytes, &draft.bytes)
    frame.reset()
    frame.raw(FrameHeader.identity)
    frame.map(shown == nil ? 3 : 4)
    appendSmallHead(account, &frame, &draft)
    if let shown {
      frame.text("handle")
      frame.text(utf8: shown)
    }
    swap(&frame.bytes, &draft.bytes)
  }

  /// Writes an `#account` frame.
  func accountStatus(_ account: Int, isActive: Bool, status: String?, into draft: inout FrameDraft) {
    var state = state(account)
    state.isActive = isActive
    states[account] = state
    draft.info.kind = .account
    draft.info.account = account
    var frame = CBORWriter(capacity: 0)
    swap(&frame.bytes, &draft.bytes)
    frame.reset()
    frame.raw(FrameHeader.account)
    frame.map(status == nil ? 4 : 5)
    appendSmallHead(account, &frame, &draft)
    frame.text("active")
    frame.bool(isActive)
    if let status {
      frame.text("status")
      frame.text(status)
    }
    swap(&frame.bytes, &draft.bytes)
  }

  /// did, seq, time: what `#identity` and `#account` start with.
  private func appendSmallHead(_ account: Int, _ frame: inout CBORWriter, _ draft: inout FrameDraft) {
    frame.text("did")
    frame.text(utf8: accounts.did(account))
    frame.text("seq")
    frame.int(draft.info.seq)
    draft.info.seqOffset = frame.bytes.count - 8
    frame.text("time")
    frame.time(draft.info.time)
    draft.info.timeOffset = frame.bytes.count - 24
  }

  /// An account goes away for a while; it comes back by itself. Half of the account events say that all is well.
  private func pause(_ account: Int, into draft: inout FrameDraft) {
    if random.chance(50) {
      accountStatus(account, isActive: true, status: nil, into: &draft)
      return
    }
    let status = random.pick(["deactivated", "deactivated", "takendown", "suspended"])
    schedule.add(.reactivate(account: account), at: now + UInt64(20_000_000 + random.below(60_000_000)))
    accountStatus(account, isActive: false, status: status, into: &draft)
  }

  private func synchronise(_ account: Int, _ state: inout RepositoryState, into draft: inout FrameDraft) {
    draft.info.kind = .sync
    draft.info.account = account
    assembler.sync(&state, envelope(account, draft.info), into: &draft)
    states[account] = state
  }

  /// Back to the template, announced by `#sync` as after a restored backup.
  private func startAgain(_ account: Int, _ state: inout RepositoryState, into draft: inout FrameDraft) {
    states[account] = nil
    state.root = self.state(account).root
    state.commits = 0
    state.list = nil
    synchronise(account, &state, into: &draft)
  }
}
