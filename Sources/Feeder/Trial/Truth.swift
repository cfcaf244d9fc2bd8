import ATProto

/// One event that is known to belong to a campaign.
struct TruthEntry: Equatable {
  /// Empty where the event has no record.
  var uri: String
  var did: String
  /// Index of the campaign's name.
  var campaign: Int
  /// 0 where it is not known.
  var sequence: Int64
}

/// What is known about a stretch of traffic: JSON lines with `uri` (or null), `did`, `campaign` and, for events without a
/// record, `seq` (CONTRACT.md, "simulate"). Other members are passed over.
package struct Truth: Sendable {
  /// Damaged frames of the simulator: nothing is expected of rules there, and no hit on one is false.
  static let malformed = "malformed"

  /// Names of the campaigns, sorted.
  package private(set) var campaigns: [String] = []
  private(set) var entries: [TruthEntry] = []
  private var bySequence: [Int64: [Int]] = [:]
  private var byURI: [String: Int] = [:]
  /// Whether any line came without `seq`.
  private var hasUnnumbered = false
  private(set) var malformedSequences: Set<Int64> = []

  /// Reads the lines; throws the number of the first that is not understood.
  package init(lines bytes: Bytes) throws(TruthError) {
    var names: [String: Int] = [:]
    var found: [(TruthEntry, name: String)] = []
    var start = 0
    var number = 0
    while start < bytes.count {
      number += 1
      var end = start
      while end < bytes.count, bytes[end] != 0x0a { end += 1 }
      let line = bytes[Slice(offset: start, count: end - start)]
      start = end + 1
      if line.isEmpty { continue }
      do throws(JSONError) {
        let (entry, name) = try Self.entry(line)
        if name == Self.malformed {
          malformedSequences.insert(entry.sequence)
        } else {
          found.append((entry, name))
          names[name] = 0
        }
      } catch {
        throw TruthError(line: number, reason: "\(error)")
      }
    }
    campaigns = names.keys.sorted()
    for (index, name) in campaigns.enumerated() { names[name] = index }
    for (index, pair) in found.enumerated() {
      var entry = pair.0
      entry.campaign = names[pair.name] ?? 0
      entries.append(entry)
      if entry.sequence == 0 { hasUnnumbered = true }
      if entry.sequence > 0 { bySequence[entry.sequence, default: []].append(index) }
      if !entry.uri.isEmpty { byURI[entry.uri] = index }
    }
  }

  private static func entry(_ line: Bytes) throws(JSONError) -> (TruthEntry, name: String) {
    var entry = TruthEntry(uri: "", did: "", campaign: 0, sequence: 0)
    var name = ""
    var reader = JSONReader(line)
    let scratch = ByteWriter(capacity: 256)
    func text(_ reader: inout JSONReader) throws(JSONError) -> String {
      scratch.removeAll()
      try reader.unescape(try reader.string(), to: scratch)
      return scratch.bytes.string
    }
    var isFirst = true
    try reader.beginObject()
    while let key = try reader.nextKey(&isFirst) {
      let key = line[key.slice]
      if key == "uri" {
        if try !reader.isNull() { entry.uri = try text(&reader) }
      } else if key == "did" {
        entry.did = try text(&reader)
      } else if key == "campaign" {
        name = try text(&reader)
      } else if key == "seq" {
        if try !reader.isNull() { entry.sequence = try reader.integer() }
      } else {
        try reader.skip()
      }
    }
    try reader.end()
    guard !entry.did.isEmpty, !name.isEmpty else {
      throw JSONError(what: "a line needs 'did' and 'campaign'", offset: 0)
    }
    guard !entry.uri.isEmpty || entry.sequence > 0 else {
      throw JSONError(what: "a line needs 'uri' or 'seq'", offset: 0)
    }
    return (entry, name)
  }

  /// The entry of an event; nil where it is in no campaign. Cheap for most events: their number is not in the table.
  @inline(__always)
  func find(sequence: Int64, did: Bytes, uri: Bytes) -> Int? {
    if sequence == 0 { return uri.isEmpty || byURI.isEmpty ? nil : byURI[uri.string] }
    guard !bySequence.isEmpty, let candidates = bySequence[sequence] else {
      // A line without a number is found by its address.
      guard hasUnnumbered, !uri.isEmpty, let index = byURI[uri.string] else { return nil }
      return entries[index].sequence == 0 ? index : nil
    }
    return candidates.first { index in
      let entry = entries[index]
      return entry.uri.isEmpty ? uri.isEmpty && same(entry.did, did) : same(entry.uri, uri)
    }
  }

  func entry(uri: Bytes) -> Int? { byURI[uri.string] }

  private func same(_ text: String, _ bytes: Bytes) -> Bool { text.utf8.elementsEqual(bytes.raw) }
}

/// A file of truth that cannot be read.
package struct TruthError: Error, CustomStringConvertible {
  package var line: Int
  package var reason: String
  package var description: String { "line \(line): \(reason)" }
}
