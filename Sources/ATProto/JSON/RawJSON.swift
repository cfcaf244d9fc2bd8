/// Prints a whole frame as JSON, header and body with the CAR's blocks expanded, to look at what a relay really sent.
/// Cold: `decode --format raw` only.
package struct RawJSON {
  private var tape = RecordTape()
  private var writer = RecordJSON()
  private let escaping: JSONEscaping

  package init(escaping: JSONEscaping) { self.escaping = escaping }

  /// Appends `{"header":…,"body":…}`; throws where header or body are not DAG-CBOR.
  package mutating func write(_ frame: Bytes, to out: ByteWriter) throws(DecodeError) {
    var reader = CBORReader(frame)
    try reader.skip()
    let header = Slice(offset: 0, count: reader.position)
    let body = Slice(offset: reader.position, count: frame.count - reader.position)
    guard !body.isEmpty else { throw DecodeError(.notTwoItems, at: frame.count) }
    out.append("{\"header\":")
    try item(frame, header, to: out)
    out.append(",\"body\":")
    if frame[body.offset] >> 5 == 5 {
      try map(frame, body, to: out)
    } else {
      try item(frame, body, to: out)
    }
    out.append(0x7d)
  }

  private mutating func item(_ bytes: Bytes, _ slice: Slice, to out: ByteWriter) throws(DecodeError) {
    var defects: Defects = []
    try tape.parse(bytes, slice, onlyMap: false, defects: &defects)
    _ = writer.write(&tape, bytes, to: out, escaping: escaping)
  }

  private mutating func map(_ frame: Bytes, _ body: Slice, to out: ByteWriter) throws(DecodeError) {
    var reader = CBORReader(frame, in: body)
    var entries: [(key: Slice, value: Slice)] = []
    var cursor = try reader.map()
    while let key = try reader.nextKey(&cursor) {
      let start = reader.position
      try reader.skip(depth: 1, checkingText: false)
      entries.append((key, Slice(offset: start, count: reader.position - start)))
    }
    guard reader.isAtEnd else { throw DecodeError(.trailingBytes, at: reader.position) }
    entries.sort { frame[$0.key] < frame[$1.key] }
    out.append(0x7b)
    for (index, entry) in entries.enumerated() {
      if index > 0 { out.append(0x2c) }
      out.append(jsonString: frame[entry.key], escaping: escaping)
      out.append(0x3a)
      if frame[entry.key] == "blocks", frame[entry.value.offset] >> 5 == 2 {
        var inner = CBORReader(frame, in: entry.value)
        try blocks(frame, try inner.byteString(), to: out)
      } else {
        try item(frame, entry.value, to: out)
      }
    }
    out.append(0x7d)
  }

  /// `[{"cid":…,"data":…},…]` in the order of the CAR; a CAR that cannot be walked prints as `$bytes`, as does a block that
  /// is not DAG-CBOR.
  private mutating func blocks(_ frame: Bytes, _ slice: Slice, to out: ByteWriter) throws(DecodeError) {
    let start = out.count
    var position = slice.offset
    let car = Bytes(base: frame.base, count: slice.end)
    out.append(0x5b)
    var isFirst = true
    var isHeader = true
    while position < slice.end {
      guard let length = readVarint(car, &position), length > 0, length <= UInt64(slice.end - position) else {
        out.truncate(to: start)
        return appendBytesJSON(frame[slice], to: out)
      }
      let block = Slice(offset: position, count: Int(length))
      position = block.end
      if isHeader {
        isHeader = false
        continue
      }
      guard let cid = CID.length(of: frame[block]) else {
        out.truncate(to: start)
        return appendBytesJSON(frame[slice], to: out)
      }
      if !isFirst { out.append(0x2c) }
      isFirst = false
      out.append("{\"cid\":\"")
      CID.appendText(frame[Slice(offset: block.offset, count: cid)], to: out)
      out.append("\",\"data\":")
      let data = Slice(offset: block.offset + cid, count: block.count - cid)
      let mark = out.count
      do throws(DecodeError) {
        try item(frame, data, to: out)
      } catch {
        out.truncate(to: mark)
        appendBytesJSON(frame[data], to: out)
      }
      out.append(0x7d)
    }
    out.append(0x5d)
  }
}
