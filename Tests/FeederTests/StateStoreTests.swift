import Foundation
import Rules
import Testing

@testable import Feeder

@Suite struct StateStoreTests {
  private let place: TemporaryFolder
  private var folder: String { place.path("state") }

  init() throws { place = try TemporaryFolder() }

  private func snapshot(_ sequence: Int64, host: String = "relay") throws -> StateSnapshot {
    let rules = place.path("rules")
    try FileManager.default.createDirectory(atPath: rules, withIntermediateDirectories: true)
    return StateSnapshot(
      stream: StreamSnapshot(
        clockMs: sequence * 10, positions: [.init(host: host, sequence: sequence, mark: .max - UInt64(sequence))]),
      rules: try RuleHost.load(directory: rules).snapshot())
  }

  private func cursor(_ sequence: Int64, host: String = "relay") -> [Cursor] {
    [Cursor(host: host, sequence: sequence, timeMs: nil)]
  }

  private var files: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder).sorted()) ?? [] }

  @Test func `the newest snapshot that the cursor has passed counts, with everything in it`() throws {
    let store = try StateStore(folder: folder, name: "a/b")
    for sequence in [10, 20, 30] as [Int64] {
      try store.write(try snapshot(sequence), savedCursors: [])
    }
    let found = try #require(try store.newest(passedBy: cursor(29)))
    #expect(found.stream == (try snapshot(20)).stream)
    #expect(found.rules.encoded() == (try snapshot(20)).rules.encoded())
    #expect(try store.newest(passedBy: cursor(30))?.stream.positions[0].sequence == 30)
    #expect(try store.newest(passedBy: cursor(9)) == nil)
    #expect(try store.newest(passedBy: cursor(100, host: "other")) == nil)
    #expect(try StateStore(folder: folder, name: "a-b").newest(passedBy: cursor(100)) == nil)
  }

  @Test func `snapshots older than the newest one the saved cursor has passed are removed`() throws {
    let store = try StateStore(folder: folder, name: "x")
    for sequence in [10, 20, 30] as [Int64] { try store.write(try snapshot(sequence), savedCursors: []) }
    #expect(files.count == 3)
    try store.write(try snapshot(40), savedCursors: cursor(25))
    #expect(files.count == 3)
    #expect(try store.newest(passedBy: cursor(25))?.stream.positions[0].sequence == 20)
    #expect(try store.newest(passedBy: cursor(19)) == nil)
  }

  @Test(arguments: ["payload", "header", "end"])
  func `a damaged snapshot is named together with the cure`(_ part: String) throws {
    let store = try StateStore(folder: folder, name: "x")
    try store.write(try snapshot(10), savedCursors: [])
    let path = folder + "/" + files[0]
    var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    switch part {
    case "payload": bytes[bytes.count - 1] ^= 1
    case "header": bytes[60] ^= 1
    default: bytes.removeLast()
    }
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: StateError.self) { try store.newest(passedBy: cursor(10)) }
    #expect(error?.description.contains(path) == true && error?.description.contains("remove it") == true)
  }

  @Test func `a folder that cannot be written is refused at once`() throws {
    try Data().write(to: URL(fileURLWithPath: folder))
    #expect(throws: StateError.self) { try StateStore(folder: folder, name: "x") }
  }
}
