import Feeder
import Foundation
import Glibc
import Logging
import Synchronization

/// Standard error, shared by log lines and the status line.
enum Console {
  private static let status = Mutex("")
  static let isTerminal = isatty(2) == 1

  static func error(_ text: String) { write("error: \(text)\n") }

  /// Writes a line above the status line.
  static func write(_ text: String) {
    status.withLock { status in
      FileHandle.standardError.write(Data(((status.isEmpty ? "" : "\r\u{1b}[K") + text + status).utf8))
    }
  }

  /// Writes to standard output. Where its reader has gone (`| head`) the program ends.
  static func output(_ bytes: UnsafeRawBufferPointer) {
    var written = 0
    while written < bytes.count {
      let count = Glibc.write(1, bytes.baseAddress! + written, bytes.count - written)
      if count > 0 {
        written += count
      } else if errno != EINTR {
        if errno != EPIPE { error("cannot write to standard output: \(String(cString: strerror(errno)))") }
        exit(errno == EPIPE ? 0 : 1)
      }
    }
  }

  /// Replaces the status line; empty removes it. Terminals only.
  static func show(_ line: String) {
    guard isTerminal else { return }
    status.withLock { status in
      status = line
      FileHandle.standardError.write(Data("\r\u{1b}[K\(line)".utf8))
    }
  }
}

/// How log lines look.
enum LogFormat: String, CaseIterable {
  case text, json
}

/// Log lines on standard error: `2026-11-21T10:00:00.000Z info  text`, or one JSON object each.
struct ConsoleLogHandler: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level = .info
  let format: LogFormat

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let time = ISO8601DateFormatter.feeder.withLock { $0.string(from: Date()) }
    switch format {
    case .text:
      Console.write(
        "\(time) \(event.level.rawValue.padding(toLength: 7, withPad: " ", startingAt: 0)) \(event.message)\n")
    case .json:
      let fields = ["time": time, "level": event.level.rawValue, "message": event.message.description]
      guard let data = try? JSONEncoder.sorted.encode(fields) else { return }
      Console.write(String(decoding: data, as: UTF8.self) + "\n")
    }
  }
}

extension JSONEncoder {
  fileprivate static var sorted: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return encoder
  }
}

/// A date formatter behind a lock: Foundation's is a class.
final class LockedFormatter: @unchecked Sendable {
  // Unchecked: the formatter is touched only under the lock.
  private let lock = Mutex(())
  private let formatter = ISO8601DateFormatter()

  init() { formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds] }

  func withLock<Result>(_ body: (ISO8601DateFormatter) -> Result) -> Result { lock.withLock { _ in body(formatter) } }
}

extension ISO8601DateFormatter {
  fileprivate static let feeder = LockedFormatter()
}

extension Logger {
  /// The program's logger.
  static func feeder(_ format: LogFormat, level: Logger.Level = .info) -> Logger {
    var logger = Logger(label: "osprey-feeder") { _ in ConsoleLogHandler(format: format) }
    logger.logLevel = level
    return logger
  }
}

/// SIGINT and SIGTERM: the first asks for an orderly end, the second ends at once (130, 143). SIGHUP, for commands that take
/// it: load anew.
enum StopSignals {
  private static let handlers = Mutex<(onStop: (@Sendable () -> Void)?, onReload: (@Sendable () -> Void)?)>((nil, nil))

  /// Blocks the signals in this thread and all threads started after, and waits for them in one of its own. Without `onReload`
  /// SIGHUP ends the program, as it does by default.
  static func catchAll(_ onStop: @escaping @Sendable () -> Void, onReload: (@Sendable () -> Void)? = nil) {
    handlers.withLock { $0 = (onStop, onReload) }
    // A shell starts background jobs with SIGINT ignored, and an ignored signal is never waited for.
    signal(SIGINT, SIG_DFL)
    signal(SIGTERM, SIG_DFL)
    var caught = sigset_t()
    sigemptyset(&caught)
    sigaddset(&caught, SIGINT)
    sigaddset(&caught, SIGTERM)
    if onReload != nil { sigaddset(&caught, SIGHUP) }
    pthread_sigmask(SIG_BLOCK, &caught, nil)
    _ = OwnedThread("signals") { [caught] in
      var waited = caught
      var asked: ContinuousClock.Instant?
      while true {
        var number: Int32 = 0
        guard sigwait(&waited, &number) == 0 else { continue }
        if number == SIGHUP {
          handlers.withLock { $0.onReload }?()
        } else if let asked {
          // timeout(1) and a kill of the process group send the same signal twice at once: that is one wish.
          if asked.duration(to: .now) > .seconds(1) { exit(128 + number) }
        } else {
          asked = .now
          handlers.withLock { $0.onStop }?()
        }
      }
    }
  }
}
