import ATProto
import Foundation
import Osprey
import Testing

private func head(_ text: String) -> ActionReader.Head? { withBytes(Array(text.utf8)) { try? ActionReader.head($0) } }

@Suite struct ActionReaderTests {
  private let create = """
    {"data":{"action_name":"operation#create","action_id":1573487100794241024,"data":{"did":"did:plc:abc",\
    "timestamp":"2026-07-04T14:38:07.918Z","eventMetadata":null,"operation":{"action":"create",\
    "collection":"app.bsky.feed.post","rkey":"3l","uri":"at://did:plc:abc/app.bsky.feed.post/3l","cid":"bafyrei",\
    "path":"app.bsky.feed.post/3l","seq":77,"rev":"3mptc2vk3oecp","record":{"$type":"app.bsky.feed.post","text":"a\\nb"}}},\
    "timestamp":"2026-07-04T14:38:07.918Z","secret_data":{},"encoding":"UTF8"},"send_time":"2026-07-04T14:38:08.123456Z"}
    """

  /// Reads a message and shows what came of it with all bytes in one place.
  private func read<Result>(
    _ text: String, _ body: (Bytes, DecodedFrame, ActionReader.Imported) -> Result
  ) throws -> Result {
    let tail = ByteWriter()
    var decoded = DecodedFrame()
    let message = Array(text.utf8)
    let imported = try withBytes(message) { try ActionReader().read($0, into: &decoded, tail: tail) }
    return withBytes(message + tail.bytes.array) { body($0, decoded, imported) }
  }

  @Test func `an operation comes back with everything the rules see`() throws {
    try read(create) { bytes, decoded, imported in
      #expect(imported.id == 1_573_487_100_794_241_024)
      #expect(bytes[imported.uri].string == "at://did:plc:abc/app.bsky.feed.post/3l")
      #expect(bytes[imported.cid].string == "bafyrei")
      #expect(decoded.type == .commit && decoded.outcome == .accept && decoded.sequence == 77)
      #expect(bytes[decoded.did].string == "did:plc:abc" && bytes[decoded.rev].string == "3mptc2vk3oecp")
      #expect(decoded.timeMs == 1_783_175_887_918)
      let operation = decoded.operations[0]
      #expect(operation.kind == .create && bytes[operation.collection].string == "app.bsky.feed.post")
      #expect(bytes[operation.rkey].string == "3l" && operation.recordError == nil)
      let record = RecordView()
      record.reset(bytes[operation.record])
      guard case .text(let text) = record.get(record.root, "text") else {
        Issue.record("no text")
        return
      }
      #expect(text.string == "a\nb")
    }
  }

  @Test func `accounts, identities and bad records come back too`() throws {
    let start =
      "{\"data\":{\"action_name\":\"x\",\"action_id\":5,\"data\":{\"did\":\"did:plc:abc\",\"timestamp\":\"t\","
    let end = "},\"timestamp\":\"t\"},\"send_time\":\"2026-07-04T14:38:08Z\"}"
    try read(start + "\"account\":{\"active\":false,\"seq\":9,\"status\":\"deleted\"}" + end) { bytes, decoded, _ in
      #expect(decoded.type == .account && !decoded.isActive && decoded.sequence == 9)
      #expect(bytes[decoded.status].string == "deleted" && decoded.timeMs == nil)
    }
    try read(start + "\"identity\":{\"seq\":9,\"handle\":\"a\\u0062.test\"}" + end) { bytes, decoded, _ in
      #expect(decoded.type == .identity && bytes[decoded.handle].string == "ab.test")
    }
    try read(
      start + "\"operation\":{\"action\":\"update\",\"path\":\"a/b\",\"record\":null,\"record_error\":\"too_deep\"}"
        + end
    ) { _, decoded, _ in
      #expect(decoded.operations[0].kind == .update && decoded.operations[0].recordError == .tooDeep)
      #expect(decoded.operations[0].json.isEmpty)
    }
  }

  @Test func `the head is read without the event`() {
    #expect(head(create) == .init(id: 1_573_487_100_794_241_024, sentMicros: 1_783_175_888_123_456))
    #expect(head("{\"did\":\"did:plc:abc\"}") == nil)
    #expect(head("no JSON") == nil)
  }
}
