import ATProto
import Glibc

/// One file of a rule directory.
struct RuleFile {
  /// Relative to the directory, with `/`.
  var path: String
  var bytes: [UInt8]
  /// Hexadecimal SHA-256.
  var hash: String

  /// Whether rules are looked for in it: not in tests, lists, lib/ and the files with a meaning of their own.
  var isRuleFile: Bool {
    path.hasSuffix(".lua") && !path.hasSuffix("_test.lua") && !path.hasPrefix("lib/") && !path.hasPrefix("lists/")
      && !["labels.lua", "quotas.lua", "features.lua"].contains(path)
  }

  /// Whether `use` finds it.
  var isLibrary: Bool { path.hasPrefix("lib/") && path.hasSuffix(".lua") && !path.hasSuffix("_test.lua") }

  /// Whether it is loaded last and may override.
  var isLocal: Bool { path.hasPrefix("local/") }
}

/// The files of a rule directory: every `.lua`, and the lists.
enum RuleFiles {
  private static let depthMax = 8

  /// All files sorted by path, bytewise. `errors` gets what could not be read.
  static func read(_ directory: String, errors: inout [RuleError]) -> [RuleFile] {
    var paths: [String] = []
    if !list(directory, prefix: "", depth: 0, into: &paths) {
      errors.append(
        RuleError(
          directory, 1, "the rule directory cannot be read: \(String(cString: strerror(errno)))", try: "--rules DIR"))
    }
    if paths.count > RuleLimits.filesMax {
      errors.append(RuleError(directory, 1, "the rule directory has more than \(RuleLimits.filesMax) files"))
      return []
    }
    paths.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    return paths.compactMap { path in
      guard let bytes = contents(directory + "/" + path) else {
        errors.append(
          RuleError(
            path, 1, "the file cannot be read, or is longer than \(RuleLimits.fileBytesMax) bytes"))
        return nil
      }
      return RuleFile(path: path, bytes: bytes, hash: withBytes(bytes) { SHA256Digest.hex($0) })
    }
  }

  /// `sha256:` and the hash over the lines `path NUL hash LF` (CONTRACT.md, "Verdicts topic").
  static func hash(_ files: [RuleFile]) -> String {
    var lines: [UInt8] = []
    for file in files {
      lines += Array(file.path.utf8) + [0] + Array(file.hash.utf8) + [0x0a]
    }
    return "sha256:" + withBytes(lines) { SHA256Digest.hex($0) }
  }

  /// A number that changes when a file comes, goes or is written: over names, sizes and times of change, not contents.
  static func fingerprint(_ directory: String) -> UInt64 {
    var paths: [String] = []
    var hash = SipHash()
    _ = list(directory, prefix: "", depth: 0, into: &paths)
    for path in paths.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
      var status = stat()
      guard stat(directory + "/" + path, &status) == 0 else { continue }
      let name = Array(path.utf8)
      withBytes(name) { hash.append($0.base, $0.count) }
      for number in [Int(status.st_size), status.st_mtim.tv_sec, status.st_mtim.tv_nsec, Int(status.st_ino)] {
        hash.append(UInt64(bitPattern: Int64(number)))
      }
    }
    return hash.finish().low
  }

  private static func list(_ root: String, prefix: String, depth: Int, into paths: inout [String]) -> Bool {
    guard let folder = opendir(prefix.isEmpty ? root : root + "/" + prefix) else { return false }
    defer { closedir(folder) }
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix(while: { $0 != 0 }), as: UTF8.self)
      }
      if name.hasPrefix(".") { continue }
      let path = prefix.isEmpty ? name : prefix + "/" + name
      var status = stat()
      guard stat(root + "/" + path, &status) == 0 else { continue }
      if status.st_mode & S_IFMT == S_IFDIR {
        if depth < depthMax { _ = list(root, prefix: path, depth: depth + 1, into: &paths) }
      } else if name.hasSuffix(".lua") || (path.hasPrefix("lists/") && name.hasSuffix(".txt")) {
        paths.append(path)
      }
    }
    return true
  }

  private static func contents(_ path: String) -> [UInt8]? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = piece.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
      if count == 0 { return bytes }
      guard count > 0, bytes.count + count <= RuleLimits.fileBytesMax else { return nil }
      bytes += piece[..<count]
    }
  }
}
