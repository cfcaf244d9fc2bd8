import ATProto

/// How a rule set was applied to an action.
package enum VerdictMode: Sendable { case live, dryRun }

/// Writes verdicts as JSON, one flat object each (CONTRACT.md, "Verdicts topic"). Owns its buffers; one thread.
package final class VerdictWriter {
  /// `sha256:` and hexadecimal digits.
  private let rulesetHash: [UInt8]
  private let mode: VerdictMode
  private let effects = ByteWriter(capacity: 4096)
  private let part = ByteWriter(capacity: 1024)

  /// `rulesetHash` as `RuleSet.hash` gives it; `bytesMax` of `write` is the broker's limit.
  package init(rulesetHash: String, mode: VerdictMode) {
    self.rulesetHash = Array(rulesetHash.utf8)
    self.mode = mode
  }

  /// Replaces the content of `out` by the verdict on `action`. Features are left out, longest first, where it would be longer
  /// than `bytesMax`.
  package func write(_ verdict: Verdict, on action: Action, into out: ByteWriter, bytesMax: Int = 1_000_000) {
    writeOnce(verdict, action, out, isTruncated: false)
    while out.count > bytesMax, verdict.cutLongestFeature() {
      writeOnce(verdict, action, out, isTruncated: true)
    }
    if out.count > bytesMax {
      verdict.cutComments()
      writeOnce(verdict, action, out, isTruncated: true)
    }
  }

  private func writeOnce(_ verdict: Verdict, _ action: Action, _ out: ByteWriter, isTruncated: Bool) {
    out.removeAll()
    out.append("{\"__action_id\":")
    out.append(decimal: action.id)
    out.append(",\"__timestamp\":\"")
    Timestamp.append(micros: action.receivedAtMicros, digits: 6, suffix: "+00:00", to: out)
    out.append("\",\"__error_count\":")
    out.append(decimal: Int64(verdict.errorCount))
    writeEffectColumns(verdict, out)
    out.append(",\"__ruleset\":")
    withBytes(rulesetHash) { _ = out.append(jsonString: $0) }
    out.append(",\"__mode\":\"")
    out.append(mode == .dryRun ? "dry_run" : verdict.hasHit && !verdict.hasLiveHit ? "shadow" : "live")
    out.append("\",\"__rules_hit\":")
    writeHits(verdict, isShadow: false, out)
    out.append(",\"__rules_shadow\":")
    writeHits(verdict, isShadow: true, out)
    writeOverQuota(verdict, out)
    out.append(",\"__eval_us\":")
    out.append(decimal: verdict.evaluationMicros)
    if !verdict.effects.isEmpty {
      effects.removeAll()
      effects.append(UInt8(ascii: "["))
      for (index, effect) in verdict.effects.enumerated() {
        if index > 0 { effects.append(UInt8(ascii: ",")) }
        write(effect, of: verdict)
      }
      effects.append(UInt8(ascii: "]"))
      out.append(",\"__effects\":")
      out.append(jsonString: effects.bytes)
    }
    if isTruncated { out.append(",\"__truncated\":true") }
    writeActionFeatures(action, verdict, out)
    for feature in verdict.features where !feature.isCut { write(feature, of: verdict, out) }
    for rule in verdict.rules where !rule.isShadow && (rule.outcome == .hit || rule.outcome == .miss) {
      key(verdict[rule.name], out)
      out.append(rule.outcome == .hit ? "true" : "false")
    }
    out.append(UInt8(ascii: "}"))
  }

  // MARK: Columns of effects

  private func writeEffectColumns(_ verdict: Verdict, _ out: ByteWriter) {
    guard !verdict.effects.isEmpty else { return }
    column(verdict, out, name: ",\"__verdicts\":[", of: { $0.type == .verdict }) { effect in
      part.append(verdict[effect.value])
    }
    column(verdict, out, name: ",\"__entity_label_mutations\":[", of: VerdictWriter.isLabel) { effect in
      part.append(verdict[effect.entityType])
      part.append(UInt8(ascii: "/"))
      part.append(verdict[effect.value])
      part.append(effect.type == .label ? "/1" : "/0")
    }
    column(verdict, out, name: ",\"__atproto_label\":[", of: VerdictWriter.isLabel) { effect in
      appendPart(verdict[effect.entity])
      part.append(effect.type == .label ? "|" : "|neg:")
      appendPart(verdict[effect.value])
      part.append(UInt8(ascii: "|"))
      appendPart(verdict[effect.comment])
      part.append(UInt8(ascii: "|"))
      if let hours = effect.hours { part.append(decimal: hours) } else { part.append("None") }
    }
    for (kind, name) in VerdictWriter.plainColumns {
      column(verdict, out, name: name, of: { $0.type == kind && $0.isSubject }) { effect in
        appendPart(verdict[effect.entity])
        part.append(UInt8(ascii: "|"))
        appendPart(verdict[effect.value])
        part.append(UInt8(ascii: "|"))
        appendPart(verdict[effect.comment])
      }
    }
    column(verdict, out, name: ",\"__atproto_list\":[", of: { $0.type == .list && $0.isSubject }) { effect in
      appendPart(verdict[effect.entity])
      part.append(UInt8(ascii: "|"))
      appendPart(verdict[effect.value])
    }
    column(verdict, out, name: ",\"__flags\":[", of: { $0.type == .flag }) { effect in
      part.append(verdict[effect.value])
    }
  }

  private static func isLabel(_ effect: Verdict.Effect) -> Bool {
    (effect.type == .label || effect.type == .unlabel) && effect.isSubject
  }

  /// Columns of `entity|value|comment`.
  private static let plainColumns: [(EffectKind, StaticString)] = [
    (.tag, ",\"__atproto_tag\":["), (.report, ",\"__atproto_report\":["), (.escalate, ",\"__atproto_escalate\":["),
    (.acknowledge, ",\"__atproto_acknowledge\":["), (.comment, ",\"__atproto_comment\":["),
    (.takedown, ",\"__atproto_takedown\":["), (.email, ",\"__atproto_email\":["),
  ]

  /// Writes a column of the live effects `belongs` picks, each text once; nothing where there are none.
  private func column(
    _ verdict: Verdict, _ out: ByteWriter, name: StaticString, of belongs: (Verdict.Effect) -> Bool,
    _ write: (Verdict.Effect) -> Void
  ) {
    part.removeAll()
    var written = 0
    for effect in verdict.effects where !effect.isShadow && belongs(effect) {
      let start = part.count
      write(effect)
      let text = Slice(offset: start, count: part.count - start)
      // The texts written so far lie one behind the other in `part`, each ended by a zero byte.
      if isRepeated(text) {
        part.truncate(to: start)
        continue
      }
      part.append(0)
      if written == 0 { out.append(name) } else { out.append(UInt8(ascii: ",")) }
      out.append(jsonString: part[text])
      written += 1
    }
    if written > 0 { out.append(UInt8(ascii: "]")) }
  }

  private func isRepeated(_ text: Slice) -> Bool {
    var start = 0
    while start < text.offset {
      var end = start
      while part.bytes[end] != 0 { end += 1 }
      if part[Slice(offset: start, count: end - start)] == part[text] { return true }
      start = end + 1
    }
    return false
  }

  /// A part of a `|`-separated text: `|` becomes `/`, and the zero byte that separates texts here a blank.
  private func appendPart(_ bytes: Bytes) {
    for index in 0..<bytes.count {
      let byte = bytes[index]
      part.append(byte == UInt8(ascii: "|") ? UInt8(ascii: "/") : byte == 0 ? UInt8(ascii: " ") : byte)
    }
  }

  /// One member of `__effects`.
  private func write(_ effect: Verdict.Effect, of verdict: Verdict) {
    effects.append("{\"id\":\"")
    appendHex(effect.id.0)
    appendHex(effect.id.1)
    effects.append("\",\"rule\":")
    effects.append(jsonString: verdict[effect.rule])
    effects.append(",\"rule_hash\":")
    effects.append(jsonString: verdict[effect.ruleHash])
    effects.append(effect.isShadow ? ",\"mode\":\"shadow\",\"type\":\"" : ",\"mode\":\"live\",\"type\":\"")
    effects.append(effect.type.text)
    effects.append("\",\"entity\":{\"type\":\"")
    effects.append(verdict[effect.entityType])
    effects.append("\",\"id\":")
    effects.append(jsonString: verdict[effect.entity])
    effects.append("},\"value\":")
    effects.append(jsonString: verdict[effect.value])
    if let expires = effect.expiresAtMs {
      effects.append(",\"expires_at\":\"")
      Timestamp.append(micros: expires * 1000, digits: 3, suffix: "Z", to: effects)
      effects.append("\"")
    }
    if !effect.comment.isEmpty {
      effects.append(",\"comment\":")
      effects.append(jsonString: verdict[effect.comment])
    }
    effects.append(UInt8(ascii: "}"))
  }

  private func appendHex(_ value: UInt64) {
    let digits: StaticString = "0123456789abcdef"
    for shift in stride(from: UInt64(60), through: 0, by: -4) {
      effects.append(digits.utf8Start[Int(value >> shift & 15)])
    }
  }

  // MARK: Features

  private func writeHits(_ verdict: Verdict, isShadow: Bool, _ out: ByteWriter) {
    out.append(UInt8(ascii: "["))
    var isFirst = true
    for rule in verdict.rules where rule.outcome == .hit && rule.isShadow == isShadow {
      if !isFirst { out.append(UInt8(ascii: ",")) }
      isFirst = false
      out.append(jsonString: verdict[rule.name])
    }
    out.append(UInt8(ascii: "]"))
  }

  /// `__rules_over_quota`: rules that hit and are in `__rules_shadow` only because a quota is used up.
  private func writeOverQuota(_ verdict: Verdict, _ out: ByteWriter) {
    var isFirst = true
    for rule in verdict.rules where rule.outcome == .hit && rule.isOverQuota {
      if isFirst { out.append(",\"__rules_over_quota\":[") } else { out.append(UInt8(ascii: ",")) }
      isFirst = false
      out.append(jsonString: verdict[rule.name])
    }
    if !isFirst { out.append(UInt8(ascii: "]")) }
  }

  /// The default features that stand in the action itself; those of the account and the record come with the verdict.
  private func writeActionFeatures(_ action: Action, _ verdict: Verdict, _ out: ByteWriter) {
    text("ActionName", Bytes(action.name.text), out)
    text("UserId", action.did, out)
    let account = verdict.account
    text("Handle", action.handle.isEmpty ? verdict[account?.handle ?? .none] : action.handle, out)
    text("PdsHost", verdict[account?.pdsHost ?? .none], out)
    if let created = account?.createdAtMs {
      out.append(",\"AccountCreatedAt\":\"")
      Timestamp.append(micros: created * 1000, digits: 3, suffix: "Z", to: out)
      out.append("\"")
    }
    if let age = account?.ageSeconds {
      out.append(",\"AccountAgeSeconds\":")
      out.append(decimal: age)
    }
    text("Collection", action.collection, out)
    switch action.name {
    case .operationCreate: text("OperationKind", Bytes("create"), out)
    case .operationUpdate: text("OperationKind", Bytes("update"), out)
    case .operationDelete: text("OperationKind", Bytes("delete"), out)
    default: break
    }
    text("AtUri", action.uri, out)
    text("RecordKey", action.rkey, out)
    text("Cid", action.cid, out)
  }

  private func text(_ name: StaticString, _ value: Bytes, _ out: ByteWriter) {
    guard !value.isEmpty else { return }
    key(Bytes(name), out)
    out.append(jsonString: value)
  }

  private func key(_ name: Bytes, _ out: ByteWriter) {
    out.append(UInt8(ascii: ","))
    out.append(jsonString: name)
    out.append(UInt8(ascii: ":"))
  }

  private func write(_ feature: Verdict.Feature, of verdict: Verdict, _ out: ByteWriter) {
    key(verdict[feature.name], out)
    switch feature.value {
    case .bool(let value): out.append(value ? "true" : "false")
    case .integer(let value): out.append(decimal: value)
    // Swift prints the shortest text that reads back the same, always with a fraction or exponent: a number in JSON.
    case .double(let value): out.append("\(value)" as String)
    case .text(let slice): out.append(jsonString: verdict[slice])
    case .list(let first, let count):
      out.append(UInt8(ascii: "["))
      for index in first..<first + count {
        if index > first { out.append(UInt8(ascii: ",")) }
        out.append(jsonString: verdict[verdict.items[index]])
      }
      out.append(UInt8(ascii: "]"))
    }
  }
}
