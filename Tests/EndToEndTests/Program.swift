import Foundation

/// The built program as a user starts it.
enum Program {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Beside the test bundle.
  static let path: String = {
    let test = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    return test.appendingPathComponent("osprey-feeder").path
  }()

  struct Result {
    var code: Int32
    var out: String
    var error: String
    var lines: [String] { out.split(separator: "\n").map(String.init) }
  }

  /// Starts the program and leaves it running; its first line of output comes back.
  static func start(_ arguments: [String]) throws -> (process: Process, firstLine: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    let out = Pipe()
    process.standardOutput = out
    process.standardError = FileHandle.nullDevice
    try process.run()
    var line = Data()
    while !line.contains(0x0a), case let more = out.fileHandleForReading.availableData, !more.isEmpty { line += more }
    return (process, String(decoding: line.prefix { $0 != 0x0a }, as: UTF8.self))
  }

  static func run(_ arguments: [String], input: String? = nil, environment: [String: String] = [:]) throws -> Result {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let (out, error, feed) = (Pipe(), Pipe(), Pipe())
    process.standardOutput = out
    process.standardError = error
    process.standardInput = feed
    try process.run()
    if let input { try feed.fileHandleForWriting.write(contentsOf: Data(input.utf8)) }
    try feed.fileHandleForWriting.close()
    let printed = out.fileHandleForReading.readDataToEndOfFile()
    let complained = error.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Result(
      code: process.terminationStatus, out: String(decoding: printed, as: UTF8.self),
      error: String(decoding: complained, as: UTF8.self))
  }
}

/// A folder of its own for one test.
final class Folder {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("end-to-end-\(UUID().uuidString)")
  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: url) }
  func path(_ name: String) -> String { url.appendingPathComponent(name).path }
}
