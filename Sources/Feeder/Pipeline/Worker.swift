import ATProto
import Osprey
import Signatures
import Synchronization

/// One decoding thread: takes frames in batches, decodes them and writes their action messages.
final class Worker {
  /// Bytes of messages that one frame may become: this much, and so many times its own size. JSON is at most six times its
  /// record; more comes only of many operations that share one large record, which would fill the memory behind the ring.
  private static let messageBytesBase = 256 << 10
  private static let messageBytesPerFrameByte = 8

  private let ring: FrameRing
  private let decoder: FrameDecoder
  private let writer: ActionWriter
  private let settings: WorkerSettings
  /// For sources that speak JSON, and what stands behind a frame's own bytes.
  private lazy var imports = (reader: ActionReader(), tail: ByteWriter(capacity: 1 << 12))

  init(ring: FrameRing, settings: WorkerSettings) {
    self.ring = ring
    self.settings = settings
    decoder = FrameDecoder(options: settings.decode)
    writer = ActionWriter(
      shape: settings.shape, escaping: settings.decode.escaping, withPosition: settings.withPosition)
  }

  /// Works until the ring is closed and everything in it is decoded.
  func run(_ busy: Counter) {
    while let range = ring.claim() {
      for ticket in range { decode(ring.slot(ticket)) }
      ring.finish(range)
      busy.set(Int(Now.threadCPUNanos()))
    }
  }

  /// Everything about a frame that does not depend on other frames.
  func decode(_ slot: FrameSlot) {
    slot.pending.removeAll(keepingCapacity: true)
    slot.actions.removeAll()
    switch slot.kind {
    case .frame:
      decoder.decode(slot.bytes, into: &slot.decoded)
      if slot.shift != FrameShift() { applyShift(slot) }
    case .text: slot.decoded.refuse(.textMessage)
    case .oversized: slot.decoded.refuse(.tooLarge)
    case .action: return importAction(slot)
    }
    if slot.receivedAtMicros == FrameSlot.receiveTimeUnknown, let ms = slot.decoded.timeMs ?? slot.decoded.revMs {
      slot.receivedAtMicros = ms * 1000
    }
    guard slot.decoded.outcome == .accept || slot.decoded.outcome == .partial else { return }
    if slot.decoded.type == .commit {
      for index in slot.decoded.operations.indices where slot.decoded.operations[index].dropped == nil {
        action(slot, index)
      }
    } else {
      action(slot, 0)
    }
    decoder.shrink()
  }

  /// A frame that is read again (`CaptureFileSource`) gets the number and time of its pass. The rev, which is signed, stays.
  private func applyShift(_ slot: FrameSlot) {
    if slot.decoded.sequence > 0 { slot.decoded.sequence += slot.shift.sequence }
    guard let ms = slot.decoded.timeMs else { return }
    imports.tail.removeAll()
    Timestamp.append(micros: (ms + slot.shift.ms) * 1000, digits: 3, suffix: "Z", to: imports.tail)
    slot.decoded.timeMs = ms + slot.shift.ms
    slot.decoded.time = Slice(offset: slot.count, count: imports.tail.count)
    slot.append(imports.tail.bytes)
  }

  /// A message of the actions topic becomes what the frame was that it was made of, with this one action.
  private func importAction(_ slot: FrameSlot) {
    do throws(JSONError) {
      imports.tail.removeAll()
      let imported = try imports.reader.read(slot.bytes, into: &slot.decoded, tail: imports.tail)
      slot.append(imports.tail.bytes)
      var written = WrittenAction()
      written.uri = Slice(offset: 0, count: imported.uri.count)
      slot.actions.append(slot.bytes[imported.uri])
      written.cid = Slice(offset: slot.actions.count, count: imported.cid.count)
      slot.actions.append(slot.bytes[imported.cid])
      slot.pending.append(PendingAction(operation: 0, id: imported.id, written: written))
    } catch {
      slot.decoded.refuse(.badField)
    }
    imports.tail.shrink(to: 1 << 16)
  }

  private func action(_ slot: FrameSlot, _ index: Int) {
    let id: Int64
    if slot.decoded.type == .info {
      id = settings.informationID(slot.receivedAtMicros)
    } else {
      id = ActionID.make(
        ms: ActionID.milliseconds(slot.decoded), sequence: slot.decoded.sequence, operation: index,
        epochMs: settings.epochMs)
    }
    var written = write(slot, index, id)
    let isTooLong = written.message.count + slot.decoded.did.count > settings.messageBytesMax
    let isTooMuch = slot.actions.count > Self.messageBytesBase + Self.messageBytesPerFrameByte * slot.count
    if isTooLong || isTooMuch, slot.decoded.type == .commit {
      // The broker would refuse it, or the frame swells: the action goes without its record, the rules still see the record, and the whole
      // frame goes to the dead letters.
      slot.actions.truncate(to: written.message.offset)
      slot.decoded.operations[index].recordError = .tooLarge
      slot.decoded.outcome = .partial
      written = write(slot, index, id)
    }
    slot.pending.append(PendingAction(operation: index, id: id, written: written))
  }

  private func write(_ slot: FrameSlot, _ index: Int, _ id: Int64) -> WrittenAction {
    writer.write(
      slot.bytes, slot.decoded, operation: index, json: decoder.json, id: id,
      receivedAtMicros: slot.receivedAtMicros, to: slot.actions)
  }
}

/// What all workers share.
package final class WorkerSettings: Sendable {
  package let decode: DecodeOptions
  package let shape: ActionShape
  package let withPosition: Bool
  package let epochMs: Int64
  /// Longest key and value the producer takes together.
  package let messageBytesMax: Int
  private let informationCount = Atomic<Int64>(0)

  package init(
    decode: DecodeOptions, shape: ActionShape, withPosition: Bool, epochMs: Int64, messageBytesMax: Int
  ) {
    self.decode = decode
    self.shape = shape
    self.withPosition = withPosition
    self.epochMs = epochMs
    self.messageBytesMax = messageBytesMax
  }

  /// Info events have no sequence number: receive time and a count of this process (CONTRACT.md, "action_id").
  func informationID(_ receivedAtMicros: Int64) -> Int64 {
    let count = informationCount.wrappingAdd(1, ordering: .relaxed).newValue
    return ActionID.make(ms: receivedAtMicros / 1000, sequence: count, operation: 0, epochMs: epochMs)
  }
}
