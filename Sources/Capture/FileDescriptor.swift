import Glibc

/// An open file that closes itself. Calls are repeated when a signal interrupts them.
struct FileDescriptor: ~Copyable {
  private let number: Int32
  private let isOwned: Bool

  /// Opens `path` for reading; `-` is standard input.
  init(reading path: String) throws(CaptureError) {
    if path == "-" {
      number = 0
      isOwned = false
      return
    }
    number = open(path, O_RDONLY | O_CLOEXEC)
    isOwned = true
    guard number >= 0 else { throw .cannotOpen(path: path, code: errno) }
  }

  /// Creates or empties `path` for writing.
  init(writing path: String) throws(CaptureError) {
    number = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    isOwned = true
    guard number >= 0 else { throw .cannotOpen(path: path, code: errno) }
  }

  deinit {
    // A descriptor that was only read, or whose data was synced before, has nothing left to report.
    if isOwned, number >= 0 { _ = close(number) }
  }

  /// Bytes in the file; nil for what has no length, such as a pipe.
  var size: Int? {
    var status = stat()
    guard fstat(number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(status.st_size)
  }

  /// Fills `buffer` from its start as far as one read goes; 0 is the end of the file.
  borrowing func read(into buffer: UnsafeMutableRawBufferPointer) throws(CaptureError) -> Int {
    while true {
      let count = Glibc.read(number, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      guard errno == EINTR else { throw .readFailed(code: errno) }
    }
  }

  /// Writes all of `bytes`.
  borrowing func write(_ bytes: UnsafeRawBufferPointer) throws(CaptureError) {
    var rest = bytes
    while !rest.isEmpty {
      let count = Glibc.write(number, rest.baseAddress, rest.count)
      if count >= 0 {
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      } else if errno != EINTR {
        throw .writeFailed(code: errno)
      }
    }
  }

  /// Writes the first `count` bytes of `bytes`.
  borrowing func write(_ bytes: [UInt8], count: Int) throws(CaptureError) {
    try bytes.span.bytes.withUnsafeBytes { (bytes) throws(CaptureError) in
      try write(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
    }
  }

  /// Returns when the data is on the disk. Pipes and terminals have no disk and are left alone.
  borrowing func sync() throws(CaptureError) {
    guard fsync(number) != 0, errno != EINVAL, errno != EROFS else { return }
    throw .writeFailed(code: errno)
  }
}
