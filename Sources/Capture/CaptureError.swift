/// Why a capture file cannot be read or written on.
package enum CaptureError: Error, Sendable, Equatable {
  /// The file could not be opened; `code` is errno.
  case cannotOpen(path: String, code: Int32)
  /// read(2) failed; `code` is errno.
  case readFailed(code: Int32)
  /// write(2), fsync(2) or close(2) failed; `code` is errno.
  case writeFailed(code: Int32)
  /// The file ends inside frame number `frame` (from 0), which begins at byte `offset` of the uncompressed data.
  case tornFile(frame: Int, offset: UInt64)
  /// Frame number `frame` announces more bytes than are accepted. It was not read; the next call goes on behind it.
  case frameTooLarge(frame: Int, offset: UInt64, length: UInt32)
  /// The compressed data is damaged; `message` is zstd's.
  case damaged(frame: Int, message: String)
}
