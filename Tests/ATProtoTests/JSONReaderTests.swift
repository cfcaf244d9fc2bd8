import FrameKit
import Testing

@testable import ATProto

/// DAG-CBOR of a record's JSON, or what is wrong with it.
private func convert(_ json: String) -> Result<[UInt8], JSONError> {
  withBytes(Array(json.utf8)) { bytes in
    var reader = JSONReader(bytes)
    let out = ByteWriter()
    do throws(JSONError) {
      try RecordFromJSON().convert(&reader, to: out)
      try reader.end()
      return .success(out.bytes.array)
    } catch {
      return .failure(error)
    }
  }
}

@Suite struct JSONReaderTests {
  @Test(.enabled(if: Vectors.arePresent, Comment(rawValue: Vectors.reason)))
  func `the records of real frames come back from their JSON, byte for byte`() throws {
    var records = 0
    for frame in try Vectors.frames("frames/frames_000_099.bin") {
      decode(frame) { bytes, decoded, decoder in
        for operation in decoded.operations where !operation.json.isEmpty {
          let json = decoder.json[operation.json].string
          guard case .success(let made) = convert(json) else {
            Issue.record("\(json)")
            return
          }
          #expect(made == bytes[operation.record].array, "\(json)")
          records += 1
        }
      }
    }
    #expect(records > 50)
  }

  @Test func `links, bytes, numbers and texts become what the data model says`() throws {
    let cid: [UInt8] = [1, 0x71, 0x12, 0x20] + [UInt8](repeating: 7, count: 32)
    let link = ByteWriter()
    withBytes(cid) { CID.appendText($0, to: link) }
    let json = """
      {"zz": [], "link": {"$link": "\(link.bytes.string)"}, "a": {"$bytes": "AQID"}, "n": -5, "big": 9223372036854775807,
       "f": 1.5, "t": "q\\"\\u00e9\\ud83d\\ude00\\n", "yes": true, "no": false, "nil": null, "$link": "x", "m": {"b":1,"aa":2}}
      """
    let expected = Item.map([
      ("zz", .array([])), ("link", .link(cid)), ("a", .bytes([1, 2, 3])), ("n", .int(-5)), ("big", .int(.max)),
      ("f", .double(1.5)), ("t", .text("q\"é😀\n")), ("yes", .bool(true)), ("no", .bool(false)), ("nil", .null),
      ("$link", .text("x")), ("m", .map([("b", .int(1)), ("aa", .int(2))])),
    ])
    #expect(try convert(json).get() == expected.encoded)
  }

  @Test func `a lone surrogate reads as U+FFFD`() throws {
    #expect(try convert(#"{"t":"\ud800x"}"#).get() == Item.map([("t", .text("\u{fffd}x"))]).encoded)
  }

  @Test(arguments: [
    "", "[]", "5", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "{\"a\":01}", "{\"a\":1.}",
    "{\"a\":-}",
    "{\"a\":9223372036854775808}", "{\"a\":1e999}", "{\"a\":\"x}", "{\"a\":\"\\x\"}", "{\"a\":\"\u{1}\"}",
    "{\"a\":tru}",
    "{\"a\":1} x", "{\"a\":[1 2]}", "{\"a\":[1,]}", "{\"a\":\"\\u12\"}",
  ])
  func `what is no record's JSON is refused with its place`(json: String) {
    guard case .failure(let error) = convert(json) else {
      Issue.record("taken: \(json)")
      return
    }
    #expect(error.offset >= 0 && error.offset <= json.utf8.count && !error.what.isEmpty)
  }

  @Test func `depth is bounded as it is for records`() throws {
    func nested(_ depth: Int) -> String {
      "{\"a\":" + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}"
    }
    #expect((try? convert(nested(Limits.depthMax - 1)).get()) != nil)
    #expect((try? convert(nested(Limits.depthMax)).get()) == nil)
    #expect((try? convert(nested(100_000)).get()) == nil)
  }

  @Test func `any cut of a text ends in an error and nothing worse`() {
    let json = Array(#"{"a":{"$bytes":"AQID"},"b":[1,-2.5e3,"x\u00e9",null,true,{"$link":"bafy"}]}"#.utf8)
    for count in 0..<json.count {
      #expect((try? convert(String(decoding: json[..<count], as: UTF8.self)).get()) == nil)
    }
  }
}
