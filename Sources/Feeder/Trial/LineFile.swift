import ATProto
import Glibc

/// A file that lines are appended to, written in large pieces.
package final class LineFile {
  private let path: String
  private var descriptor: Int32
  private let buffer = ByteWriter(capacity: 1 << 17)
  /// Why the file could not be written, once it could not.
  package private(set) var problem: String?

  /// Creates or empties the file; nil where that fails, with `errno` set.
  package init?(path: String) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    if descriptor < 0 { return nil }
  }

  deinit { _ = close() }

  /// Appends `line` and a newline.
  package func append(_ line: Bytes) {
    buffer.append(line)
    buffer.append(0x0a)
    if buffer.count > 1 << 16 { flush() }
  }

  private func flush() {
    var rest = buffer.bytes.raw
    while problem == nil, !rest.isEmpty {
      let count = write(descriptor, rest.baseAddress, rest.count)
      if count >= 0 {
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      } else if errno != EINTR {
        problem = "\(path): \(String(cString: strerror(errno)))"
      }
    }
    buffer.removeAll()
  }

  /// Writes what is left; returns what went wrong since the file was opened, if anything did.
  package func close() -> String? {
    guard descriptor >= 0 else { return problem }
    flush()
    if Glibc.close(descriptor) != 0, problem == nil { problem = "\(path): \(String(cString: strerror(errno)))" }
    descriptor = -1
    return problem
  }
}
