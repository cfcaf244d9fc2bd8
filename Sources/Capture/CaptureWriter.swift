import CZstd

/// Writes a capture file, plain or zstd, and the receive times beside it. One thread at a time.
///
/// Nothing is promised to be on the disk before `close` has returned; `close` reports what went wrong.
package final class CaptureWriter {
  private static let chunkBytes = 256 << 10

  private let file: FileDescriptor
  private let times: FileDescriptor?
  private let compressor: OpaquePointer?
  /// Frames with their lengths, not yet handed to zstd or to the file.
  private var pending: [UInt8] = []
  private var pendingTimes: [UInt8] = []
  private var compressed: [UInt8]
  private var isClosed = false

  /// Frames written so far.
  package private(set) var frameCount = 0

  /// Creates `path`; a name ending in `.zst` is compressed. With `times`, `path` + `.times` gets one little-endian u64
  /// of microseconds since 1970 per frame.
  package init(path: String, times: Bool = false, level: Int32 = 3) throws(CaptureError) {
    file = try FileDescriptor(writing: path)
    self.times = times ? try FileDescriptor(writing: path + ".times") : nil
    compressor = path.hasSuffix(".zst") ? ZSTD_createCCtx() : nil
    compressed = compressor == nil ? [] : [UInt8](repeating: 0, count: ZSTD_CStreamOutSize())
    if let compressor {
      ZSTD_CCtx_setParameter(compressor, ZSTD_c_compressionLevel, level)
      ZSTD_CCtx_setParameter(compressor, ZSTD_c_checksumFlag, 1)
    }
    pending.reserveCapacity(Self.chunkBytes + 64 << 10)
  }

  deinit { ZSTD_freeCCtx(compressor) }

  /// Appends one frame. `receivedAt` (microseconds since 1970) goes to the times file, 0 where none is given.
  package func write(_ frame: UnsafeRawBufferPointer, receivedAt: UInt64 = 0) throws(CaptureError) {
    precondition(!isClosed, "written after close")
    precondition(frame.count <= UInt32.max, "a frame's length has 32 bits")
    withUnsafeBytes(of: UInt32(frame.count).littleEndian) { pending.append(contentsOf: $0) }
    pending.append(contentsOf: frame)
    if times != nil { withUnsafeBytes(of: receivedAt.littleEndian) { pendingTimes.append(contentsOf: $0) } }
    frameCount += 1
    if pending.count >= Self.chunkBytes { try flush(ending: false) }
  }

  /// Appends one frame.
  package func write(_ frame: [UInt8], receivedAt: UInt64 = 0) throws(CaptureError) {
    try frame.span.bytes.withUnsafeBytes { (bytes) throws(CaptureError) in
      try write(bytes, receivedAt: receivedAt)
    }
  }

  /// Ends the file and returns when it is on the disk. Later calls do nothing.
  package func close() throws(CaptureError) {
    guard !isClosed else { return }
    isClosed = true
    try flush(ending: true)
    try file.sync()
    try times?.sync()
  }

  private func flush(ending: Bool) throws(CaptureError) {
    if let compressor {
      try compress(compressor, ending: ending)
    } else {
      try file.write(pending, count: pending.count)
    }
    pending.removeAll(keepingCapacity: true)
    try times?.write(pendingTimes, count: pendingTimes.count)
    pendingTimes.removeAll(keepingCapacity: true)
  }

  private func compress(_ compressor: OpaquePointer, ending: Bool) throws(CaptureError) {
    var consumed = 0
    var isDone = false
    while !isDone {
      var produced = 0
      var rest = 0
      let start = consumed
      consumed = pending.withUnsafeBytes { source in
        compressed.withUnsafeMutableBytes { target in
          var input = ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: start)
          var output = ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
          rest = ZSTD_compressStream2(compressor, &output, &input, ending ? ZSTD_e_end : ZSTD_e_continue)
          produced = output.pos
          return input.pos
        }
      }
      // Only a broken context or exhausted memory makes compression fail.
      guard ZSTD_isError(rest) == 0 else {
        throw .damaged(frame: frameCount, message: String(cString: ZSTD_getErrorName(rest)))
      }
      try file.write(compressed, count: produced)
      isDone = ending ? rest == 0 : consumed == pending.count
    }
  }
}
