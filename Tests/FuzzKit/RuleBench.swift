import ATProto
import FrameKit
import Glibc
import Osprey
import Rules

/// A folder of rule files in memory (/dev/shm where there is one), removed when the process ends in good order.
package final class RuleFolder {
  package let path: String

  package init() {
    let root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    var template = Array("\(root)/fuzz-rules-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { finding("no folder for rules in \(root)") }
    path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  }

  /// Writes one file of the set.
  package func write(_ name: String, _ bytes: UnsafeRawBufferPointer) {
    let file = open("\(path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0, Glibc.write(file, bytes.baseAddress, bytes.count) == bytes.count else {
      finding("cannot write \(name)")
    }
    close(file)
  }

  package func write(_ name: String, _ text: String) {
    var text = text
    text.withUTF8 { write(name, UnsafeRawBufferPointer($0)) }
  }
}

/// Runs frames through decoder, rules and verdict writer, and checks what must hold of every verdict.
package final class RuleBench {
  /// Far above any budget, also under a sanitizer on a busy machine: CPU time of one event, milliseconds.
  private static let eventMillisecondsMax = 2000

  private let decoder: FrameDecoder
  private var decoded = DecodedFrame()
  private let actionWriter = ActionWriter(shape: .osprey)
  private let message = ByteWriter()
  private let verdict = Verdict()
  private let out = ByteWriter()

  package init() {
    var options = DecodeOptions()
    // Any record gets in, whatever its CID.
    options.verification = .none
    decoder = FrameDecoder(options: options)
  }

  /// The verdicts of every action of the frame, as text.
  package func judge(_ frame: [UInt8], _ host: RuleHost, clockMs: Int64) -> String {
    frame.withUnsafeBytes { judge(Bytes($0), host, clockMs: clockMs) }
  }

  private func judge(_ frame: Bytes, _ host: RuleHost, clockMs: Int64) -> String {
    decoder.decode(frame, into: &decoded)
    guard decoded.eventCount > 0 else { return "" }
    var texts = ""
    for index in 0..<(decoded.type == .commit ? decoded.operations.count : 1) {
      if decoded.type == .commit, decoded.operations[index].dropped != nil { continue }
      texts += judge(frame, index, host, clockMs)
    }
    return texts
  }

  private func judge(_ frame: Bytes, _ index: Int, _ host: RuleHost, _ clockMs: Int64) -> String {
    message.removeAll()
    let id = ActionID.make(ms: ActionID.milliseconds(decoded), sequence: decoded.sequence, operation: index)
    let written = actionWriter.write(
      frame, decoded, operation: index, json: decoder.json, id: id, receivedAtMicros: 1_783_175_954_000_000, to: message
    )
    var action = Action(
      name: ActionWriter.name(decoded, index), id: id, sequence: decoded.sequence, did: frame[decoded.did],
      time: frame[decoded.time], clockMs: clockMs, receivedAtMicros: 1_783_175_954_000_000)
    if decoded.type == .commit {
      let operation = decoded.operations[index]
      action.rev = frame[decoded.rev]
      action.collection = frame[operation.collection]
      action.rkey = frame[operation.rkey]
      action.path = frame[operation.path]
      action.uri = message[written.uri]
      action.cid = message[written.cid]
      action.recordError = operation.recordError
      if !operation.json.isEmpty { action.record = frame[operation.record] }
    } else {
      action.handle = frame[decoded.handle]
      action.isActive = decoded.isActive
      action.status = frame[decoded.status]
    }
    let start = Self.cpuMilliseconds()
    let result = host.judge(action, into: verdict, fillsAlways: true)
    law(Self.cpuMilliseconds() - start < Self.eventMillisecondsMax, "one event took seconds")
    law(result.hits + result.shadowHits <= host.rules.count, "more hits than rules")
    verdict.evaluationMicros = 0
    VerdictWriter(rulesetHash: host.hash, mode: .live).write(verdict, on: action, into: out, bytesMax: 1_000_000)
    law(out.count <= 1_000_000, "a verdict of \(out.count) bytes")
    law(isJSON(out.bytes.raw.bindMemory(to: UInt8.self)), "not JSON: \(out.bytes.string)")
    return out.bytes.string
  }

  private static func cpuMilliseconds() -> Int {
    var now = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
    return now.tv_sec * 1000 + now.tv_nsec / 1_000_000
  }
}
