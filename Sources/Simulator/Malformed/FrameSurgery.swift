import ATProto
import Signatures

/// A commit frame taken apart, to be put together wrongly. Only for our own frames; not on the hot path.
struct FrameSurgery {
  /// One field of the payload: the encoded key and the encoded value.
  struct Field {
    var key: [UInt8]
    var value: [UInt8]
  }

  struct Block {
    var cid: [UInt8]
    var data: [UInt8]
  }

  var header: [UInt8]
  var fields: [Field]
  var carHeader: [UInt8]
  var blocks: [Block]

  /// Takes apart a signed commit frame.
  init(_ draft: FrameDraft) {
    let frame = draft.bytes
    var entries: [CBORScan.Entry] = []
    let headerEnd = frame.withUnsafeBytes { bytes in
      let end = CBORScan.skip(bytes, at: 0) ?? 0
      _ = CBORScan.map(bytes, at: end, into: &entries)
      return end
    }
    header = Array(frame[..<headerEnd])
    fields = entries.map { Field(key: Array(frame[$0.key]), value: Array(frame[$0.value])) }
    let car = Array(frame[draft.info.blocks])
    carHeader = Array(car[..<59])
    blocks = []
    var offset = 59
    while offset < car.count {
      var length = 0
      var shift = 0
      while true {
        let byte = Int(car[offset])
        offset += 1
        length |= (byte & 127) << shift
        shift += 7
        if byte < 128 { break }
      }
      blocks.append(Block(cid: Array(car[offset..<offset + 36]), data: Array(car[offset + 36..<offset + length])))
      offset += length
    }
  }

  /// The value of a field.
  subscript(key: String) -> [UInt8] {
    get { fields.first { $0.key.elementsEqual(key.utf8) }?.value ?? [] }
    set {
      if let index = fields.firstIndex(where: { $0.key.elementsEqual(key.utf8) }) {
        fields[index].value = newValue
      } else {
        fields.append(Field(key: Array(key.utf8), value: newValue))
      }
    }
  }

  mutating func remove(_ key: String) { fields.removeAll { $0.key.elementsEqual(key.utf8) } }

  /// The index of the block with this digest.
  func block(_ digest: Digest) -> Int? { blocks.firstIndex { $0.cid[4...].elementsEqual(digest.bytes) } }

  /// Puts `blocks` back into the payload.
  mutating func rebuildCAR() {
    var car = carHeader
    for block in blocks {
      var length = block.cid.count + block.data.count
      while length >= 128 {
        car.append(UInt8(length & 127 | 128))
        length >>= 7
      }
      car.append(UInt8(length))
      car += block.cid + block.data
    }
    self["blocks"] = Self.item { $0.byteString(car) }
  }

  /// The frame as it now is; the map's count is that of `fields`.
  var bytes: [UInt8] {
    var writer = CBORWriter(capacity: 16_384)
    writer.raw(header)
    writer.map(fields.count)
    for field in fields {
      writer.text(utf8: field.key)
      writer.raw(field.value)
    }
    return writer.bytes
  }

  /// One encoded item.
  static func item(_ write: (inout CBORWriter) -> Void) -> [UInt8] {
    var writer = CBORWriter(capacity: 64)
    write(&writer)
    return writer.bytes
  }

  /// One entry of `ops`, right or wrong.
  static func operation(cid: Digest?, path: [UInt8], action: String) -> [UInt8] {
    item { writer in
      writer.map(3)
      writer.text("cid")
      if let cid {
        writer.bytes.append(contentsOf: CIDBytes.linkHead)
        cid.withBytes { writer.bytes.append(contentsOf: $0) }
      } else {
        writer.null()
      }
      writer.text("path")
      writer.text(utf8: path)
      writer.text("action")
      writer.text(action)
    }
  }
}
