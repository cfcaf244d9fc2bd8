import ATProto

/// A record made of the short fields of `post { … }` and the like, and how it is written as DAG-CBOR.
struct RecordDraft {
  var collection = ""
  var rkey = ""
  var record = RuleValue.table([])
  /// Whether `createdAt` is to be the event's time.
  var wantsTime = true

  /// Any record's CID will do where one has to stand.
  static let someCID = "bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
  static let someURI = "at://did:plc:otheraaaaaaaaaaaaaaaaaaa/app.bsky.feed.post/3ltest2222222"
  private var fields: [(String, RuleValue)] = []

  init(_ make: String, _ value: RuleValue) throws(SketchError) {
    let known: [String]
    switch make {
    case "post", "reply":
      known = try post(value, isReply: make == "reply")
      collection = "app.bsky.feed.post"
    case "like", "repost":
      known = ["subject"]
      collection = "app.bsky.feed.\(make)"
      add("subject", RecordDraft.reference(value["subject"]?.text ?? value.items.first?.text ?? Self.someURI))
    case "follow", "block":
      known = ["subject"]
      collection = "app.bsky.graph.\(make)"
      add("subject", .text(EventSketch.did(value["subject"]?.text ?? value.items.first?.text ?? "other")))
    case "profile":
      known = ["display_name", "description", "avatar", "banner"]
      collection = "app.bsky.actor.profile"
      rkey = "self"
      copy(value, [("display_name", "displayName"), ("description", "description")])
      for key in ["avatar", "banner"] where value[key]?.bool ?? (value[key] != nil) {
        add(key, .blob("image/jpeg", 50_000))
      }
    case "list":
      known = ["name", "description", "purpose"]
      collection = "app.bsky.graph.list"
      copy(value, [("name", "name"), ("description", "description")])
      add("purpose", .text("app.bsky.graph.defs#\(value["purpose"]?.text ?? "curatelist")"))
    case "listitem":
      known = ["list", "subject"]
      collection = "app.bsky.graph.listitem"
      add("subject", .text(EventSketch.did(value["subject"]?.text ?? "other")))
      add("list", .text(value["list"]?.text ?? "at://\(EventSketch.defaultDID)/app.bsky.graph.list/3ltest2222222"))
    case "starterpack":
      known = ["name", "description", "list", "feeds"]
      collection = "app.bsky.graph.starterpack"
      copy(value, [("name", "name"), ("description", "description")])
      add("list", .text(value["list"]?.text ?? "at://\(EventSketch.defaultDID)/app.bsky.graph.list/3ltest2222222"))
      if let feeds = value["feeds"] {
        add("feeds", .list(feeds.items.compactMap(\.text).map { .map([("uri", .text($0))]) }))
      }
    default: throw SketchError("'\(make)' is not an event", try: "post { text = \"…\" }, follow { … }, record { … }")
    }
    try EventSketch.check(value, known + EventSketch.commonKeys + ["created_at", "with"])
    if let time = value["created_at"]?.text { add("createdAt", .text(time)) }
    wantsTime = value["created_at"] == nil
    // Members that have no short field.
    if case .table(let entries)? = value["with"]?.clean { for entry in entries { add(entry.key, entry.value) } }
    record = .map([("$type", .text(collection))] + fields)
  }

  private mutating func add(_ key: String, _ value: RuleValue) {
    fields.removeAll { $0.0 == key }
    fields.append((key, value))
  }

  private mutating func copy(_ value: RuleValue, _ keys: [(from: String, to: String)]) {
    for key in keys { if let text = value[key.from] { add(key.to, text) } }
  }

  private static func reference(_ uri: String) -> RuleValue { .map([("uri", .text(uri)), ("cid", .text(someCID))]) }

  // MARK: Posts

  /// The fields of a post; returns which there are.
  private mutating func post(_ value: RuleValue, isReply: Bool) throws(SketchError) -> [String] {
    let text = value["text"]?.text ?? value.items.first?.text ?? ""
    add("text", .text(text))
    copy(value, [("langs", "langs")])
    var facets: [RuleValue] = []
    var from = 0
    func facet(_ shown: [String], _ feature: [(String, RuleValue)]) {
      let range = RecordDraft.range(of: shown, in: text, from: &from)
      facets.append(
        .map([
          (
            "index",
            .map([("byteStart", .integer(Int64(range.lowerBound))), ("byteEnd", .integer(Int64(range.upperBound)))])
          ),
          ("features", .list([.map(feature)])),
        ]))
    }
    for link in texts(value["links"]) {
      facet([link], [("$type", .text("app.bsky.richtext.facet#link")), ("uri", .text(link))])
    }
    for domain in texts(value["domains"]) {
      facet([domain], [("$type", .text("app.bsky.richtext.facet#link")), ("uri", .text("https://\(domain)/"))])
    }
    for mention in texts(value["mentions"]) {
      facet(
        ["@\(mention)", mention],
        [("$type", .text("app.bsky.richtext.facet#mention")), ("did", .text(EventSketch.did(mention)))])
    }
    for tag in texts(value["tags"]) {
      facet(["#\(tag)", tag], [("$type", .text("app.bsky.richtext.facet#tag")), ("tag", .text(tag))])
    }
    if !facets.isEmpty { add("facets", .list(facets)) }
    if isReply || value["reply_to"] != nil || value["root"] != nil {
      let parent = value["reply_to"]?.text ?? value["to"]?.text ?? Self.someURI
      add(
        "reply",
        .map([
          ("parent", RecordDraft.reference(parent)), ("root", RecordDraft.reference(value["root"]?.text ?? parent)),
        ]))
    }
    embed(value)
    return [
      "text", "links", "domains", "mentions", "tags", "langs", "reply_to", "root", "quote", "external", "images",
    ] + (isReply ? ["to"] : [])
  }

  /// A text, a list of texts, or nothing.
  private func texts(_ value: RuleValue?) -> [String] {
    value?.text.map { [$0] } ?? value?.items.compactMap(\.text) ?? []
  }

  /// Pictures, a link card and a quoted record, as app.bsky.embed has them.
  private mutating func embed(_ value: RuleValue) {
    var media: RuleValue?
    if let images = value["images"] {
      let alts =
        images.integer.map { Array(repeating: "", count: max(0, Int(clamping: min($0, 100)))) } ?? texts(images)
      let list = alts.map { RuleValue.map([("alt", .text($0)), ("image", .blob("image/jpeg", 100_000))]) }
      media = .map([("$type", .text("app.bsky.embed.images")), ("images", .list(list))])
    } else if let external = value["external"] {
      let card = RuleValue.map([
        ("uri", .text(external.text ?? external["uri"]?.text ?? "")), ("title", .text(external["title"]?.text ?? "")),
        ("description", .text(external["description"]?.text ?? "")),
      ])
      media = .map([("$type", .text("app.bsky.embed.external")), ("external", card)])
    }
    guard let quote = value["quote"] else {
      if let media { add("embed", media) }
      return
    }
    let quoted = RuleValue.map([
      ("$type", .text("app.bsky.embed.record")), ("record", RecordDraft.reference(quote.text ?? Self.someURI)),
    ])
    guard let media else { return add("embed", quoted) }
    add("embed", .map([("$type", .text("app.bsky.embed.recordWithMedia")), ("record", quoted), ("media", media)]))
  }

  /// Bytes of the first of `shown` that stands in the text behind `from`; where none does, the whole text.
  private static func range(of shown: [String], in text: String, from: inout Int) -> Range<Int> {
    let bytes = Array(text.utf8)
    for what in shown.map({ Array($0.utf8) }) where !what.isEmpty && what.count <= bytes.count {
      for start in [from, 0] where start + what.count <= bytes.count {
        for at in start...(bytes.count - what.count) where Array(bytes[at..<at + what.count]) == what {
          from = at + what.count
          return at..<at + what.count
        }
      }
    }
    return 0..<bytes.count
  }

  // MARK: DAG-CBOR

  static func encode(_ record: RuleValue) throws(SketchError) -> [UInt8] {
    var writer = CBORWriter()
    try write(record, &writer)
    return writer.bytes
  }

  private static func write(_ value: RuleValue, _ writer: inout CBORWriter) throws(SketchError) {
    switch value {
    case .text(let text): writer.text(text)
    case .integer(let value): writer.int(value)
    case .number(let value):
      guard value.isFinite else { throw SketchError("a record cannot hold infinity or what is not a number") }
      writer.double(value)
    case .bool(let value): writer.bool(value)
    case .function: throw SketchError("a record cannot hold a function")
    case .table(let entries):
      if let make = value["$make"]?.text { return try writeSpecial(make, value, &writer) }
      if entries.contains(where: { !$0.key.isEmpty }) {
        if entries.contains(where: { $0.key.isEmpty }) {
          throw SketchError("a table of a record has both names and numbers", try: "either { a = 1 } or { 1, 2 }")
        }
        try writer.sortedMap { (map: inout CBORMapWriter) throws(SketchError) in
          for entry in entries {
            try map.entry(entry.key) { (writer: inout CBORWriter) throws(SketchError) in
              try write(entry.value, &writer)
            }
          }
        }
      } else {
        writer.array(entries.count)
        for item in value.items { try write(item, &writer) }
      }
    }
  }

  /// `link "bafy…"`, `bytes "…"`, `blob { mime = "…", size = 1 }`.
  private static func writeSpecial(
    _ make: String, _ value: RuleValue, _ writer: inout CBORWriter
  ) throws(SketchError) {
    switch make {
    case "link":
      guard let cid = value.items.first?.text.flatMap(binaryCID) else {
        throw SketchError("link needs the text of a CID", try: "link \"\(someCID)\"")
      }
      writer.link(cid)
    case "bytes": writer.byteString(Array((value.items.first?.text ?? "").utf8))
    case "blob":
      let mime = value["mime"]?.text ?? value.items.first?.text ?? "image/jpeg"
      var digest = withBytes(Array(mime.utf8)) { SHA256Digest.of($0) }
      if let cid = value["ref"]?.text.flatMap(binaryCID) { digest = Array(cid.suffix(32)) }
      let size = value["size"]?.integer ?? 100_000
      writer.sortedMap { map in
        map.entry("$type") { $0.text("blob") }
        map.entry("ref") { $0.link([1, 0x55, 0x12, 0x20] + digest) }
        map.entry("mimeType") { $0.text(mime) }
        map.entry("size") { $0.int(size) }
      }
    default: throw SketchError("'\(make)' cannot stand in a record")
    }
  }

  /// The bytes of a CIDv1 in base32.
  private static func binaryCID(_ text: String) -> [UInt8]? {
    guard text.hasPrefix("b") else { return nil }
    var bytes: [UInt8] = []
    var (bits, count): (UInt32, Int) = (0, 0)
    for byte in text.utf8.dropFirst() {
      let digit: UInt8
      switch byte {
      case 0x61...0x7a: digit = byte - 0x61
      case 0x32...0x37: digit = byte - 0x32 + 26
      default: return nil
      }
      bits = bits << 5 | UInt32(digit)
      count += 5
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    return withBytes(bytes) { CID.isWellFormed($0) } ? bytes : nil
  }
}

extension RuleValue {
  static func map(_ pairs: [(String, RuleValue)]) -> RuleValue {
    .table(pairs.map { RuleEntry(key: $0.0, index: 0, value: $0.1) })
  }

  static func list(_ items: [RuleValue]) -> RuleValue {
    .table(items.enumerated().map { RuleEntry(key: "", index: Int64($0.offset + 1), value: $0.element) })
  }

  static func blob(_ mime: String, _ size: Int64) -> RuleValue {
    .map([("$make", .text("blob")), ("mime", .text(mime)), ("size", .integer(size))])
  }
}
