import ATProto
import CLuaHost
import Osprey

// What C asks for `cache`, `entity` and the features of features.lua. As in RuleHost+Callbacks: cannot fail, never touches Lua.

extension RuleHost {
  // MARK: cache

  private func cacheKey(_ key: Bytes) -> StateKey {
    var hash = SipHash()
    hash.append(key.base, key.count)
    let (high, low) = hash.finish()
    return StateKey(high: high, low: low)
  }

  func cached(_ key: Bytes, _ out: UnsafeMutablePointer<lh_value>) {
    out.pointee.kind = Int32(LH_NIL)
    guard let slot = state.cache.find(cacheKey(key), clockMs: facts.action.clockMs) else { return }
    let entry = state.cache.entries[slot]
    switch CacheTable.Kind(rawValue: entry.kind) {
    case .no: out.pointee.kind = Int32(LH_FALSE)
    case .yes: out.pointee.kind = Int32(LH_TRUE)
    case .integer:
      out.pointee.kind = Int32(LH_INTEGER)
      out.pointee.integer = Int64(bitPattern: entry.bits)
    case .number:
      out.pointee.kind = Int32(LH_NUMBER)
      out.pointee.number = Double(bitPattern: entry.bits)
    case .text:
      out.pointee.kind = Int32(LH_TEXT)
      let base = state.cache.texts[slot].map { UnsafePointer($0) } ?? Bytes("").base
      out.pointee.text = lh_text(bytes: base, count: Int(entry.count))
    case .absent, nil: break
    }
  }

  func cache(_ key: Bytes, _ value: lh_value, ms: Int64) {
    var bits: UInt64 = 0
    var text = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
    let kind: CacheTable.Kind
    switch Int(value.kind) {
    case LH_FALSE: kind = .no
    case LH_TRUE: kind = .yes
    case LH_INTEGER:
      kind = .integer
      bits = UInt64(bitPattern: value.integer)
    case LH_NUMBER:
      kind = .number
      bits = value.number.bitPattern
    case LH_TEXT:
      kind = .text
      text = UnsafeBufferPointer(start: value.text.bytes, count: value.text.count)
    default: kind = .absent
    }
    state.cache.set(cacheKey(key), kind, bits: bits, text: text, expires: facts.action.clockMs + ms)
  }

  // MARK: entity

  /// The type of an entity whose id says it: records begin with `at://`.
  private func type(_ type: Bytes, of id: Bytes) -> Bytes {
    if !type.isEmpty { return type }
    return id.count > 5 && id[Slice(offset: 0, count: 5)] == "at://" ? Bytes("AtUri") : Bytes("UserId")
  }

  func hasLabel(type: Bytes, id: Bytes, _ label: Bytes) -> Bool {
    let key = EffectGiver.labelKey(type: self.type(type, of: id), entity: id, label: label, isShadow: false)
    return state.effects.has(key, clockMs: facts.action.clockMs)
  }

  func label(type: Bytes, id: Bytes, at: Int, _ out: UnsafeMutablePointer<lh_value>) -> Int64 {
    let known = state.effects.names.count
    if at < 0 { return Int64(known) }
    for index in at..<max(at, known) {
      let isThere = withBytes(state.effects.names[index]) { name in
        guard hasLabel(type: type, id: id, name) else { return false }
        facts.scratch.removeAll()
        facts.scratch.append(name)
        return true
      }
      guard isThere else { continue }
      out.pointee.kind = Int32(LH_TEXT)
      out.pointee.text = lh_text(bytes: facts.scratch.bytes.base, count: facts.scratch.count)
      return Int64(index + 1)
    }
    return 0
  }

  // MARK: features

  func shared(_ operation: Int, _ message: UnsafeMutablePointer<lh_text>) {
    switch operation {
    case LH_SHARED_BEGIN: features.beginShared()
    case LH_SHARED_REFUSED:
      facts.scratch.removeAll()
      facts.scratch.append(features.error ?? String(cString: lh_error(lua)))
      message.pointee = lh_text(bytes: facts.scratch.bytes.base, count: facts.scratch.count)
      features.drop()
      features.endShared(rule: current)
    default: features.endShared(rule: current)
    }
  }
}
