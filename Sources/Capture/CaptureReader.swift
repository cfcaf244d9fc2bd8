/// Reads a capture file frame by frame, in bounded memory. One thread at a time.
package final class CaptureReader {
  /// A frame may have 5 MiB (CONTRACT.md); the slack lets the decoder see a frame that is just over and name it.
  package static let frameBytesMax = 5 << 20 + 64 << 10

  private var source: CaptureSource
  private var times: CaptureSource?
  private let frameBytesMax: Int
  /// Bytes of a refused frame that the next call has to pass over first.
  private var pendingSkip: UInt64 = 0
  private var offset: UInt64 = 0

  /// Frames announced so far, refused ones included; the next frame has this number.
  package private(set) var frameCount = 0
  /// When the last frame was received, in microseconds since 1970; nil where `FILE.times` is missing or shorter.
  package private(set) var receiveTime: UInt64?

  /// Opens `path` (`-` is standard input), plain or zstd: the first four bytes tell. `path` + `.times` is read along
  /// if it is there.
  package init(path: String, frameBytesMax: Int = CaptureReader.frameBytesMax) throws(CaptureError) {
    self.frameBytesMax = frameBytesMax
    source = try CaptureSource(path: path)
    do {
      times = path == "-" ? nil : try CaptureSource(path: path + ".times")
    } catch .cannotOpen {
      times = nil  // Receive times are optional; the event's own time stands in for them.
    }
  }

  /// Bytes of the file read so far, and how many it has; nil where that is not known.
  package var progress: (read: Int, size: Int?) { (source.bytesRead, source.size) }

  /// Puts the next frame into `frame`, replacing what was there; false at a clean end of the file.
  /// After `.frameTooLarge` the next call goes on with the frame behind it; the other errors are final.
  package func next(into frame: inout [UInt8]) throws(CaptureError) -> Bool {
    try skipPending()
    frame.removeAll(keepingCapacity: true)
    var header: (UInt8, UInt8, UInt8, UInt8) = (0, 0, 0, 0)
    let start = offset
    let got = try withUnsafeMutableBytes(of: &header) { (bytes) throws(CaptureError) in try fill(bytes, start) }
    if got == 0 { return false }
    guard got == 4 else { throw .tornFile(frame: frameCount, offset: start) }
    let length = UInt32(header.0) | UInt32(header.1) << 8 | UInt32(header.2) << 16 | UInt32(header.3) << 24
    try readTime()
    guard Int(length) <= frameBytesMax else {
      pendingSkip = UInt64(length)
      frameCount += 1
      throw .frameTooLarge(frame: frameCount - 1, offset: start, length: length)
    }
    try read(Int(length), into: &frame, start)
    frameCount += 1
    return true
  }

  /// Grows `frame` as bytes arrive, so that a lie about the length costs no memory.
  private func read(_ length: Int, into frame: inout [UInt8], _ start: UInt64) throws(CaptureError) {
    while frame.count < length {
      let want = min(length - frame.count, 64 << 10)
      let begin = frame.count
      frame.append(contentsOf: repeatElement(0, count: want))
      var span = frame.mutableSpan
      let got = try span.withUnsafeMutableBytes { (bytes) throws(CaptureError) in
        try fill(UnsafeMutableRawBufferPointer(rebasing: bytes[begin...]), start)
      }
      guard got == want else { throw .tornFile(frame: frameCount, offset: start) }
    }
  }

  /// Fills `target`, short only at the end of the file.
  private func fill(_ target: UnsafeMutableRawBufferPointer, _ start: UInt64) throws(CaptureError) -> Int {
    var count = 0
    do {
      while count < target.count {
        let got = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: target[count...]))
        if got == 0 { break }
        count += got
      }
    } catch .tornFile {
      throw .tornFile(frame: frameCount, offset: start)
    } catch .damaged(_, let message) {
      throw .damaged(frame: frameCount, message: message)
    }
    offset += UInt64(count)
    return count
  }

  private func skipPending() throws(CaptureError) {
    guard pendingSkip > 0 else { return }
    let start = offset
    var scratch = [UInt8](repeating: 0, count: Int(min(pendingSkip, 128 << 10)))
    while pendingSkip > 0 {
      let want = Int(min(pendingSkip, UInt64(scratch.count)))
      var span = scratch.mutableSpan
      let got = try span.withUnsafeMutableBytes { (bytes) throws(CaptureError) in
        try fill(UnsafeMutableRawBufferPointer(rebasing: bytes[..<want]), start)
      }
      guard got == want else {
        pendingSkip = 0
        throw .tornFile(frame: frameCount - 1, offset: start)
      }
      pendingSkip -= UInt64(want)
    }
  }

  /// One little-endian u64 per frame; a file that is too short stops giving times and is no fault.
  private func readTime() throws(CaptureError) {
    receiveTime = nil
    var value: UInt64 = 0
    let got = try withUnsafeMutableBytes(of: &value) { (bytes) throws(CaptureError) -> Int in
      var count = 0
      while count < 8 {
        let more = try times?.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[count...])) ?? 0
        if more == 0 { break }
        count += more
      }
      return count
    }
    if got == 8 { receiveTime = UInt64(littleEndian: value) } else { times = nil }
  }
}
