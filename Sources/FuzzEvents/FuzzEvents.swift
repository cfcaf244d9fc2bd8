import ATProto
import FrameKit
import FuzzKit
import Rules

/// Asks for every field of the event and calls every function of the library on what it finds there.
private let everything = #"""
  local function all(event)
    local words = { event.text, event.display_name, event.description, event.handle, event.rkey, event.external,
      event.reply_root, event.quote, event.status, event.record_error, event.rev, event.time, event.cid, event.path }
    for _, list in ipairs { event.links, event.domains, event.mentions, event.tags, event.langs, event.alt_texts,
      event.tokens, event.emoji } do
      for index, value in ipairs(list) do
        if index > 20 then break end
        table.insert(words, value)
      end
    end
    local sum = 0
    for _, word in pairs(words) do
      local folded = text.fold(word)
      sum = sum + text.len(word) + #text.tokens(word) + #text.emoji(word) + text.count(word, "a") + #text.clean(word)
      sum = sum + text.similarity(word, event.text)
      if text.contains(word, "casino") or text.contains(word, { "free money", folded or "" }) then sum = sum + 1 end
      local did, host = uri.did(word), domain.of(word)
      sum = sum + #(did or "") + #(uri.collection(word) or "") + #(uri.rkey(word) or "")
      sum = sum + #(domain.registrable(host) or "") + #hash.of(word) + #hash.sha256(folded)
      sum = sum + (time.hour(word) or 0) + (time.weekday(word) or 0) + (time.unix(word) or 0) % 7
      count("words", folded, minutes(5)):add()
      distinct("lengths", word, hours(1)):add(folded)
      cache.set(string.sub(word, 1, 100), string.sub(word, 1, 500), hours(1))
      sum = sum + #tostring(cache.get(string.sub(word, 1, 100)))
      sum = sum + #word:upper() + #word:lower() + #word:reverse() + (word:find("x", 1) or 0)
    end
    return sum
  end
  local function walk(value, depth)
    if type(value) ~= "table" or depth > 6 then return 1 end
    local sum = 0
    for key, inner in pairs(value) do sum = sum + #tostring(key) + walk(inner, depth + 1) end
    return sum
  end
  return {
    rule { name = "Everything", about = "All of the library.", when = function(event)
      local sum = all(event)
      return sum > 10, { Sum = sum, Text = event.text, Links = event.links, Emoji = event.emoji, Folded = text.fold(event.text) }
    end, effects = { verdict "review", label { "spam", expires = hours(24), comment = "{Text} {Links} {Sum}" },
      tag { "seen", on = "uri" }, flag "watch" } },
    rule { name = "Walk", about = "All of the record.", when = function(event)
      local sum = walk(event.record, 0) + walk(event.facets, 0)
      sum = sum + event.images + (event.is_reply and 1 or 0) + #(event.uri or "") + #event.action
      local posts = count("posts", event.did, minutes(10))
      posts:add()
      return sum > 3 and posts:crossed(3), { Walked = sum, Labelled = entity.has(event.did, "spam"),
        Since = time.since(event.record.createdAt), Young = young(event, days(7)) }
    end, effects = { verdict "review", unlabel "spam" }, mode = "shadow" },
  }
  """#

/// libFuzzer runs one input at a time on one thread.
nonisolated(unsafe) private let bench = RuleBench()
nonisolated(unsafe) private let folder = RuleFolder()
private let host = load()
private let twin = load()
nonisolated(unsafe) private var clockMs: Int64 = 1_783_175_954_000

private func load() -> RuleHost {
  folder.write("everything.lua", everything)
  do throws(RuleErrors) {
    // Instructions end a rule here and never the clock, which is the one thing that may differ between the two hosts.
    var options = RuleOptions()
    options.ruleNanosecondsMax = 60_000_000_000
    let host = try RuleHost.load(directory: folder.path, options: options)
    host.onFault = { lastFault = $0.message }
    return host
  } catch {
    finding("\(error)")
  }
}

/// What went wrong last in one of the hosts.
nonisolated(unsafe) private var lastFault = ""

/// Any bytes as a record: as they are, or as directions for building one that is well-formed. The same event judged by two
/// hosts of the same past gives the same verdict.
func fuzzEvents(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = [UInt8](UnsafeRawBufferPointer(start: data, count: count))
  guard let first = input.first else { return 0 }
  var script = Script(Array(input.dropFirst()))
  let record = first & 1 == 0 ? Array(input.dropFirst()) : script.record().encoded
  let paths = ["app.bsky.feed.post/3l6oveex3ii2k", "app.bsky.actor.profile/self", "app.bsky.graph.list/3l6oveex3ii2k"]
  let frame = CommitFrame([Op("create", paths[Int(first >> 1) % paths.count], record)]).encoded
  clockMs += Int64(first) * 100
  lastFault = ""
  let one = bench.judge(frame, host, clockMs: clockMs)
  let other = bench.judge(frame, twin, clockMs: clockMs)
  law(one == other, "two hosts of the same past differ (last fault: \(lastFault)):\n\(one)\n\(other)")
  return 0
}

/// Reads the input as directions for a record: known members, some nested, texts taken from the input itself.
private struct Script {
  private let bytes: [UInt8]
  private var at = 0
  private var itemsLeft = 200

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  private static let keys = [
    "$type", "text", "facets", "features", "uri", "did", "tag", "index", "byteStart", "byteEnd", "embed", "external",
    "title", "description", "images", "alt", "record", "cid", "reply", "root", "parent", "langs", "tags", "createdAt",
    "displayName", "subject", "labels", "values", "val", "media", "video", "thumb", "name", "purpose", "pinnedPost",
  ]
  private static let texts = [
    "app.bsky.feed.post", "app.bsky.actor.profile", "app.bsky.richtext.facet#link", "app.bsky.richtext.facet#mention",
    "app.bsky.richtext.facet#tag", "app.bsky.embed.external", "app.bsky.embed.images", "app.bsky.embed.record",
    "app.bsky.embed.recordWithMedia", "app.bsky.embed.video", "https://example.com/a?b=c", "2026-07-04T14:38:07.918Z",
    "at://did:plc:44ybard66vv44zksje25o7dz/app.bsky.feed.post/3l6oveex3ii2k", "did:plc:44ybard66vv44zksje25o7dz", "en",
  ]

  private mutating func next() -> Int {
    guard at < bytes.count else { return 0 }
    defer { at += 1 }
    return Int(bytes[at])
  }

  mutating func record() -> Item { map(depth: 0) }

  private mutating func map(depth: Int) -> Item {
    var fields: [(String, Item)] = []
    for _ in 0..<min(next() % 12, itemsLeft) {
      let key = Self.keys[next() % Self.keys.count]
      let value = item(depth: depth + 1)
      fields = fields.with(key, value)
    }
    return .map(fields)
  }

  private mutating func item(depth: Int) -> Item {
    itemsLeft -= 1
    guard at < bytes.count, itemsLeft > 0 else { return .null }
    switch next() % (depth > 8 ? 6 : 9) {
    case 0: return .int(Int64(next()) - 3)
    case 1: return .text(Self.texts[next() % Self.texts.count])
    case 2, 3, 4: return .text(String(decoding: slice(), as: UTF8.self))
    case 5: return .bool(next() & 1 == 1)
    case 6: return .array((0..<next() % 6).map { _ in item(depth: depth + 1) })
    default: return map(depth: depth)
    }
  }

  private mutating func slice() -> ArraySlice<UInt8> {
    let end = min(bytes.count, at + next() + 1)
    defer { at = end }
    return bytes[min(at, end)..<end]
  }
}
