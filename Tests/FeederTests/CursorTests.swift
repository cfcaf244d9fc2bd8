import ATProto
import Foundation
import Synchronization
import Testing

@testable import Feeder

@Suite struct CursorTests {
  private let folder: TemporaryFolder
  private var path: String { folder.path("cursor") }

  init() throws { folder = try TemporaryFolder() }

  @Test func `a cursor is one line of JSON and reads back`() {
    let cursor = Cursor(host: "relay \"x\"", sequence: 31_527_015_322, timeMs: 1_783_175_887_918)
    let line = cursor.line(savedAtMicros: 1_783_175_888_000_000)
    #expect(
      String(decoding: line, as: UTF8.self)
        == "{\"v\":1,\"host\":\"relay \\\"x\\\"\",\"seq\":31527015322,\"time\":\"2026-07-04T14:38:07.918Z\",\"saved_at\":\"2026-07-04T14:38:08.000Z\"}\n"
    )
    #expect(Cursor(line: line) == cursor)
  }

  @Test func `a file keeps the cursors of several hosts`() throws {
    #expect(try CursorFile.read(path) == [])
    let cursors = [Cursor(host: "a", sequence: 1, timeMs: nil), Cursor(host: "b", sequence: 2, timeMs: 86_400_000)]
    try CursorFile.write([cursors[0]], to: path, savedAtMicros: 0)
    try CursorFile.write(cursors, to: path, savedAtMicros: 0)
    #expect(try CursorFile.read(path) == cursors)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["cursor"])
  }

  @Test(arguments: ["", "{", "{\"v\":2,\"host\":\"a\",\"seq\":1,\"time\":\"\",\"saved_at\":\"\"}\n", "not json\n"])
  func `a damaged file stops the start and names the cure`(content: String) throws {
    try Data(content.utf8).write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: CursorError.self) { try CursorFile.read(path) }
    #expect(error?.isConfiguration == true)
    #expect(error?.description.contains("try: ") == true)
  }

  @Test func `a folder that is not there is an error, not a silence`() {
    #expect(throws: CursorError.self) {
      try CursorFile.write([Cursor(host: "a", sequence: 1, timeMs: nil)], to: path + "/no/where", savedAtMicros: 0)
    }
  }

  @Test func `a host begins at what went through the judge, else at the saved cursor, else at the start`() {
    let hosts = HostTable(saved: [Cursor(host: "b", sequence: 9, timeMs: nil)], start: .oldest)
    let (a, b) = (hosts.host(named: "a").progress, hosts.host(named: "b").progress)
    #expect(a.nextCursor() == 0)
    #expect(b.nextCursor() == 9)
    b.judged.store(12, ordering: .releasing)
    #expect(b.nextCursor() == 12)
    hosts.rewind(to: [Cursor(host: "b", sequence: 10, timeMs: nil)])
    #expect(b.nextCursor() == 10)
    #expect(HostTable(saved: [], start: .live).host(named: "c").progress.nextCursor() == nil)
  }

  @Test func `a dead letter names reasons, place and source, and carries the frame`() throws {
    let slot = FrameSlot()
    let frame: [UInt8] = [0xff, 0x00, 0x01]
    frame.withUnsafeBytes { slot.fill(.frame, $0, receivedAtMicros: 1_783_175_888_123_456, connection: 0) }
    FrameDecoder(options: DecodeOptions()).decode(slot.bytes, into: &slot.decoded)
    let out = ByteWriter()
    DeadLetterWriter(source: "relay", messageBytesMax: 1_000_000).write(slot, host: "h", to: out)
    #expect(
      out.bytes.string
        == "{\"reason\":\"indefinite_length\",\"message\":\"an indefinite length, which DAG-CBOR forbids (at byte 0)\",\"source\":\"relay\",\"host\":\"h\",\"seq\":null,\"did\":null,\"received_at\":\"2026-07-04T14:38:08.123456Z\",\"frame_bytes\":3,\"frame_base64\":\"/wAB\"}"
    )
  }

  @Test func `a dead letter stays below the producer's limit`() {
    let slot = FrameSlot()
    let frame = [UInt8](repeating: 0xff, count: 3 << 20)
    frame.withUnsafeBytes { slot.fill(.frame, $0, receivedAtMicros: 1, connection: 0) }
    slot.decoded.refuse(.tooLarge)
    for limit in [20_000, 1_000_000] {
      let out = ByteWriter()
      DeadLetterWriter(source: "relay", messageBytesMax: limit).write(slot, host: "h", to: out)
      #expect(out.count < limit)
      #expect(out.bytes.string.contains("\"frame_bytes\":3145728"))
    }
  }
}
