import Glibc
import Signatures

/// Pre-signed frames in a memory-mapped file, replayed for ever with fresh seq and time: what a speed run needs, for
/// signing does 30,000 frames a second. A frame is a pure function of its seq.
///
/// seq and time stand in fixed-width fields outside of what is signed (seq has nine bytes because it is over 2^32, time
/// has 24), so they are written over a copy; every signature and hash stays valid. rev and record keys repeat with each
/// round; the order of one account's commits holds within a round.
///
/// `@unchecked` is true because the mapping is read-only and nothing changes after `init`.
package final class Ring: @unchecked Sendable {
  /// Frames in the ring.
  package let count: Int
  /// The seq of the ring's first frame in its first round, and the time of it (microseconds since 1970).
  package let firstSeq: Int64
  package let firstTime: UInt64
  private let eventsPerSecond: UInt64
  private let mapping: UnsafeMutableRawPointer
  private let mappedBytes: Int
  private let base: UnsafeRawPointer
  private let truthByFrame: [Int: [TruthEntry]]

  /// Why a ring cannot be used.
  package enum Problem: Error, Sendable, Equatable {
    /// A call on the file failed; `code` is errno.
    case file(path: String, call: String, code: Int32)
    /// Not a ring, of another version, or made from another configuration.
    case mismatch(path: String)
  }

  /// Maps the ring in `path`. `firstSeq` is raised to 2^32. The configuration's own seq, time and rate do not matter.
  package init(
    path: String, configuration: SimulatorConfiguration, frames: Int, firstSeq: Int64, firstTime: UInt64,
    eventsPerSecond: Int
  ) throws(Problem) {
    let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw .file(path: path, call: "open", code: errno) }
    defer { _ = close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw .file(path: path, call: "fstat", code: errno) }
    let size = Int(status.st_size)
    guard size >= RingLayout.headerBytes else { throw .mismatch(path: path) }
    guard let mapped = mmap(nil, size, PROT_READ, MAP_SHARED, file, 0), mapped != MAP_FAILED else {
      throw .file(path: path, call: "mmap", code: errno)
    }
    let header = RingLayout.Header(UnsafeRawPointer(mapped))
    guard header == RingLayout.Header(configuration.ofRing, frames: frames, bytes: size, truth: header.truthOffset),
      header.truthOffset <= size, RingLayout.isSound(UnsafeRawPointer(mapped), header)
    else {
      munmap(mapped, size)
      throw .mismatch(path: path)
    }
    mapping = mapped
    mappedBytes = size
    base = UnsafeRawPointer(mapped)
    count = frames
    self.firstSeq = max(firstSeq, 1 << 32)
    self.firstTime = firstTime
    self.eventsPerSecond = UInt64(max(eventsPerSecond, 1))
    truthByFrame = RingLayout.truth(
      UnsafeRawBufferPointer(start: mapped + header.truthOffset, count: size - header.truthOffset))
  }

  deinit { munmap(mapping, mappedBytes) }

  /// The ring in `path`, built first if it is missing or was made from another configuration.
  package static func open(
    path: String, configuration: SimulatorConfiguration, frames: Int, firstSeq: Int64, firstTime: UInt64,
    eventsPerSecond: Int, threads: Int = 2, progress: (Int) -> Void = { _ in }
  ) throws(Problem) -> Ring {
    do throws(Problem) {
      return try Ring(
        path: path, configuration: configuration, frames: frames, firstSeq: firstSeq, firstTime: firstTime,
        eventsPerSecond: eventsPerSecond)
    } catch {
      // Missing or stale: both are cured by building it; what cannot be cured fails there again.
      try RingBuilder.build(path: path, configuration, frames: frames, threads: threads, progress: progress)
    }
    return try Ring(
      path: path, configuration: configuration, frames: frames, firstSeq: firstSeq, firstTime: firstTime,
      eventsPerSecond: eventsPerSecond)
  }

  /// Bytes of the frame of `seq`.
  package func frameBytes(seq: Int64) -> Int { Int(entry(seq).length) }

  /// The time of the frame of `seq`, microseconds since 1970.
  package func time(seq: Int64) -> UInt64 {
    let number = UInt64(max(seq - firstSeq, 0))
    return firstTime + number / eventsPerSecond * 1_000_000 + number % eventsPerSecond * 1_000_000 / eventsPerSecond
  }

  /// Writes the frame of `seq` to the start of `target`, which must have room for `frameBytes(seq:)`, and returns its
  /// length.
  package func copyFrame(seq: Int64, to target: UnsafeMutableRawBufferPointer) -> Int {
    let entry = entry(seq)
    let length = Int(entry.length)
    precondition(length <= target.count, "the caller asked for frameBytes(seq:) before")
    let frame = UnsafeMutableRawBufferPointer(rebasing: target[..<length])
    frame.copyMemory(from: UnsafeRawBufferPointer(start: base + Int(entry.offset), count: length))
    guard entry.seqOffset != RingLayout.unpatched else { return length }
    frame.storeBytes(of: UInt64(seq).bigEndian, toByteOffset: Int(entry.seqOffset), as: UInt64.self)
    TextFormat.writeTime(
      microseconds: time(seq: seq),
      to: UnsafeMutableRawBufferPointer(rebasing: frame[Int(entry.timeOffset)..<Int(entry.timeOffset) + 24]))
    return length
  }

  /// Puts the frame of `seq` into `frame`, replacing what was there.
  package func frame(seq: Int64, into frame: inout [UInt8]) {
    let length = frameBytes(seq: seq)
    if frame.count < length { frame.append(contentsOf: repeatElement(0, count: length - frame.count)) }
    if frame.count > length { frame.removeLast(frame.count - length) }
    _ = frame.withUnsafeMutableBytes { copyFrame(seq: seq, to: $0) }
  }

  /// The ground truth of the frame of `seq`.
  package func truth(seq: Int64) -> [TruthEntry] {
    (truthByFrame[index(seq)] ?? []).map { entry in
      var entry = entry
      entry.seq = seq
      return entry
    }
  }

  private func index(_ seq: Int64) -> Int {
    precondition(seq >= firstSeq, "a ring begins at firstSeq")
    return Int(seq - firstSeq) % count
  }

  private func entry(_ seq: Int64) -> RingLayout.Entry { RingLayout.entry(base, index(seq)) }
}

extension SimulatorConfiguration {
  /// What a ring is made from. seq, time and rate are given when it is replayed, so one ring serves all of them.
  var ofRing: SimulatorConfiguration {
    SimulatorConfiguration(
      seed: seed, accounts: accounts, campaigns: campaigns, malformedPerMillion: malformedPerMillion,
      repositoryPercent: repositoryPercent)
  }
}
