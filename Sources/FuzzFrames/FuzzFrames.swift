import ATProto
import FuzzKit
import Osprey

/// One way to decode, with its own reused memory, as a worker has it.
private final class Setup {
  let decoder: FrameDecoder
  let writer: ActionWriter
  let out = ByteWriter(capacity: 4096)
  var decoded = DecodedFrame()

  init(_ verification: Verification, all: Bool, strict: Bool, sync: Bool, _ shape: ActionShape, html: Bool) {
    var options = DecodeOptions()
    options.verification = verification
    options.verifyAllBlocks = all
    options.strictCBOR = strict
    options.emitSync = sync
    options.escaping = html ? .html : .plain
    decoder = FrameDecoder(options: options)
    writer = ActionWriter(shape: shape, escaping: options.escaping, withPosition: sync)
  }

  func decode(_ frame: Bytes) { decoder.decode(frame, into: &decoded) }
}

/// libFuzzer runs one input at a time on one thread.
nonisolated(unsafe) private let setups = [
  Setup(.mst, all: true, strict: false, sync: true, .osprey, html: false),
  Setup(.mst, all: false, strict: true, sync: false, .standard, html: true),
  // Without hashes a changed byte gets past the CIDs: this is the one that reaches records and trees.
  Setup(.none, all: false, strict: false, sync: true, .osprey, html: true),
  Setup(.cid, all: true, strict: false, sync: false, .standard, html: false),
]

func fuzzFrames(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let frame = Bytes(UnsafeRawBufferPointer(start: data, count: count))
  for setup in setups {
    setup.decode(frame)
    checkLaws(setup, frame)
    let first = messages(setup, frame)
    let outcome = (setup.decoded.outcome, setup.decoded.reason, setup.decoded.defects, setup.decoded.offset)
    // Once more, with the blocks hashed in the other way.
    setup.decoder.hashesTogether.toggle()
    setup.decode(frame)
    let again = (setup.decoded.outcome, setup.decoded.reason, setup.decoded.defects, setup.decoded.offset)
    law(outcome == again, "decoding twice gave \(outcome) and \(again)")
    law(first == messages(setup, frame), "decoding twice gave two messages")
  }
  return 0
}

private func checkLaws(_ setup: Setup, _ frame: Bytes) {
  let decoded = setup.decoded
  law((decoded.outcome == .reject) == (decoded.reason != nil), "a reason belongs to a rejection")
  law(decoded.outcome != .skip || decoded.skipped != nil, "a skipped frame says why")
  law(decoded.offset >= 0 && decoded.offset <= max(frame.count, Limits.frameBytesMax), "offset \(decoded.offset)")
  let slices = [
    decoded.typeName, decoded.did, decoded.rev, decoded.time, decoded.commitBlock, decoded.handle, decoded.status,
    decoded.name, decoded.message,
  ]
  for slice in slices { law(slice.end <= frame.count, "a slice ends at \(slice.end) of \(frame.count)") }
  law(decoded.operations.count <= Limits.operationsMax, "\(decoded.operations.count) operations")
  for operation in decoded.operations {
    for slice in [operation.path, operation.collection, operation.rkey, operation.cid, operation.record] {
      law(slice.end <= frame.count, "an operation's slice ends at \(slice.end) of \(frame.count)")
    }
    law(operation.json.end <= setup.decoder.json.count, "JSON outside its buffer")
  }
  guard decoded.eventCount > 0 else { return }
  law(decoded.type == .info || (decoded.sequence >= 1 && decoded.sequence <= Limits.sequenceMax), "sequence")
  law(decoded.type == .info || Syntax.isDID(frame[decoded.did]), "an event without a DID")
  for operation in decoded.operations where operation.dropped == nil {
    law(operation.kind != .unknown, "an unknown action was delivered")
    law(Syntax.isNSID(frame[operation.collection]) && Syntax.isRecordKey(frame[operation.rkey]), "a bad path")
    let hasRecord = !operation.json.isEmpty
    law(
      hasRecord == (operation.kind != .delete && operation.recordError == nil), "a record that should not be, or none")
  }
}

/// All messages of the frame, each checked to be JSON.
private func messages(_ setup: Setup, _ frame: Bytes) -> [UInt8] {
  setup.out.removeAll()
  let decoded = setup.decoded
  guard decoded.eventCount > 0 else { return [] }
  for index in 0..<(decoded.type == .commit ? decoded.operations.count : 1) {
    if decoded.type == .commit, decoded.operations[index].dropped != nil { continue }
    let id = ActionID.make(ms: ActionID.milliseconds(decoded), sequence: decoded.sequence, operation: index)
    law(id > 0, "action id \(id)")
    let written = setup.writer.write(
      frame, decoded, operation: index, json: setup.decoder.json, id: id, receivedAtMicros: 1_783_175_954_000_000,
      to: setup.out)
    let message = setup.out[written.message]
    law(isJSON(message.raw.bindMemory(to: UInt8.self)), "not JSON: \(message.string)")
  }
  return setup.out.bytes.array
}
