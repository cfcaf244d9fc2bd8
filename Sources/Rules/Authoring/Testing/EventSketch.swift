import ATProto
import Osprey

/// What is wrong with an event of a test.
struct SketchError: Error {
  var what: String
  var attempt: String

  init(_ what: String, try attempt: String = "") {
    self.what = what
    self.attempt = attempt
  }
}

/// An event as a test describes it: real DAG-CBOR and all else an action needs, except when it happens.
struct EventSketch {
  static let defaultDID = "did:plc:test" + String(repeating: "a", count: 20)
  var name = ActionName.operationCreate
  var did = EventSketch.defaultDID
  var collection = ""
  /// Empty: one of its own for each event.
  var rkey = ""
  var handle = ""
  var status = ""
  var isActive = true
  var recordError: Reason?
  /// The record before it is written; nil on delete and outside operations.
  var record: RuleValue?
  /// Whether `createdAt` is left out, to be the event's time.
  var wantsTime = false
  /// As the test says it.
  private var source = RuleValue.table([])

  /// Fields every event has.
  static let commonKeys = ["did", "rkey"]

  private init() {}

  init(_ value: RuleValue) throws(SketchError) {
    self.init()
    guard let make = value.make else {
      throw SketchError("this is not an event", try: "post { text = \"…\" }, follow { … }, record { … }")
    }
    if make == "delete" || make == "update" {
      self = try EventSketch(changing: value, make)
      return
    }
    if let did = value["did"]?.text { self.did = EventSketch.did(did) }
    if let rkey = value["rkey"]?.text { self.rkey = rkey }
    switch make {
    case "identity":
      try EventSketch.check(value, ["did", "handle"])
      name = .identity
      handle = value["handle"]?.text ?? value.items.first?.text ?? ""
    case "account":
      try EventSketch.check(value, ["did", "active", "status"])
      name = .account
      status = value["status"]?.text ?? ""
      isActive = value["active"]?.bool ?? status.isEmpty
    case "record": try takeRecord(value)
    default:
      let draft = try RecordDraft(make, value)
      collection = draft.collection
      if !draft.rkey.isEmpty, rkey.isEmpty { rkey = draft.rkey }
      record = draft.record
      wantsTime = draft.wantsTime
    }
    source = value
    if let record { _ = try RecordDraft.encode(record) }
  }

  /// `update(profile { … })`, `delete(post { … })`, `delete { collection = "…", rkey = "…" }`.
  private init(changing value: RuleValue, _ make: String) throws(SketchError) {
    self.init()
    if value.items.isEmpty, make == "delete", let collection = value["collection"]?.text {
      self.collection = collection
      if let did = value["did"]?.text { self.did = EventSketch.did(did) }
      rkey = value["rkey"]?.text ?? ""
    } else {
      guard let inner = value.items.first else {
        throw SketchError("\(make) needs an event", try: "\(make)(post { … })")
      }
      self = try EventSketch(inner)
    }
    source = value
    name = make == "delete" ? .operationDelete : .operationUpdate
    if make == "delete" {
      record = nil
      recordError = nil
    }
  }

  /// A whole record: `record { ["$type"] = "…", … }`, or `record { collection = "…", record = { … } }`.
  private mutating func takeRecord(_ value: RuleValue) throws(SketchError) {
    if let reason = value["error"]?.text {
      guard let reason = Reason(rawValue: reason) else {
        throw SketchError("there is no reason '\(reason)'", try: "error = \"too_deep\"")
      }
      recordError = reason
      collection = value["collection"]?.text ?? "app.bsky.feed.post"
      return
    }
    if let inner = value["record"] {
      try EventSketch.check(value, EventSketch.commonKeys + ["collection", "record"])
      record = inner.clean
      collection = value["collection"]?.text ?? inner["$type"]?.text ?? ""
    } else {
      guard case .table(let entries) = value.clean else { return }
      record = .table(entries.filter { !EventSketch.commonKeys.contains($0.key) })
      collection = value["$type"]?.text ?? ""
    }
    if collection.isEmpty {
      throw SketchError("a record needs its type", try: "record { [\"$type\"] = \"app.bsky.feed.post\", … }")
    }
  }

  /// A DID, or a short name that becomes one: `alice` is `did:plc:aliceaaaaaaaaaaaaaaaaaaa`.
  static func did(_ text: String) -> String {
    if text.hasPrefix("did:") || text.isEmpty { return text }
    let digits = text.lowercased().map { character -> Character in
      switch character {
      case "a"..."z", "2"..."7": character
      case "0": "o"
      case "1": "i"
      case "8": "b"
      case "9": "g"
      default: "x"
      }
    }
    return "did:plc:" + String((digits + Array(repeating: "a", count: 24)).prefix(24))
  }

  static func check(_ value: RuleValue, _ known: [String]) throws(SketchError) {
    guard case .table(let entries) = value else { return }
    for key in entries.map(\.key).sorted() where !key.isEmpty && !key.hasPrefix("$") && !known.contains(key) {
      let near = nearestName(key, in: known)
      throw SketchError(
        "\(value.make ?? "this") has no '\(key)'" + (near.map { ", did you mean '\($0)'?" } ?? ""),
        try: "it has \(known.sorted().joined(separator: ", "))")
    }
  }

  // MARK: As an action

  /// Hands the event over as an action. `number` makes ids and keys of its own, `clockMs` is when it happens.
  func withAction<Result>(number: Int, clockMs: Int64, _ body: (Action) -> Result) -> Result {
    let isOperation = !collection.isEmpty
    let time = ByteWriter(capacity: 32)
    Timestamp.append(micros: clockMs * 1000, digits: 3, suffix: "Z", to: time)
    let stamp = time.bytes.string
    let key = rkey.isEmpty ? "3ltest" + EventSketch.base32(number, digits: 7) : rkey
    let path = isOperation ? "\(collection)/\(key)" : ""
    var cbor: [UInt8] = []
    if var record {
      if wantsTime { record = record.adding("createdAt", .text(stamp)) }
      cbor = (try? RecordDraft.encode(record)) ?? []
    }
    let cid = ByteWriter(capacity: 64)
    if !cbor.isEmpty || recordError != nil {
      withBytes([1, 0x71, 0x12, 0x20] + withBytes(cbor) { SHA256Digest.of($0) }) { CID.appendText($0, to: cid) }
    }
    let texts = [
      did, stamp, isOperation ? "3ltest" + EventSketch.base32(number, digits: 7) : "", collection,
      isOperation ? key : "",
      path, isOperation ? "at://\(did)/\(path)" : "", cid.bytes.string, handle, status,
    ].map { Array($0.utf8) }
    return withBytes(texts.flatMap { $0 } + cbor) { all in
      var at = 0
      let parts = (texts.map(\.count) + [cbor.count]).map { count in
        defer { at += count }
        return all[Slice(offset: at, count: count)]
      }
      var action = Action(
        name: name, id: 1_500_000_000_000_000_000 + Int64(number), sequence: Int64(number), did: parts[0],
        time: parts[1],
        clockMs: clockMs, receivedAtMicros: clockMs * 1000)
      action.rev = parts[2]
      action.collection = parts[3]
      action.rkey = parts[4]
      action.path = parts[5]
      action.uri = parts[6]
      action.cid = parts[7]
      action.handle = parts[8]
      action.status = parts[9]
      action.isActive = isActive
      action.record = parts[10]
      action.recordError = recordError
      return body(action)
    }
  }

  private static func base32(_ number: Int, digits: Int) -> String {
    let alphabet = Array("234567abcdefghijklmnopqrstuvwxyz")
    return String((0..<digits).map { alphabet[number >> ((digits - 1 - $0) * 5) & 31] })
  }

  /// One line for a failure: the event as the test says it, as far as it fits.
  var summary: String { source.shown(limit: 600) }
}

extension RuleValue {
  /// Without what the words of tests left in it.
  var clean: RuleValue {
    guard case .table(let entries) = self else { return self }
    if let make = self["$make"]?.text, ["blob", "bytes", "link"].contains(make) { return self }
    return .table(
      entries.filter { $0.key != "$make" && $0.key != "$line" && $0.key != "$effect" }.map {
        RuleEntry(key: $0.key, index: $0.index, value: $0.value.clean)
      })
  }

  func adding(_ key: String, _ value: RuleValue) -> RuleValue {
    guard case .table(let entries) = self else { return self }
    return .table(entries + [RuleEntry(key: key, index: 0, value: value)])
  }

  /// As it would stand in a test file, cut.
  func shown(limit: Int = 200) -> String {
    let whole = written
    return whole.count > limit ? whole.prefix(limit) + "…" : whole
  }

  private func isName(_ key: String) -> Bool {
    key.utf8.allSatisfy {
      $0 == 0x5f || $0 >= 0x61 && $0 <= 0x7a || $0 >= 0x41 && $0 <= 0x5a || $0 >= 0x30 && $0 <= 0x39
    }
  }

  private var written: String {
    switch self {
    case .text(let text): return quoted(text)
    case .integer(let value): return "\(value)"
    case .number(let value): return "\(value)"
    case .bool(let value): return "\(value)"
    case .function: return "function"
    case .table(let entries):
      let sorted = entries.sorted { ($0.key, $0.index) < ($1.key, $1.index) }.filter {
        !["$line", "$make", "$effect"].contains($0.key)
      }
      let items = sorted.map { entry in
        if entry.key.isEmpty { return entry.value.written }
        return "\(isName(entry.key) ? entry.key : "[\(quoted(entry.key))]") = \(entry.value.written)"
      }
      return (make.map { $0 + " " } ?? "") + listed(items)
    }
  }
}
