import ATProto
import Glibc
import Osprey

/// What rules ask about an event beyond its plain fields: links, domains, mentions and so on, each worked out once and only
/// when somebody asks. Reads the record in place; nothing is allocated once the lists have grown to their usual size.
final class EventFacts {
  /// Everything about the current event; valid between `begin` and the end of the judging.
  private(set) var action: Action
  let record = RecordView()
  private var hasFacets = false
  private var hasLinks = false
  private var hasDomains = false
  private var hasTags = false
  private var hasLangs = false
  private(set) var links: [Bytes] = []
  /// How many of `links`, from the first, are links of facets.
  private var facetLinkCount = 0
  private(set) var mentions: [Bytes] = []
  private(set) var tags: [Bytes] = []
  private(set) var langs: [Bytes] = []
  /// Hosts, lower case, as slices of `hosts`.
  private(set) var domains: [Slice] = []
  let hosts = ByteWriter(capacity: 1024)
  /// Where texts are written that do not stand in the event as such (CIDs); each call overwrites it.
  let scratch = ByteWriter(capacity: 256)

  /// What is known about accounts, and about the event's own: looked up once, when somebody asks.
  var directory: AccountDirectory?
  private var knownAccount: AccountDirectory.Account?
  private var hasAccount = false
  /// The account's profile. Its nodes are told from the record's by `profileNodes`.
  let profile = RecordView()
  static let profileNodes: UInt32 = 1 << 31
  private let textFacts: TextFacts
  private var hasAltTexts = false
  private(set) var altTexts: [Bytes] = []

  init(_ library: TextLibrary) {
    textFacts = TextFacts(library)
    action = Action(
      name: .info, id: 0, sequence: 0, did: .empty, time: .empty, clockMs: 0, receivedAtMicros: 0)
  }

  func begin(_ action: Action) {
    self.action = action
    record.reset(action.record)
    hasFacets = false
    hasLinks = false
    hasDomains = false
    hasTags = false
    hasLangs = false
    hasAltTexts = false
    hasAccount = false
    textFacts.begin()
  }

  // MARK: The account

  /// What the directory knows about the event's account.
  var account: AccountDirectory.Account? {
    guard let directory else { return nil }
    if !hasAccount {
      hasAccount = true
      knownAccount = action.did.isEmpty ? nil : directory.account(action.did)
      profile.reset(knownAccount?.profile ?? .empty)
    }
    return knownAccount
  }

  /// What the event itself announces, else what is known.
  var handle: Bytes { action.handle.isEmpty ? account?.handle ?? .empty : action.handle }

  /// Seconds from the account's creation to the event; nil where it is not known, 0 where it comes after.
  var accountAge: Int64? { account?.createdAtMs.map { max(0, action.clockMs - $0) / 1000 } }

  // MARK: Single values

  private func text(_ value: RecordValue) -> Bytes? {
    guard case .text(let bytes) = value else { return nil }
    return bytes
  }

  /// A text member of the record's top map.
  func recordText(_ key: StaticString) -> Bytes? { text(record.get(record.root, key)) }

  private func isPresent(_ value: RecordValue) -> Bool {
    switch value {
    case .absent, .null: false
    default: true
    }
  }

  var isReply: Bool { isPresent(record.get(record.root, "reply")) }
  var replyRoot: Bytes? { text(record.get(record.get(record.get(record.root, "reply"), "root"), "uri")) }
  var replyParent: Bytes? { text(record.get(record.get(record.get(record.root, "reply"), "parent"), "uri")) }

  /// The quoted post: `embed.record.uri`, with media `embed.record.record.uri` (app.bsky.embed.record, …recordWithMedia).
  var quote: Bytes? {
    let embedded = record.get(record.get(record.root, "embed"), "record")
    return text(record.get(embedded, "uri")) ?? text(record.get(record.get(embedded, "record"), "uri"))
  }

  /// The link card's address: `embed.external.uri`, with media `embed.media.external.uri`.
  var external: Bytes? {
    let embed = record.get(record.root, "embed")
    return text(record.get(record.get(embed, "external"), "uri"))
      ?? text(record.get(record.get(record.get(embed, "media"), "external"), "uri"))
  }

  var images: Int {
    let embed = record.get(record.root, "embed")
    for holder in [embed, record.get(embed, "media")] {
      if case .array(let node) = record.get(holder, "images") { return record.count(node).count }
    }
    return 0
  }

  // MARK: Lists

  /// Length of the list behind a field, after working it out where needed.
  func count(_ field: EventField) -> Int {
    switch field {
    case .links:
      findLinks()
      return links.count
    case .domains:
      findDomains()
      return domains.count
    case .mentions:
      findFacets()
      return mentions.count
    case .tags:
      findTags()
      return tags.count
    case .langs:
      findLangs()
      return langs.count
    case .tokens:
      guard let text = recordText("text") else { return 0 }
      textFacts.findTokens(text)
      return textFacts.tokens.count
    case .emoji:
      guard let text = recordText("text") else { return 0 }
      textFacts.findEmoji(text)
      return textFacts.emoji.count
    case .altTexts:
      findAltTexts()
      return altTexts.count
    default: return 0
    }
  }

  /// Entry `index` (from 0) of a list; nil past its end.
  func item(_ field: EventField, _ index: Int) -> Bytes? {
    guard index >= 0, index < count(field) else { return nil }
    switch field {
    case .links: return links[index]
    case .domains: return hosts[domains[index]]
    case .mentions: return mentions[index]
    case .tags: return tags[index]
    case .langs: return langs[index]
    case .tokens: return textFacts.token(index)
    case .emoji: return recordText("text").map { $0[textFacts.emoji[index]] }
    case .altTexts: return altTexts[index]
    default: return nil
    }
  }

  private func append(_ value: RecordValue, to list: inout [Bytes]) {
    if let bytes = text(value), list.count < RuleLimits.listItemsMax { list.append(bytes) }
  }

  /// Links, mentions and tags of the facets in one walk (app.bsky.richtext.facet).
  private func findFacets() {
    guard !hasFacets else { return }
    hasFacets = true
    links.removeAll(keepingCapacity: true)
    mentions.removeAll(keepingCapacity: true)
    tags.removeAll(keepingCapacity: true)
    facetLinkCount = 0
    defer { facetLinkCount = links.count }
    guard case .array(let facets) = record.get(record.root, "facets") else { return }
    for index in 0..<min(record.count(facets).count, RuleLimits.listItemsMax) {
      guard case .array(let features) = record.get(record.element(facets, index), "features") else { continue }
      for at in 0..<min(record.count(features).count, RuleLimits.facetFeaturesMax) {
        let feature = record.element(features, at)
        guard let type = text(record.get(feature, "$type")) else { continue }
        if type == "app.bsky.richtext.facet#link" {
          append(record.get(feature, "uri"), to: &links)
        } else if type == "app.bsky.richtext.facet#mention" {
          append(record.get(feature, "did"), to: &mentions)
        } else if type == "app.bsky.richtext.facet#tag" {
          append(record.get(feature, "tag"), to: &tags)
        }
      }
    }
  }

  private func findTags() {
    guard !hasTags else { return }
    hasTags = true
    findFacets()
    appendAll(record.get(record.root, "tags"), to: &tags)
  }

  /// `text.clean` of the text.
  var textClean: Bytes? { recordText("text").map { textFacts.clean($0) } }

  /// What pictures and videos show, in the words of who posted them; empty texts are left out.
  private func findAltTexts() {
    guard !hasAltTexts else { return }
    hasAltTexts = true
    altTexts.removeAll(keepingCapacity: true)
    let embed = record.get(record.root, "embed")
    for holder in [embed, record.get(embed, "media")] {
      appendFilled(record.get(holder, "alt"), to: &altTexts)
      guard case .array(let images) = record.get(holder, "images") else { continue }
      for index in 0..<min(record.count(images).count, RuleLimits.listItemsMax) {
        appendFilled(record.get(record.element(images, index), "alt"), to: &altTexts)
      }
    }
  }

  private func appendFilled(_ value: RecordValue, to list: inout [Bytes]) {
    if let bytes = text(value), !bytes.isEmpty { append(value, to: &list) }
  }

  private func findLangs() {
    guard !hasLangs else { return }
    hasLangs = true
    langs.removeAll(keepingCapacity: true)
    appendAll(record.get(record.root, "langs"), to: &langs)
  }

  private func appendAll(_ value: RecordValue, to list: inout [Bytes]) {
    guard case .array(let node) = value else { return }
    for index in 0..<min(record.count(node).count, RuleLimits.listItemsMax) {
      append(record.element(node, index), to: &list)
    }
  }

  /// Facet links and the link card; where no facet has a link, the addresses that stand in the text.
  private func findLinks() {
    guard !hasLinks else { return }
    hasLinks = true
    findFacets()
    if links.isEmpty, let text = recordText("text") {
      eachAddress(in: text) { if links.count < RuleLimits.listItemsMax { links.append($0) } }
    }
    if let external, links.count < RuleLimits.listItemsMax, !links.contains(where: { $0 == external }) {
      links.append(external)
    }
  }

  /// `http://…` and `https://…` in running text, up to a blank, a quote, an angle bracket or what is not ASCII.
  private func eachAddress(in text: Bytes, _ found: (Bytes) -> Void) {
    // Most texts have no colon, and memchr is a good deal faster than the loop.
    guard memchr(text.base, 0x3a, text.count) != nil else { return }
    var at = 0
    while at + 8 <= text.count {
      guard text[at] | 0x20 == 0x68, let body = schemeEnd(text, at) else {
        at += 1
        continue
      }
      var end = body
      while end < text.count, isAddressByte(text[end]) { end += 1 }
      while end > body, isClosing(text[end - 1]) { end -= 1 }
      if end > body { found(text[Slice(offset: at, count: end - at)]) }
      at = max(end, at + 1)
    }
  }

  private func isAddressByte(_ byte: UInt8) -> Bool {
    byte > 0x20 && byte < 0x7f && byte != 0x22 && byte != 0x3c && byte != 0x3e
  }

  /// `.,;:!?)]'*_`: a sentence's, not an address's.
  private func isClosing(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x2e, 0x2c, 0x3b, 0x3a, 0x21, 0x3f, 0x29, 0x5d, 0x27, 0x2a, 0x5f: true
    default: false
    }
  }

  /// The position behind `http://` or `https://` at `at`, in any case; nil where neither stands there.
  private func schemeEnd(_ text: Bytes, _ at: Int) -> Int? {
    let scheme: StaticString = "https"
    var position = at
    for index in 0..<4 {
      guard position < text.count, text[position] | 0x20 == scheme.utf8Start[index] else { return nil }
      position += 1
    }
    if position < text.count, text[position] | 0x20 == 0x73 { position += 1 }
    guard position + 3 <= text.count, text[position] == 0x3a, text[position + 1] == 0x2f, text[position + 2] == 0x2f
    else { return nil }
    return position + 3
  }

  /// Hosts of the links and of what looks like a link in the text, with and without scheme, each once.
  private func findDomains() {
    guard !hasDomains else { return }
    hasDomains = true
    findLinks()
    hosts.removeAll()
    domains.removeAll(keepingCapacity: true)
    for link in links where schemeEnd(link, 0) != nil { addDomain(TextLibrary.host(of: link)) }
    guard let text = recordText("text") else { return }
    if facetLinkCount > 0 { eachAddress(in: text) { addDomain(TextLibrary.host(of: $0)) } }
    BareHosts.find(in: text) { addDomain($0, isBare: true) }
  }

  /// Notes a host in lower case and without `www.`; one without scheme only where the public suffix list knows its end.
  private func addDomain(_ name: Bytes, isBare: Bool = false) {
    guard !name.isEmpty, domains.count < RuleLimits.domainsMax else { return }
    let from = hosts.count
    for index in 0..<name.count {
      let byte = name[index]
      hosts.append(byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte)
    }
    var host = Slice(offset: from, count: name.count)
    if host.count > 4, hosts[Slice(offset: from, count: 4)] == "www." {
      host = Slice(offset: from + 4, count: host.count - 4)
    }
    let bytes = hosts[host]
    if domains.contains(where: { hosts[$0] == bytes }) || (isBare && !TextLibrary.isKnownHost(bytes)) {
      hosts.truncate(to: from)
    } else {
      domains.append(host)
    }
  }
}

// MARK: Default features

extension EventFacts {
  /// `create`, `update` or `delete`; empty outside operations.
  var operationKind: Bytes {
    switch action.name {
    case .operationCreate: Bytes("create")
    case .operationUpdate: Bytes("update")
    case .operationDelete: Bytes("delete")
    default: .empty
    }
  }

  /// The default features that come from the record; those of the action are written by `VerdictWriter`.
  func addDefaultFeatures(to verdict: Verdict) {
    if let account {
      verdict.setAccount(
        handle: account.handle, pdsHost: account.pdsHost, createdAtMs: account.createdAtMs, ageSeconds: accountAge)
    }
    if action.collection == "app.bsky.feed.post", !action.record.isEmpty {
      if let text = recordText("text") {
        verdict.addFeature(Bytes("PostText"), text.prefixUTF8(RuleLimits.postTextBytesMax))
      }
      addList("PostAllDomains", count(.domains), to: verdict) { hosts[domains[$0]] }
      addList("FacetLinkList", facetLinkCount, to: verdict) { links[$0] }
      if let quote { verdict.addFeature(Bytes("PostEmbedRecordUri"), quote.prefixUTF8(RuleLimits.featureTextBytesMax)) }
    }
    if let reason = action.recordError {
      scratch.removeAll()
      scratch.append(reason.rawValue)
      verdict.addFeature(Bytes("RecordError"), scratch.bytes)
    }
  }

  private func addList(_ name: StaticString, _ count: Int, to verdict: Verdict, _ item: (Int) -> Bytes) {
    guard count > 0 else { return }
    verdict.addListFeature(Bytes(name))
    for index in 0..<min(count, RuleLimits.featureItemsMax) {
      verdict.addItem(item(index).prefixUTF8(RuleLimits.featureTextBytesMax))
    }
  }

  /// Writes a default feature into a comment; nothing where it is not known.
  func appendDefault(_ name: Bytes, to out: ByteWriter) {
    if name == "UserId" {
      out.append(action.did)
    } else if name == "Handle" {
      out.append(handle)
    } else if name == "PdsHost" {
      out.append(account?.pdsHost ?? .empty)
    } else if name == "AccountAgeSeconds", let age = accountAge {
      out.append(decimal: age)
    } else if name == "Collection" {
      out.append(action.collection)
    } else if name == "OperationKind" {
      out.append(operationKind)
    } else if name == "AtUri" {
      out.append(action.uri)
    } else if name == "ActionName" {
      out.append(action.name.text)
    } else if name == "RecordKey" {
      out.append(action.rkey)
    } else if name == "Cid" {
      out.append(action.cid)
    } else if name == "PostText", let text = recordText("text") {
      out.append(text.prefixUTF8(RuleLimits.commentBytesMax))
    }
  }
}
