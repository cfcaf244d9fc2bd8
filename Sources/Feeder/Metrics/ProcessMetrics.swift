import Glibc

/// What the kernel says of this process, under the names every Prometheus client gives it
/// (prometheus.io, "Writing client libraries", "Process metrics"; proc(5)).
package struct ProcessMetrics: Equatable {
  package var cpuSeconds: Double
  package var residentBytes: Int
  package var virtualBytes: Int
  /// Seconds since 1970.
  package var startSeconds: Double
  package var openFiles: Int
  package var openFilesMax: Int

  /// Reads /proc; nil where it is not mounted.
  package static func read() -> ProcessMetrics? {
    guard let stat = text("/proc/self/stat"), let name = stat.lastIndex(of: ")") else { return nil }
    // Behind the name, which may hold anything: state is field 3, utime 14, stime 15, starttime 22, vsize 23, rss 24.
    let fields = stat[stat.index(after: name)...].split(separator: " ")
    guard fields.count > 21, let user = Double(fields[11]), let system = Double(fields[12]),
      let start = Double(fields[19]), let virtual = Int(fields[20]), let pages = Int(fields[21]),
      let boot = bootSeconds()
    else { return nil }
    let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return ProcessMetrics(
      cpuSeconds: (user + system) / ticks, residentBytes: pages * sysconf(Int32(_SC_PAGESIZE)),
      virtualBytes: virtual, startSeconds: boot + start / ticks, openFiles: openFileCount(),
      openFilesMax: Int(clamping: limit.rlim_cur))
  }

  /// When the machine started: `btime` of /proc/stat.
  private static func bootSeconds() -> Double? {
    guard let stat = text("/proc/stat"), let line = stat.split(separator: "\n").first(where: { $0.hasPrefix("btime ") })
    else { return nil }
    return Double(line.dropFirst("btime ".count))
  }

  private static func openFileCount() -> Int {
    guard let folder = opendir("/proc/self/fd") else { return 0 }
    defer { closedir(folder) }
    var count = 0
    while readdir(folder) != nil { count += 1 }
    // `.`, `..` and the folder itself.
    return max(0, count - 3)
  }

  private static func text(_ path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = Glibc.read(file, &chunk, chunk.count)
      guard count > 0 else { break }
      bytes += chunk[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
