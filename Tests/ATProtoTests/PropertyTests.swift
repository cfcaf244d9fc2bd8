import ATProto
import Foundation
import FrameKit
import Testing

/// A random DAG-CBOR value and the JSON Go would print for it, made side by side.
private struct RandomValue {
  var item: Item
  var json: String

  init(_ random: inout Seeded, depth: Int, html: Bool) {
    switch Int.random(in: 0..<(depth > 0 ? 10 : 8), using: &random) {
    case 0:
      let value = Int64(bitPattern: random.next()) >> Int64.random(in: 0..<64, using: &random)
      self = RandomValue(.int(value), String(value))
    case 1:
      let text = RandomValue.text(&random)
      self = RandomValue(.text(text), slowString(Array(text.utf8), html: html))
    case 2:
      let bytes = (0..<Int.random(in: 0...9, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      self = RandomValue(.bytes(bytes), "{\"$bytes\":\"\(Data(bytes).base64EncodedString().filter { $0 != "=" })\"}")
    case 3:
      let link = cid([UInt8.random(in: 0...255, using: &random)], codec: Bool.random(using: &random) ? 0x71 : 0x55)
      self = RandomValue(.link(link), "{\"$link\":\"\(cidText(link))\"}")
    case 4: self = RandomValue(.null, "null")
    case 5:
      let value = Bool.random(using: &random)
      self = RandomValue(.bool(value), value ? "true" : "false")
    case 6:
      let value = Double(Int.random(in: -999_999...999_999, using: &random)) / 64
      self = RandomValue(.double(value), slowFloat(value))
    case 7:
      let size = Int64.random(in: -2...1000, using: &random)
      let ref = cid([1], codec: 0x55)
      let fields: [(String, Item)] = [
        ("$type", .text("blob")), ("ref", .link(ref)), ("mimeType", .text("a/<b>")), ("size", .int(size)),
      ]
      let mime = slowString(Array("a/<b>".utf8), html: html)
      let json =
        size < 0
        ? "{\"cid\":\"\(cidText(ref))\",\"mimeType\":\(mime)}"
        : "{\"$type\":\"blob\",\"ref\":{\"$link\":\"\(cidText(ref))\"},\"mimeType\":\(mime),\"size\":\(size)}"
      self = RandomValue(.map(fields), json)
    case 8:
      let values = (0..<Int.random(in: 0...5, using: &random)).map { _ in
        RandomValue(&random, depth: depth - 1, html: html)
      }
      self = RandomValue(.array(values.map(\.item)), "[" + values.map(\.json).joined(separator: ",") + "]")
    default: self = RandomValue.map(&random, depth: depth, html: html)
    }
  }

  init(_ item: Item, _ json: String) {
    self.item = item
    self.json = json
  }

  static func map(_ random: inout Seeded, depth: Int, html: Bool) -> RandomValue {
    var fields: [[UInt8]: (String, RandomValue)] = [:]
    // Sometimes more keys than the insertion sort takes on.
    for _ in 0..<(Int.random(in: 0..<12, using: &random) == 0 ? 60 : Int.random(in: 0...6, using: &random)) {
      let key = text(&random)
      fields[Array(key.utf8)] = (key, RandomValue(&random, depth: depth - 1, html: html))
    }
    let json = fields.sorted { $0.key.lexicographicallyPrecedes($1.key) }
      .map { slowString($0.key, html: html) + ":" + $0.value.1.json }.joined(separator: ",")
    return RandomValue(.map(fields.values.map { ($0.0, $0.1.item) }), "{" + json + "}")
  }

  private static func text(_ random: inout Seeded) -> String {
    let scalars: [Unicode.Scalar] = ["a", "b", "$", "é", "\u{2028}", "<", "\"", "\\", "\u{1}", "😀", "\n", "/"]
    var text = ""
    for _ in 0..<Int.random(in: 0...14, using: &random) {
      text.unicodeScalars.append(scalars.randomElement(using: &random) ?? "a")
    }
    return text
  }
}

@Test func `any record prints as a slow writer with Go's rules prints it`() {
  property(300) { random in
    let html = Bool.random(using: &random)
    let record = RandomValue.map(&random, depth: 5, html: html)
    let text = recordText(record.item.encoded, onlyMap: true, escaping: html ? .html : .plain)
    return text.reason == nil && text.defects.isEmpty && text.json == record.json
  }
}

/// What must hold of every frame, however damaged.
private func keepsLaws(_ frame: [UInt8], _ options: DecodeOptions) -> Bool {
  decode(frame, options) { bytes, decoded, decoder in
    var slices = [
      decoded.typeName, decoded.did, decoded.rev, decoded.time, decoded.commitBlock, decoded.handle, decoded.status,
      decoded.name, decoded.message,
    ]
    for operation in decoded.operations {
      slices += [operation.path, operation.collection, operation.rkey, operation.cid, operation.record]
      guard operation.json.end <= decoder.json.count else { return false }
      if operation.dropped == nil, decoded.eventCount > 0 {
        let hasRecord = !operation.json.isEmpty
        guard operation.kind != .unknown, Syntax.isNSID(bytes[operation.collection]),
          hasRecord == (operation.kind != .delete && operation.recordError == nil)
        else { return false }
      }
    }
    return slices.allSatisfy { $0.end <= bytes.count } && (decoded.outcome == .reject) == (decoded.reason != nil)
      && (decoded.outcome != .skip || decoded.skipped != nil) && decoded.offset >= 0
      && (decoded.eventCount == 0 || decoded.type == .info || decoded.sequence > 0)
  }
}

/// Every way to look at a frame.
private let allOptions: [DecodeOptions] = Verification.allCases.flatMap { verification in
  [false, true].map { flag in
    var options = DecodeOptions()
    options.verification = verification
    options.verifyAllBlocks = flag
    options.strictCBOR = flag
    options.emitSync = !flag
    return options
  }
}

private func damage(_ frames: [[UInt8]], _ random: inout Seeded) -> [UInt8] {
  var frame = frames.randomElement(using: &random) ?? []
  for _ in 0..<Int.random(in: 1...4, using: &random) where !frame.isEmpty {
    let at = Int.random(in: 0..<frame.count, using: &random)
    switch Int.random(in: 0..<6, using: &random) {
    case 0: frame[at] = UInt8.random(in: 0...255, using: &random)
    case 1: frame[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 2: frame.remove(at: at)
    case 3: frame.insert(UInt8.random(in: 0...255, using: &random), at: at)
    case 4: frame.removeLast(frame.count - at)
    default:
      let other = frames.randomElement(using: &random) ?? []
      frame.replaceSubrange(at..., with: other.dropFirst(Int.random(in: 0...other.count, using: &random)))
    }
  }
  return frame
}

private let builtFrames: [[UInt8]] =
  (framingCases + fieldCases + commitCases + carCases + operationCases + treeCases).map(\.frame).filter {
    $0.count < 10_000
  }

@Test func `no damage to a built frame breaks a law`() {
  property(1500) { random in
    let frame = damage(builtFrames, &random)
    return allOptions.allSatisfy { keepsLaws(frame, $0) }
  }
}

@Test func `no truncation of a built frame is accepted`() {
  let frames = [CommitFrame().encoded, message("#sync", syncFields()), message("#account", accountFields())]
  for frame in frames {
    for count in 0..<frame.count {
      let cut = Array(frame.prefix(count))
      #expect(allOptions.allSatisfy { keepsLaws(cut, $0) } && report(cut).hasPrefix("reject "), "\(count)")
    }
  }
}

@Test(.enabled(if: Vectors.arePresent, "\(Vectors.reason)"))
func `no damage to a real frame breaks a law or forges an event`() throws {
  let frames = try Vectors.frames("frames/frames_000_099.bin")
  property(600) { random in
    let frame = damage(frames, &random)
    return allOptions.allSatisfy { keepsLaws(frame, $0) }
  }
  // With all blocks hashed no flipped bit inside the blocks of a commit goes unnoticed.
  var options = DecodeOptions()
  options.verifyAllBlocks = true
  property(600) { random in
    var frame = frames.filter { $0.count > 2000 }.randomElement(using: &random) ?? []
    let bit = Int.random(in: 0..<8, using: &random)
    // From behind the CAR's header to the end of its blocks; the last 300 bytes hold other fields.
    frame[Int.random(in: 500..<frame.count - 400, using: &random)] ^= 1 << UInt8(bit)
    return !report(frame, options).hasPrefix("accept")
  }
}
