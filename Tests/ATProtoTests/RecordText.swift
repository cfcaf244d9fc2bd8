import FrameKit

@testable import ATProto

/// What became of DAG-CBOR on its way to JSON.
struct RecordText: Equatable {
  var json = ""
  var reason: Reason?
  var defects: Defects = []
}

/// The JSON of one DAG-CBOR item, by the code that writes records.
func recordText(
  _ item: [UInt8], onlyMap: Bool = false, escaping: JSONEscaping = .plain
) -> RecordText {
  var result = RecordText()
  var tape = RecordTape()
  var writer = RecordJSON()
  let out = ByteWriter(capacity: 1)
  withBytes(item) { bytes in
    do throws(DecodeError) {
      try tape.parse(bytes, Slice(offset: 0, count: bytes.count), onlyMap: onlyMap, defects: &result.defects)
      if !writer.write(&tape, bytes, to: out, escaping: escaping) { result.defects.insert(.recordUTF8) }
      result.json = String(decoding: out.bytes.array, as: UTF8.self)
    } catch {
      result.reason = error.reason
    }
  }
  return result
}

/// The text of a CID.
func cidText(_ cid: [UInt8]) -> String {
  let out = ByteWriter(capacity: 1)
  withBytes(cid) { CID.appendText($0, to: out) }
  return out.bytes.string
}
