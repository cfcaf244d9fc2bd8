import ATProto

/// Why a snapshot cannot be used.
package enum SnapshotError: Error, Equatable, Sendable, CustomStringConvertible {
  /// It is none, is cut short, or its checksum does not hold.
  case damaged
  /// Another version of the program wrote it.
  case otherVersion(UInt32)

  package var description: String {
    switch self {
    case .damaged: "the snapshot of the rules' state is damaged; remove it to begin without"
    case .otherVersion(let version):
      "the snapshot of the rules' state has version \(version), this program reads \(RuleSnapshot.version); remove it to begin without"
    }
  }
}

/// Everything that rules remember from event to event, at one moment: counters, distinct sets, crossings, cache, effects given,
/// labels, quotas, types of features. Not: which rules are set aside.
///
/// `RuleHost.snapshot` copies memory and does nothing else, so that the judge is held for as short as can be; `encoded` adds what
/// makes it a file and may run on any thread. The bytes are those of a little-endian machine's memory: eight letters, version,
/// length, SHA-256 of what follows, then sections of `stride, count, bytes`.
// @unchecked: not changed once it is made.
package final class RuleSnapshot: @unchecked Sendable {
  package static let version: UInt32 = 2
  static let magic = Array("OFRSTATE".utf8)
  static let headBytes = 56

  private let content: ByteWriter

  init(_ content: ByteWriter) { self.content = content }

  /// Bytes it takes, without the head.
  package var count: Int { content.count }

  /// What stands in the file.
  package func encoded() -> [UInt8] {
    let head = ByteWriter(capacity: Self.headBytes)
    withBytes(Self.magic) { head.append($0) }
    append(UInt64(Self.version), to: head)
    append(UInt64(content.count), to: head)
    withBytes(SHA256Digest.of(content.bytes)) { head.append($0) }
    // In one piece and without a copy in between: it may be as large as all memory of the rules.
    return Array(unsafeUninitializedCapacity: head.count + content.count) { buffer, count in
      let raw = UnsafeMutableRawBufferPointer(buffer)
      raw.copyMemory(from: UnsafeRawBufferPointer(start: head.bytes.base, count: head.count))
      UnsafeMutableRawBufferPointer(rebasing: raw[head.count...]).copyMemory(
        from: UnsafeRawBufferPointer(start: content.bytes.base, count: content.count))
      count = head.count + content.count
    }
  }

  private func append(_ value: UInt64, to out: ByteWriter) {
    withUnsafeBytes(of: value.littleEndian) { out.append(Bytes($0)) }
  }

  /// Reads what `encoded` wrote, and makes sure that all of it can be restored.
  package convenience init(_ bytes: [UInt8]) throws(SnapshotError) {
    let content = try Self.content(of: bytes)
    self.init(content)
    _ = try restore()
  }

  private static func content(of bytes: [UInt8]) throws(SnapshotError) -> ByteWriter {
    guard bytes.count >= headBytes, Array(bytes[..<8]) == magic else { throw .damaged }
    func number(_ at: Int) -> UInt64 {
      bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: at, as: UInt64.self)) }
    }
    guard number(8) == UInt64(version) else { throw .otherVersion(UInt32(truncatingIfNeeded: number(8))) }
    guard number(16) == UInt64(bytes.count - headBytes) else { throw .damaged }
    let content = ByteWriter(capacity: max(1, bytes.count - headBytes))
    bytes.withUnsafeBytes { content.append(Bytes(UnsafeRawBufferPointer(rebasing: $0[headBytes...]))) }
    guard SHA256Digest.of(content.bytes) == Array(bytes[24..<headBytes]) else { throw .damaged }
    return content
  }

  /// A state of its own, made of the snapshot.
  private func restore() throws(SnapshotError) -> (state: RuleState, types: FeatureTypes) {
    var reader = SnapshotReader(content.bytes)
    let state = RuleState()
    try state.restore(from: &reader)
    var types = FeatureTypes(reserved: [])
    try types.restore(from: &reader)
    guard reader.isAtEnd else { throw .damaged }
    return (state, types)
  }

  /// `restore` for a snapshot that could be restored when it was made.
  func restored() -> (state: RuleState, types: FeatureTypes) {
    do throws(SnapshotError) {
      return try restore()
    } catch {
      preconditionFailure("a snapshot that was whole is not any more")
    }
  }
}

/// Appends sections to a snapshot.
struct SnapshotWriter {
  static let headBytes = 16
  let out: ByteWriter

  init(capacity: Int) { out = ByteWriter(capacity: max(1, capacity)) }

  func append(_ bytes: UnsafeRawBufferPointer, stride: Int) {
    head(stride: stride, count: bytes.count / stride)
    out.append(Bytes(bytes))
  }

  func append<Element: BitwiseCopyable>(_ elements: [Element]) {
    elements.withUnsafeBytes { append($0, stride: MemoryLayout<Element>.stride) }
  }

  /// Texts one behind the other, their lengths before them.
  func append(texts: [[UInt8]]) {
    append(texts.map { Int32($0.count) })
    append(texts.flatMap { $0 })
  }

  /// Begins a section whose elements follow with `more`.
  func head(stride: Int, count: Int) {
    for number in [UInt64(stride), UInt64(count)] {
      withUnsafeBytes(of: number.littleEndian) { out.append(Bytes($0)) }
    }
  }

  func more(_ bytes: UnsafeRawBufferPointer) { out.append(Bytes(bytes)) }
}

/// Reads sections of a snapshot, each of which must have elements of the size that is asked for.
struct SnapshotReader {
  private let bytes: Bytes
  private var at = 0

  init(_ bytes: Bytes) { self.bytes = bytes }

  var isAtEnd: Bool { at == bytes.count }

  /// The next section's bytes, as they stand.
  mutating func section(stride: Int) throws(SnapshotError) -> UnsafeRawBufferPointer {
    guard bytes.count - at >= SnapshotWriter.headBytes else { throw .damaged }
    let head = UnsafeRawPointer(bytes.base + at)
    let size = UInt64(littleEndian: head.loadUnaligned(as: UInt64.self))
    let count = UInt64(littleEndian: head.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    at += SnapshotWriter.headBytes
    guard size == UInt64(stride), count <= UInt64((bytes.count - at) / stride) else { throw .damaged }
    defer { at += Int(count) * stride }
    return UnsafeRawBufferPointer(start: bytes.base + at, count: Int(count) * stride)
  }

  mutating func array<Element: BitwiseCopyable>() throws(SnapshotError) -> [Element] {
    let stride = MemoryLayout<Element>.stride
    let section = try section(stride: stride)
    return Array(unsafeUninitializedCapacity: section.count / stride) { buffer, count in
      UnsafeMutableRawBufferPointer(buffer).copyMemory(from: section)
      count = section.count / stride
    }
  }

  mutating func texts() throws(SnapshotError) -> [[UInt8]] {
    let lengths: [Int32] = try array()
    let all: [UInt8] = try array()
    var at = 0
    var found: [[UInt8]] = []
    for length in lengths {
      guard length >= 0, Int(length) <= all.count - at else { throw .damaged }
      found.append(Array(all[at..<at + Int(length)]))
      at += Int(length)
    }
    guard at == all.count else { throw .damaged }
    return found
  }
}
