import ATProto
import ArgumentParser
import Capture
import Feeder
import Foundation
import Osprey
import Signatures

struct DecodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decode", abstract: "Frames from a file or standard input → JSON lines. No Kafka, no rules.",
    discussion: """
      A frame that cannot be used never stops the run; --report says what became of each.
        osprey-feeder decode day.frames.zst --format standard
        osprey-feeder decode --hex --report < frames.txt
      """)

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case osprey, standard, jetstream, raw
  }

  @Argument(help: "A capture file (.frames, .frames.zst), or - for standard input.")
  var file = "-"
  @Flag(help: "Read one frame per line in hexadecimal; an empty line is an empty frame.")
  var hex = false
  @Option(help: "What to print for each event: osprey, standard, jetstream; raw prints the whole frame.")
  var format = Format.osprey
  @Option(help: "none, cid, mst or signature: how far commits are checked.")
  var verify = "mst"
  @Flag(help: "Hash also the blocks nothing refers to.")
  var verifyAllBlocks = false
  @Flag(help: "Print one line per frame instead: outcome, reasons, defects.")
  var report = false
  @Option(help: "DID:KEY, for --verify signature; KEY is a did:key or multikey. Repeatable.")
  var signingKey: [String] = []
  @Flag(help: "Exit with 1 if a frame was rejected or used in part.")
  var strict = false
  @Flag(help: "Reject frames that are not canonical DAG-CBOR.")
  var strictCbor = false
  @Flag(help: "Escape <, >, &, U+2028 and U+2029 as Go does.")
  var escapeHtml = false
  @Flag(help: "Print #sync as an event.")
  var emitSync = false
  @Option(help: "Receive time for all frames (RFC 3339); otherwise recorded, or the event's own.")
  var now: String?

  mutating func run() throws {
    let run = try DecodeRun(self)
    try run.run()
  }
}

/// One run of `decode`.
final class DecodeRun {
  private let command: DecodeCommand
  private let decoder: FrameDecoder
  private let writer: ActionWriter
  private let jetstream: JetstreamWriter
  private var raw: RawJSON
  private let keys: [String: VerifyingKey]
  private let nowMicros: Int64?
  private var signature = CommitSignature()
  private var decoded = DecodedFrame()
  private let out = ByteWriter(capacity: 1 << 16)
  private var frames = 0
  private var faulty = 0
  private var isTorn = false
  private var informationCount: Int64 = 0

  init(_ command: DecodeCommand) throws {
    self.command = command
    guard let verification = Verification(rawValue: command.verify) else {
      throw UsageError("--verify: '\(command.verify)' is none of none, cid, mst, signature")
    }
    guard verification == .signature || command.signingKey.isEmpty else {
      throw UsageError("--signing-key goes with --verify signature")
    }
    var options = DecodeOptions()
    options.verification = verification
    options.verifyAllBlocks = command.verifyAllBlocks
    options.strictCBOR = command.strictCbor
    options.emitSync = command.emitSync
    options.escaping = command.escapeHtml ? .html : .plain
    decoder = FrameDecoder(options: options)
    writer = ActionWriter(shape: command.format == .standard ? .standard : .osprey, escaping: options.escaping)
    jetstream = JetstreamWriter(escaping: options.escaping)
    raw = RawJSON(escaping: options.escaping)
    keys = try Self.keys(command.signingKey)
    if let now = command.now {
      guard let ms = withBytes(Array(now.utf8), { Timestamp.milliseconds($0) }) else {
        throw UsageError("--now: '\(now)' is no RFC 3339 date; try: 2026-07-04T14:39:14Z")
      }
      nowMicros = ms * 1000
    } else {
      nowMicros = nil
    }
  }

  /// `did:plc:abc:zQ3…` or `did:plc:abc:did:key:zQ3…`.
  private static func keys(_ pairs: [String]) throws -> [String: VerifyingKey] {
    var keys: [String: VerifyingKey] = [:]
    for pair in pairs {
      let split = pair.range(of: ":did:key:")?.lowerBound ?? pair.lastIndex(of: ":")
      guard let split else { throw UsageError("--signing-key: '\(pair)' is not DID:KEY") }
      let text = String(pair[pair.index(after: split)...])
      do throws(SignatureError) {
        keys[String(pair[..<split])] = try VerifyingKey(
          text.hasPrefix("did:key:") ? PublicKey(didKey: text) : PublicKey(multikey: text))
      } catch {
        throw UsageError("--signing-key: '\(text)' is no did:key or multikey of secp256k1 or P-256")
      }
    }
    return keys
  }

  func run() throws {
    if command.hex { try readHex() } else { try readCapture() }
    flush()
    if !command.report && (faulty > 0 || isTorn) {
      Console.write("\(faulty) of \(frames) frames rejected or used in part; try: --report\n")
    }
    if isTorn || (command.strict && faulty > 0) { throw ExitCode(1) }
  }

  private func readCapture() throws {
    do throws(CaptureError) {
      let reader = try CaptureReader(path: command.file)
      var frame: [UInt8] = []
      while true {
        do throws(CaptureError) {
          guard try reader.next(into: &frame) else { return }
          withBytes(frame) { take($0, receivedMicros: reader.receiveTime.map { Int64(clamping: $0) }) }
        } catch {
          switch error {
          case .frameTooLarge: refuse(.tooLarge)
          case .tornFile: return torn()
          default: throw error
          }
        }
      }
    } catch {
      throw UsageError("decode: \(error)")
    }
  }

  private func readHex() throws {
    guard let file = command.file == "-" ? fdopen(0, "r") : fopen(command.file, "r") else {
      throw UsageError("decode: cannot read \(command.file): \(String(cString: strerror(errno)))")
    }
    defer { fclose(file) }
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while true {
      var count = getline(&line, &capacity, file)
      guard count >= 0, let line else { return }
      while count > 0, line[count - 1] == 0x0a || line[count - 1] == 0x0d { count -= 1 }
      let text = UnsafeRawBufferPointer(start: line, count: count)
      guard let frame = Self.bytes(fromHex: text) else {
        throw UsageError("decode: line \(frames + 1) is not hexadecimal")
      }
      withBytes(frame) { take($0, receivedMicros: nil) }
    }
  }

  private static func bytes(fromHex text: UnsafeRawBufferPointer) -> [UInt8]? {
    guard text.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 2)
    for index in stride(from: 0, to: text.count, by: 2) {
      guard let high = digit(text[index]), let low = digit(text[index + 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x61...0x66: byte - 0x57
    case 0x41...0x46: byte - 0x37
    default: nil
    }
  }

  private func take(_ frame: Bytes, receivedMicros: Int64?) {
    decoder.decode(frame, into: &decoded)
    if decoder.options.verification == .signature { checkSignature(frame) }
    if decoded.outcome == .reject || decoded.outcome == .partial { faulty += 1 }
    if command.report {
      FrameReport.write(frame, decoded, number: frames, to: out)
      out.append(0x0a)
    } else if command.format == .raw {
      writeRaw(frame)
    } else {
      writeEvents(frame, nowMicros ?? receivedMicros ?? (decoded.timeMs ?? decoded.revMs ?? 0) * 1000)
    }
    frames += 1
    if out.count > 1 << 16 { flush() }
  }

  /// A commit whose signature does not verify with the key given for its DID (or that has none) is rejected.
  private func checkSignature(_ frame: Bytes) {
    guard !decoded.commitBlock.isEmpty, decoded.outcome != .reject else { return }
    do throws(SignatureError) {
      guard let key = keys[frame[decoded.did].string] else { throw .badSignature }
      try signature.verify(commit: frame[decoded.commitBlock].array, with: key)
    } catch {
      decoded.outcome = .reject
      decoded.reason = .badSignature
      decoded.offset = decoded.commitBlock.offset
    }
  }

  private func writeRaw(_ frame: Bytes) {
    let start = out.count
    do throws(DecodeError) {
      try raw.write(frame, to: out)
    } catch {
      out.truncate(to: start)
      FrameReport.write(frame, decoded, number: frames, to: out)
    }
    out.append(0x0a)
  }

  private func writeEvents(_ frame: Bytes, _ receivedMicros: Int64) {
    guard decoded.eventCount > 0 else { return }
    let indices = decoded.type == .commit ? decoded.operations.indices : 0..<1
    for index in indices where decoded.type != .commit || decoded.operations[index].dropped == nil {
      if command.format == .jetstream {
        let isWritten = jetstream.write(
          frame, decoded, operation: index, json: decoder.json, timeMicros: receivedMicros, to: out)
        if isWritten { out.append(0x0a) }
        continue
      }
      if decoded.type == .info { informationCount += 1 }
      let id =
        decoded.type == .info
        ? ActionID.make(ms: receivedMicros / 1000, sequence: informationCount, operation: 0)
        : ActionID.make(ms: ActionID.milliseconds(decoded), sequence: decoded.sequence, operation: index)
      _ = writer.write(
        frame, decoded, operation: index, json: decoder.json, id: id, receivedAtMicros: receivedMicros, to: out)
      out.append(0x0a)
    }
  }

  /// A frame that is not there in full.
  private func refuse(_ reason: Reason) {
    decoded.refuse(reason)
    faulty += 1
    if command.report {
      FrameReport.write(.empty, decoded, number: frames, to: out)
      out.append(0x0a)
    }
    frames += 1
  }

  private func torn() {
    isTorn = true
    refuse(.tornFile)
  }

  private func flush() {
    Console.output(out.bytes.raw)
    out.removeAll()
  }
}
