import ATProto
import Glibc

/// What is known about accounts beside what the stream says: creation, handle, server, numbers, profile. Read from a file of
/// JSON lines before the rules run, and not changed after: any thread may read it.
///
/// Made for millions of accounts: 48 bytes each and the index, plus the bytes of handle and profile (`memoryBytes` tells). DIDs
/// are kept as 128-bit hashes only.
// @unchecked: written by `load` alone, before anybody else has it.
package final class AccountDirectory: @unchecked Sendable {
  /// One account. Views point into the directory.
  package struct Account {
    package var handle: Bytes
    /// Host of its server.
    package var pdsHost: Bytes
    /// Milliseconds since 1970; nil where unknown.
    package var createdAtMs: Int64?
    package var followers: Int64?
    package var follows: Int64?
    package var posts: Int64?
    /// DAG-CBOR of a map; empty where unknown.
    package var profile: Bytes
  }

  private struct Entry {
    var high: UInt64
    var low: UInt64
    var createdAtMs: Int64 = .min
    /// Where handle and profile stand in `texts`: handle's length, handle, profile's length (two bytes), profile.
    var text: UInt32 = 0
    /// Position in `hosts` plus 1; 0 unknown.
    var host: UInt32 = 0
    var followers: UInt32 = .max
    var follows: UInt32 = .max
    var posts: UInt32 = .max
    private var spare: UInt32 = 0

    init(_ key: StateKey) {
      high = key.high
      low = key.low
    }
  }

  private static let entriesPerChunk = 1 << 16
  private static let textChunk = 1 << 20

  private var chunks: [UnsafeMutablePointer<Entry>] = []
  /// Accounts in the directory.
  package private(set) var count = 0
  private var index: UnsafeMutablePointer<UInt32>
  private var indexCount = 1 << 10
  private var texts: [UnsafeMutablePointer<UInt8>] = []
  private var textUsed = textChunk
  private var hosts: [ByteWriter] = []
  /// By the host, and by what lines write for it.
  private var hostNumbers: [String: UInt32] = [:]
  private var writtenHosts: [StateKey: UInt32] = [:]

  init() {
    index = .allocate(capacity: indexCount)
    index.initialize(repeating: 0, count: indexCount)
  }

  deinit {
    for chunk in chunks { chunk.deallocate() }
    for text in texts { text.deallocate() }
    index.deallocate()
  }

  /// Bytes the directory holds, all in all.
  package var memoryBytes: Int {
    chunks.count * Self.entriesPerChunk * MemoryLayout<Entry>.stride + indexCount * 4 + texts.count * Self.textChunk
      + (hosts.count + writtenHosts.count) * 128
  }

  private static func key(_ did: Bytes) -> StateKey {
    var hash = SipHash()
    hash.append(did.base, did.count)
    let (high, low) = hash.finish()
    return StateKey(high: high, low: low)
  }

  private func entry(_ number: Int) -> UnsafeMutablePointer<Entry> {
    chunks[number / Self.entriesPerChunk] + number % Self.entriesPerChunk
  }

  /// Number of the account, or nil and where in the index it belongs.
  private func find(_ key: StateKey) -> (number: Int?, bucket: Int) {
    var at = Int(truncatingIfNeeded: key.low) & (indexCount - 1)
    while index[at] != 0 {
      let number = Int(index[at]) - 1
      let entry = entry(number)
      if entry.pointee.low == key.low, entry.pointee.high == key.high { return (number, at) }
      at = (at + 1) & (indexCount - 1)
    }
    return (nil, at)
  }

  /// What is known about `did`.
  package func account(_ did: Bytes) -> Account? {
    guard count > 0, let number = find(Self.key(did)).number else { return nil }
    let entry = entry(number).pointee
    let text = texts[Int(entry.text) / Self.textChunk] + Int(entry.text) % Self.textChunk
    let handle = Bytes(base: UnsafePointer(text) + 1, count: Int(text[0]))
    let after = text + 1 + handle.count
    let profile = Bytes(base: UnsafePointer(after) + 2, count: Int(after[0]) | Int(after[1]) << 8)
    return Account(
      handle: handle, pdsHost: entry.host == 0 ? .empty : hosts[Int(entry.host) - 1].bytes,
      createdAtMs: entry.createdAtMs == .min ? nil : entry.createdAtMs, followers: Self.known(entry.followers),
      follows: Self.known(entry.follows), posts: Self.known(entry.posts), profile: profile)
  }

  private static func known(_ number: UInt32) -> Int64? { number == .max ? nil : Int64(number) }

  // MARK: Filling

  /// Files what a line says; the last line about an account stands. nil, or why not.
  func add(_ line: AccountLine) -> String? {
    let key = Self.key(line.did.bytes)
    var (number, bucket) = find(key)
    if number == nil {
      guard count < RuleLimits.directoryAccountsMax else {
        return "there are more than \(RuleLimits.directoryAccountsMax) accounts"
      }
      if (count + 1) * 4 > indexCount * 3 {
        grow()
        bucket = find(key).bucket
      }
      if count == chunks.count * Self.entriesPerChunk { chunks.append(.allocate(capacity: Self.entriesPerChunk)) }
      entry(count).initialize(to: Entry(key))
      number = count
      count += 1
      index[bucket] = UInt32(count)
    }
    guard let text = keep(line.handle.bytes, line.profile) else {
      return "there is more than 4 GB of handles and profiles"
    }
    guard let host = host(line.server.bytes) else {
      return "there are more than \(RuleLimits.directoryHostsMax) servers"
    }
    let entry = entry(number!)
    entry.pointee.text = text
    entry.pointee.host = host
    entry.pointee.createdAtMs = line.createdAtMs ?? .min
    entry.pointee.followers = Self.stored(line.followers)
    entry.pointee.follows = Self.stored(line.follows)
    entry.pointee.posts = Self.stored(line.posts)
    return nil
  }

  private static func stored(_ number: Int64?) -> UInt32 {
    guard let number else { return .max }
    return UInt32(min(number, Int64(UInt32.max) - 1))
  }

  private func grow() {
    index.deallocate()
    indexCount *= 2
    index = .allocate(capacity: indexCount)
    index.initialize(repeating: 0, count: indexCount)
    for number in 0..<count {
      var at = Int(truncatingIfNeeded: entry(number).pointee.low) & (indexCount - 1)
      while index[at] != 0 { at = (at + 1) & (indexCount - 1) }
      index[at] = UInt32(number + 1)
    }
  }

  private func keep(_ handle: Bytes, _ profile: [UInt8]) -> UInt32? {
    let size = 3 + handle.count + profile.count
    if textUsed + size > Self.textChunk {
      guard texts.count < 4095 else { return nil }
      texts.append(.allocate(capacity: Self.textChunk))
      textUsed = 0
    }
    let start = texts[texts.count - 1] + textUsed
    start[0] = UInt8(handle.count)
    memcpy(start + 1, handle.base, handle.count)
    let after = start + 1 + handle.count
    after[0] = UInt8(profile.count & 0xff)
    after[1] = UInt8(profile.count >> 8)
    profile.withUnsafeBufferPointer { if let base = $0.baseAddress { memcpy(after + 2, base, $0.count) } }
    defer { textUsed += size }
    return UInt32((texts.count - 1) * Self.textChunk + textUsed)
  }

  /// The number of a server; 0 for none.
  private func host(_ written: Bytes) -> UInt32? {
    if written.isEmpty { return 0 }
    let key = Self.key(written)
    if let known = writtenHosts[key] { return known }
    guard writtenHosts.count < RuleLimits.directoryHostsMax else { return nil }
    // `https://pds.example/` and `pds.example` are the same server.
    var rest = written.string[...]
    if let scheme = rest.firstRange(of: "://") { rest = rest[scheme.upperBound...] }
    let name = rest.prefix { $0 != "/" && $0 != ":" }.lowercased()
    var number = hostNumbers[name] ?? 0
    if number == 0, !name.isEmpty {
      let bytes = ByteWriter(capacity: name.utf8.count)
      bytes.append(name)
      hosts.append(bytes)
      number = UInt32(hosts.count)
      hostNumbers[name] = number
    }
    writtenHosts[key] = number
    return number
  }
}
