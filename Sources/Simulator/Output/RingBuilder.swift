import Glibc

/// Builds a ring's file under a temporary name and renames it, so that no half ring is ever mapped.
enum RingBuilder {
  private static let chunkBytes = 4 << 20

  static func build(
    path: String, _ configuration: SimulatorConfiguration, frames: Int, threads: Int, progress: (Int) -> Void
  ) throws(Ring.Problem) {
    precondition(frames > 0, "a ring has frames")
    let configuration = configuration.ofRing
    let temporary = "\(path).\(getpid()).part"
    let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw .file(path: temporary, call: "open", code: errno) }
    defer {
      _ = close(file)
      unlink(temporary)  // Gone already where the rename below succeeded.
    }
    var index: [UInt8] = []
    index.reserveCapacity(frames * RingLayout.entryBytes)
    var truth = ""
    var chunk: [UInt8] = []
    chunk.reserveCapacity(chunkBytes + 64 << 10)
    let framesStart = RingLayout.headerBytes + frames * RingLayout.entryBytes
    var offset = framesStart
    var written = framesStart
    var number = 0
    try SigningPool(World(configuration), threads: threads).make(frames) { (frame, info) throws(Ring.Problem) in
      RingLayout.append(
        RingLayout.Entry(
          offset: UInt64(offset), length: UInt32(frame.count), seqOffset: UInt32(exactly: info.seqOffset) ?? .max,
          timeOffset: UInt32(exactly: info.timeOffset) ?? .max), to: &index)
      for entry in info.truth { truth += RingLayout.line(number, entry) }
      chunk.append(contentsOf: frame)
      offset += frame.count
      number += 1
      if number % 10_000 == 0 { progress(number) }
      guard chunk.count >= chunkBytes else { return }
      try write(chunk, at: written, file, temporary)
      written += chunk.count
      chunk.removeAll(keepingCapacity: true)
    }
    chunk.append(contentsOf: truth.utf8)
    try write(chunk, at: written, file, temporary)
    let header = RingLayout.Header(configuration, frames: frames, bytes: written + chunk.count, truth: offset)
    try write(header.encoded + index, at: 0, file, temporary)
    guard rename(temporary, path) == 0 else { throw .file(path: path, call: "rename", code: errno) }
  }

  private static func write(_ bytes: [UInt8], at offset: Int, _ file: Int32, _ path: String) throws(Ring.Problem) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { pwrite(file, $0.baseAddress! + done, $0.count - done, offset + done) }
      if count >= 0 {
        done += count
      } else if errno != EINTR {
        throw .file(path: path, call: "pwrite", code: errno)
      }
    }
  }
}
