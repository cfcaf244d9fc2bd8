import ATProto
import Glibc

/// What is wrong with a file of accounts.
package struct DirectoryError: Error, Equatable, Sendable, CustomStringConvertible {
  package var file: String
  /// Lines that are wrong, from 1, at most `RuleLimits.directoryErrorsMax`; empty where the file cannot be read.
  package var lines: [Int]
  /// One text per line, or what the file's trouble is.
  package var whats: [String]
  /// Whether there are more.
  package var isCut = false

  package var description: String {
    if lines.isEmpty { return "\(file): \(whats.first ?? "")" }
    let shown = zip(lines, whats).map { "\(file):\($0): \($1)" }
    return (isCut ? shown + ["\(file): and more"] : shown).joined(separator: "\n")
  }
}

extension AccountDirectory {
  /// Reads JSON lines `{"did":"did:plc:…","handle":"…","created_at":"…","pds":"…","followers":1,"follows":2,"posts":3,
  /// "profile":{…}}`, of which only `did` is a must. Members nobody knows are ignored; null is as good as absent. Memory is
  /// bounded by what the directory itself takes. Every line that is wrong is named, and then nothing is loaded.
  package static func load(_ path: String) throws(DirectoryError) -> AccountDirectory {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      throw DirectoryError(file: path, lines: [], whats: ["cannot be read: \(String(cString: strerror(errno)))"])
    }
    defer { close(file) }
    let directory = AccountDirectory()
    var reader = DirectoryReader(directory)
    var buffer = [UInt8](repeating: 0, count: RuleLimits.directoryLineBytesMax + (1 << 20))
    var filled = 0
    while true {
      let count = buffer.withUnsafeMutableBytes { read(file, $0.baseAddress! + filled, $0.count - filled) }
      if count < 0 {
        throw DirectoryError(file: path, lines: [], whats: ["cannot be read: \(String(cString: strerror(errno)))"])
      }
      filled += count
      let used = buffer.withUnsafeBufferPointer {
        reader.take(Bytes(base: $0.baseAddress!, count: filled), isEnd: count == 0)
      }
      buffer.withUnsafeMutableBytes { _ = memmove($0.baseAddress!, $0.baseAddress! + used, filled - used) }
      filled -= used
      if count == 0 || reader.isFull { break }
    }
    try reader.check(path)
    return directory
  }

  /// Reads the same from memory.
  package static func load(lines: [UInt8]) throws(DirectoryError) -> AccountDirectory {
    let directory = AccountDirectory()
    var reader = DirectoryReader(directory)
    withBytes(lines) { _ = reader.take($0, isEnd: true) }
    try reader.check("accounts")
    return directory
  }
}

/// Takes a file apart into lines.
private struct DirectoryReader {
  private let directory: AccountDirectory
  private let line = AccountLine()
  private var number = 0
  private(set) var lines: [Int] = []
  private(set) var whats: [String] = []
  /// Whether so much is wrong that reading on is no use.
  var isFull: Bool { lines.count >= RuleLimits.directoryErrorsMax }
  private var isSkipping = false

  init(_ directory: AccountDirectory) { self.directory = directory }

  /// Throws what was wrong, if anything.
  func check(_ file: String) throws(DirectoryError) {
    if !lines.isEmpty { throw DirectoryError(file: file, lines: lines, whats: whats, isCut: isFull) }
  }

  /// Reads the whole lines of `bytes`; returns how many bytes they were.
  mutating func take(_ bytes: Bytes, isEnd: Bool) -> Int {
    var at = 0
    while at < bytes.count, !isFull {
      let rest = bytes.count - at
      let found = memchr(bytes.base + at, 0x0a, rest)
      guard let found else {
        if isEnd {
          take(bytes[Slice(offset: at, count: rest)])
          return bytes.count
        }
        guard rest > RuleLimits.directoryLineBytesMax else { return at }
        // Too long: said once, when its end is found.
        isSkipping = true
        return bytes.count
      }
      let end = UnsafeRawPointer(found) - UnsafeRawPointer(bytes.base)
      take(bytes[Slice(offset: at, count: end - at)])
      at = end + 1
    }
    if isEnd, isSkipping { take(.empty) }
    return at
  }

  private mutating func take(_ text: Bytes) {
    number += 1
    if isSkipping || text.count > RuleLimits.directoryLineBytesMax {
      isSkipping = false
      return fail("the line is longer than \(RuleLimits.directoryLineBytesMax) bytes")
    }
    if text.isBlank { return }
    if let what = line.parse(text) ?? directory.add(line) { fail(what) }
  }

  private mutating func fail(_ what: String) {
    lines.append(number)
    whats.append(what)
  }
}

extension Bytes {
  fileprivate var isBlank: Bool {
    for index in 0..<count where self[index] != 0x20 && self[index] != 0x0d && self[index] != 0x09 { return false }
    return true
  }
}
