import CZstd

/// The bytes of a capture file, decompressed if need be, in pieces of at most 128 KiB.
final class CaptureSource {
  private static let chunkBytes = 128 << 10
  /// The first four bytes of every zstd frame, little-endian (RFC 8878 §3.1.1). As a length it would be 4 GB, so a
  /// plain capture file never starts with it.
  private static let magic: UInt32 = 0xfd2f_b528

  private let file: FileDescriptor
  private let stream: OpaquePointer?
  /// What read(2) gave, compressed or not.
  private var raw = [UInt8](repeating: 0, count: chunkBytes)
  private var rawStart = 0
  private var rawEnd = 0
  /// zstd says that it expects more input before the frame it is in ends.
  private var isInsideZstdFrame = false
  /// Bytes read from the file, compressed where it is, and how many it has; nil for a pipe.
  private(set) var bytesRead = 0
  let size: Int?

  init(path: String) throws(CaptureError) {
    file = try FileDescriptor(reading: path)
    size = file.size
    var isCompressed = false
    var count = 0
    // A pipe may give less than four bytes at first.
    while count < 4 {
      let got = try Self.fill(&raw, from: count, file)
      if got == 0 { break }
      count += got
    }
    if count >= 4 {
      let first = UInt32(raw[0]) | UInt32(raw[1]) << 8 | UInt32(raw[2]) << 16 | UInt32(raw[3]) << 24
      isCompressed = first == Self.magic
    }
    rawEnd = count
    bytesRead = count
    stream = isCompressed ? ZSTD_createDCtx() : nil
  }

  deinit { ZSTD_freeDCtx(stream) }

  /// Copies up to `target.count` bytes to `target`; 0 means that the file is over.
  /// Throws `.damaged` with frame 0; the reader knows the number.
  func read(into target: UnsafeMutableRawBufferPointer) throws(CaptureError) -> Int {
    guard let stream else { return try readPlain(into: target) }
    while true {
      if rawStart == rawEnd {
        rawStart = 0
        rawEnd = try Self.fill(&raw, from: 0, file)
        bytesRead += rawEnd
        if rawEnd == 0 {
          if isInsideZstdFrame { throw .tornFile(frame: 0, offset: 0) }
          return 0
        }
      }
      let written = try decompress(stream, into: target)
      if written > 0 { return written }
    }
  }

  private func decompress(
    _ stream: OpaquePointer, into target: UnsafeMutableRawBufferPointer
  ) throws(CaptureError) -> Int {
    var output = ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
    var hint = 0
    let start = rawStart
    let end = rawEnd
    rawStart = raw.withUnsafeBytes { bytes in
      var input = ZSTD_inBuffer(src: bytes.baseAddress, size: end, pos: start)
      hint = ZSTD_decompressStream(stream, &output, &input)
      return input.pos
    }
    if ZSTD_isError(hint) != 0 { throw .damaged(frame: 0, message: String(cString: ZSTD_getErrorName(hint))) }
    isInsideZstdFrame = hint != 0
    return output.pos
  }

  private func readPlain(into target: UnsafeMutableRawBufferPointer) throws(CaptureError) -> Int {
    if rawStart == rawEnd {
      // Large frames go straight to their buffer.
      if target.count >= Self.chunkBytes {
        let count = try file.read(into: target)
        bytesRead += count
        return count
      }
      rawStart = 0
      rawEnd = try Self.fill(&raw, from: 0, file)
      bytesRead += rawEnd
    }
    let count = min(target.count, rawEnd - rawStart)
    raw.withUnsafeBytes { bytes in
      target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[rawStart..<rawStart + count]))
    }
    rawStart += count
    return count
  }

  private static func fill(
    _ buffer: inout [UInt8], from start: Int, _ file: borrowing FileDescriptor
  ) throws(CaptureError) -> Int {
    var span = buffer.mutableSpan
    return try span.withUnsafeMutableBytes { (bytes) throws(CaptureError) -> Int in
      try file.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[start...]))
    }
  }
}
