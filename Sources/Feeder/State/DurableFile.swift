import Foundation

/// A file that is there whole or not at all: written to a temporary name, synced, renamed, the folder synced (fsync(2), rename(2)).
enum DurableFile {
  /// What could not be done, for an error message.
  struct Failure: Error {
    let step: String
    let reason: String
  }

  static func write(_ content: [UInt8], to path: String) throws(Failure) {
    let temporary = path + ".new"
    let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw failure("create \(temporary)") }
    var written = 0
    while written < content.count {
      let count = content.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + written, $0.count - written) }
      guard count > 0 else {
        if count < 0, errno == EINTR { continue }
        let failure = failure("write \(temporary)")
        close(file)
        throw failure
      }
      written += count
    }
    guard fsync(file) == 0 else {
      let failure = failure("sync \(temporary)")
      close(file)
      throw failure
    }
    close(file)
    guard rename(temporary, path) == 0 else { throw failure("rename \(temporary)") }
    let folder = open(URL(fileURLWithPath: path).deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw failure("open the folder of \(path)") }
    defer { close(folder) }
    guard fsync(folder) == 0 else { throw failure("sync the folder of \(path)") }
  }

  private static func failure(_ step: String) -> Failure {
    Failure(step: step, reason: String(cString: strerror(errno)))
  }
}
