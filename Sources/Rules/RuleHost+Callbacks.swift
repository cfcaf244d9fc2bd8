import ATProto
import CLuaHost
import Osprey

// What C asks while a rule runs. Every function takes plain values, returns plain values, cannot fail and never touches Lua:
// Lua raises with longjmp, and no Swift frame may lie in its way.

extension RuleHost {
  /// The table C gets. `context` is this object, which outlives the Lua state it owns.
  func callbacks() -> lh_callbacks {
    lh_callbacks(
      context: Unmanaged.passUnretained(self).toOpaque(),
      field: { context, field, out in RuleHost.of(context) { $0.field(EventField(rawValue: field), out!) } },
      node_get: { context, node, key, out in RuleHost.of(context) { $0.member(node, Bytes(key), out!) } },
      node_at: { context, node, index, out in RuleHost.of(context) { $0.element(node, Int(clamping: index) - 1, out!) }
      },
      node_count: { context, node, isMap in RuleHost.of(context) { $0.nodeCount(node, isMap!) } },
      node_key: { context, node, index, out in RuleHost.of(context) { $0.nodeKey(node, Int(clamping: index) - 1, out!) }
      },
      list_count: { context, list in RuleHost.of(context) { Int64($0.listCount(list)) } },
      list_at: { context, list, index, out in
        RuleHost.of(context) { $0.text($0.listItem(list, Int(clamping: index) - 1), out!) }
      },
      digest: { SHA256Digest.compute(Bytes($1), into: $2!) },
      time_ms: {
        guard let milliseconds = Timestamp.milliseconds(Bytes($1)) else { return 0 }
        $2!.pointee = milliseconds
        return 1
      },
      clock_ms: { RuleHost.of($0) { $0.facts.action.clockMs } },
      list: { context, name, out, nearest in
        RuleHost.of(context) { $0.lists?.open(Bytes(name), out!, nearest: nearest!) == true ? 1 : 0 }
      },
      counter_key: { context, kind, name, key, windowMs, out in
        out!.pointee = RuleHost.of(context) {
          $0.key(kind: kind, name: Bytes(name), key: Bytes(key), windowMs: windowMs)
        }
      },
      counter: { context, key, operation, number, value in
        RuleHost.of(context) { $0.counter(key!.pointee, Int(operation), number, Bytes(value)) }
      },
      feature: { context, name, index, value in
        RuleHost.of(context) { $0.features.add(Bytes(name), index: index, value!.pointee) ? 0 : 1 }
      },
      emit: { context, event, key, index, value, line in
        RuleHost.of(context) { $0.announced(Int(event), Bytes(key), index, value!.pointee, line: Int(line)) }
      },
      inspect: { context, chunk in
        RuleHost.of(context) { $0.inspector?.take(Bytes(chunk)) }
        return RuleHost.of(context) {
          $0.loading.finding = CompiledChunk.finding(in: Bytes(chunk))
          return $0.loading.finding
        }
      },
      trace: { context, isReturn, name, frame, values, count in
        RuleHost.of(context) { host in
          host.tracer?.take(
            isReturn: isReturn != 0, name: Bytes(name), frame: frame,
            values: UnsafeBufferPointer(start: values, count: Int(count)), facts: host.facts)
        }
      },
      source: { context, name, bytes, nearest in
        RuleHost.of(context) { $0.source(Bytes(name), bytes!, nearest!) ? 1 : 0 }
      },
      shared: { context, operation, message in RuleHost.of(context) { $0.shared(Int(operation), message!) } },
      cache_get: { context, key, out in RuleHost.of(context) { $0.cached(Bytes(key), out!) } },
      cache_set: { context, key, value, ms in RuleHost.of(context) { $0.cache(Bytes(key), value!.pointee, ms: ms) } },
      entity_has: { context, type, id, label in
        RuleHost.of(context) { $0.hasLabel(type: Bytes(type), id: Bytes(id), Bytes(label)) ? 1 : 0 }
      },
      entity_label: { context, type, id, place, out in
        RuleHost.of(context) { $0.label(type: Bytes(type), id: Bytes(id), at: Int(place), out!) }
      })
  }

  /// The host behind a context. It owns the Lua state that calls, so it lives as long as the call, and nothing is counted.
  @inline(__always)
  static func of<Result>(_ context: UnsafeMutableRawPointer?, _ body: (RuleHost) -> Result) -> Result {
    Unmanaged<RuleHost>.fromOpaque(context!)._withUnsafeGuaranteedRef(body)
  }

  // MARK: The event

  @inline(__always)
  private func text(_ bytes: Bytes?, _ out: UnsafeMutablePointer<lh_value>) {
    guard let bytes else { return nothing(out) }
    out.pointee.kind = Int32(LH_TEXT)
    out.pointee.text = lh_text(bytes: bytes.base, count: bytes.count)
  }

  /// Text of the envelope, where empty means absent.
  private func known(_ bytes: Bytes, _ out: UnsafeMutablePointer<lh_value>) { text(bytes.isEmpty ? nil : bytes, out) }

  private func nothing(_ out: UnsafeMutablePointer<lh_value>) { out.pointee.kind = Int32(LH_NIL) }

  private func integer(_ value: Int64, _ out: UnsafeMutablePointer<lh_value>) {
    out.pointee.kind = Int32(LH_INTEGER)
    out.pointee.integer = value
  }

  private func integer(_ value: Int64?, _ out: UnsafeMutablePointer<lh_value>) {
    if let value { integer(value, out) } else { nothing(out) }
  }

  private func bool(_ value: Bool, _ out: UnsafeMutablePointer<lh_value>) {
    out.pointee.kind = Int32(value ? LH_TRUE : LH_FALSE)
  }

  private func list(_ field: EventField, _ out: UnsafeMutablePointer<lh_value>) {
    out.pointee.kind = Int32(LH_LIST)
    out.pointee.integer = Int64(field.rawValue)
  }

  private func field(_ field: EventField?, _ out: UnsafeMutablePointer<lh_value>) {
    let action = facts.action
    switch field {
    case .did: known(action.did, out)
    case .action: text(Bytes(action.name.text), out)
    case .id: integer(action.id, out)
    case .time: known(action.time, out)
    case .seq: integer(action.sequence, out)
    case .collection: known(action.collection, out)
    case .rkey: known(action.rkey, out)
    case .uri: known(action.uri, out)
    case .cid: known(action.cid, out)
    case .path: known(action.path, out)
    case .operation: known(facts.operationKind, out)
    case .record: answer(facts.record.root, out)
    case .recordError: recordError(out)
    case .rev: known(action.rev, out)
    case .handle: known(facts.handle, out)
    case .active: if action.name == .account { bool(action.isActive, out) } else { nothing(out) }
    case .status: known(action.status, out)
    case .text: text(facts.recordText("text"), out)
    case .displayName: text(facts.recordText("displayName"), out)
    case .description: text(facts.recordText("description"), out)
    case .isReply: bool(facts.isReply, out)
    case .replyRoot: text(facts.replyRoot, out)
    case .replyParent: text(facts.replyParent, out)
    case .quote: text(facts.quote, out)
    case .external: text(facts.external, out)
    case .images: integer(Int64(facts.images), out)
    case .textClean: text(facts.textClean, out)
    case .facets: answer(facts.record.get(facts.record.root, "facets"), out)
    case .links, .domains, .mentions, .tags, .langs, .tokens, .emoji, .altTexts: list(field!, out)
    case .accountAge: integer(facts.accountAge, out)
    case .pdsHost: known(facts.account?.pdsHost ?? .empty, out)
    case .followers: integer(facts.account?.followers, out)
    case .follows: integer(facts.account?.follows, out)
    case .posts: integer(facts.account?.posts, out)
    case .profile:
      _ = facts.account
      answer(facts.profile.root, out, nodes: EventFacts.profileNodes)
    case nil: nothing(out)
    }
  }

  private func recordError(_ out: UnsafeMutablePointer<lh_value>) {
    guard let reason = facts.action.recordError else { return nothing(out) }
    facts.scratch.removeAll()
    facts.scratch.append(reason.rawValue)
    text(facts.scratch.bytes, out)
  }

  /// `nodes` tells whose nodes they are: the record's, or those of the profile.
  private func answer(_ value: RecordValue, _ out: UnsafeMutablePointer<lh_value>, nodes: UInt32 = 0) {
    switch value {
    case .absent, .null: nothing(out)
    case .bool(let value): bool(value, out)
    case .integer(let value): integer(value, out)
    case .double(let value):
      out.pointee.kind = Int32(LH_NUMBER)
      out.pointee.number = value
    case .text(let bytes), .bytes(let bytes): text(bytes, out)
    case .link(let cid):
      facts.scratch.removeAll()
      // Longer ones are none of atproto's; base58 costs the square of the length.
      if cid.count <= RuleLimits.linkBytesMax { CID.appendText(cid, to: facts.scratch) }
      text(facts.scratch.bytes, out)
    case .map(let node), .array(let node):
      out.pointee.kind = Int32(LH_NODE)
      out.pointee.integer = Int64(node | nodes)
    }
  }

  /// The view a node belongs to, and its number there. A record is shorter than the number that divides them.
  private func view(_ node: UInt32) -> (RecordView, UInt32) {
    node & EventFacts.profileNodes == 0 ? (facts.record, node) : (facts.profile, node & ~EventFacts.profileNodes)
  }

  private func member(_ node: UInt32, _ key: Bytes, _ out: UnsafeMutablePointer<lh_value>) {
    let (view, inside) = view(node)
    let walked = view.walkedBytes
    answer(view.get(inside, key), out, nodes: node & EventFacts.profileNodes)
    out.pointee.walked = Int64(view.walkedBytes - walked)
  }

  private func element(_ node: UInt32, _ index: Int, _ out: UnsafeMutablePointer<lh_value>) {
    let (view, inside) = view(node)
    let walked = view.walkedBytes
    answer(view.element(inside, index), out, nodes: node & EventFacts.profileNodes)
    out.pointee.walked = Int64(view.walkedBytes - walked)
  }

  private func nodeCount(_ node: UInt32, _ isMap: UnsafeMutablePointer<Int32>) -> Int64 {
    let (view, inside) = view(node)
    let (count, isItMap) = view.count(inside)
    isMap.pointee = isItMap ? 1 : 0
    return Int64(count)
  }

  private func nodeKey(_ node: UInt32, _ index: Int, _ out: UnsafeMutablePointer<lh_value>) {
    let (view, inside) = view(node)
    text(view.key(inside, index), out)
  }

  private func listCount(_ list: UInt32) -> Int { EventField(rawValue: Int32(list)).map { facts.count($0) } ?? 0 }

  private func listItem(_ list: UInt32, _ index: Int) -> Bytes? {
    EventField(rawValue: Int32(list)).flatMap { facts.item($0, index) }
  }

  // MARK: Counters

  private func key(kind: Int32, name: Bytes, key: Bytes, windowMs: Int64) -> lh_key {
    var hash = counterNames.hash(
      kind: UInt8(kind), name: name, windowMs: windowMs, copy: copies.isEmpty ? 0 : copies[current] + 1)
    hash.append(key.base, key.count)
    let (high, low) = hash.finish()
    return lh_key(high: high, low: low, window_ms: windowMs, kind: kind)
  }

  private func counter(_ key: lh_key, _ operation: Int, _ number: Int64, _ value: Bytes) -> Int64 {
    let filed = StateKey(high: key.high, low: key.low)
    let clockMs = facts.action.clockMs
    let isCount = key.kind == Int32(LH_COUNT)
    switch operation {
    case LH_COUNTER_ADD:
      if isCount {
        return Int64(state.add(filed, windowMs: key.window_ms, clockMs: clockMs, number: Int(clamping: number)))
      }
      var hash = SipHash()
      hash.append(value.base, value.count)
      return Int64(
        state.addDistinct(filed, windowMs: key.window_ms, clockMs: clockMs, value: hash.finish().low))
    case LH_COUNTER_CROSSED:
      let count = currentCount(key, filed, clockMs)
      var hash = SipHash()
      hash.append(key.high)
      hash.append(key.low)
      hash.append(crossingKeys[current])
      hash.append(UInt64(bitPattern: number))
      let (high, low) = hash.finish()
      let isCrossed = state.crossed(
        StateKey(high: high, low: low), windowMs: key.window_ms, clockMs: clockMs, count: count,
        threshold: Int(clamping: number))
      return isCrossed ? 1 : 0
    default: return Int64(currentCount(key, filed, clockMs))
    }
  }

  private func currentCount(_ key: lh_key, _ filed: StateKey, _ clockMs: Int64) -> Int {
    key.kind == Int32(LH_COUNT)
      ? state.count(filed, windowMs: key.window_ms, clockMs: clockMs)
      : state.countDistinct(filed, windowMs: key.window_ms, clockMs: clockMs)
  }
}

extension Bytes {
  /// Bytes Lua owns, for the length of one call.
  @inline(__always)
  init(_ text: lh_text) {
    if let base = text.bytes { self.init(base: base, count: text.count) } else { self = .empty }
  }
}
