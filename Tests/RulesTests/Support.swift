import ATProto
import FrameKit
import Glibc
import Osprey

@testable import Rules

/// An action whose bytes the test owns.
struct TestEvent {
  var name = ActionName.operationCreate
  var did = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
  var collection = "app.bsky.feed.post"
  var rkey = "3l2ex6hfsom2u"
  var record: Item? = .map([("$type", .text("app.bsky.feed.post")), ("text", .text("hello"))])
  var id: Int64 = 1_573_487_100_794_241_024
  var seq: Int64 = 7
  var clockMs: Int64 = 1_783_175_887_918
  var handle = ""
  var recordError: Reason?

  static func post(_ text: String, _ more: [(String, Item)] = []) -> TestEvent {
    var event = TestEvent()
    event.record = .map([("$type", .text("app.bsky.feed.post")), ("text", .text(text))] + more)
    return event
  }

  static func profile(_ name: String, did: String = "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb") -> TestEvent {
    var event = TestEvent(did: did)
    event.collection = "app.bsky.actor.profile"
    event.rkey = "self"
    event.record = .map([("$type", .text("app.bsky.actor.profile")), ("displayName", .text(name))])
    return event
  }

  func withAction<Result>(_ body: (Action) -> Result) -> Result {
    let isOperation = [.operationCreate, .operationUpdate, .operationDelete].contains(name)
    let path = isOperation ? "\(collection)/\(rkey)" : ""
    let texts = [
      did, "2026-07-04T14:38:07.918Z", "3l2ex6hfsom2u", isOperation ? collection : "", isOperation ? rkey : "", path,
      isOperation ? "at://\(did)/\(path)" : "", record == nil ? "" : "bafyreicid", handle,
    ]
    let bytes = texts.map { Array($0.utf8) }
    let all = bytes.flatMap { $0 } + (record?.encoded ?? [])
    return withBytes(all) { all in
      var at = 0
      func next(_ count: Int) -> Bytes {
        defer { at += count }
        return all[Slice(offset: at, count: count)]
      }
      let parts = bytes.map { next($0.count) }
      var action = Action(
        name: name, id: id, sequence: seq, did: parts[0], time: parts[1], clockMs: clockMs,
        receivedAtMicros: 1_783_175_888_123_456)
      action.rev = parts[2]
      action.collection = parts[3]
      action.rkey = parts[4]
      action.path = parts[5]
      action.uri = parts[6]
      action.cid = parts[7]
      action.handle = parts[8]
      action.record = next(all.count - at)
      action.recordError = recordError
      return body(action)
    }
  }
}

/// What an expression comes to inside a rule, or the message of its failure. `prelude` stands before the rule.
func ask(
  _ expression: String, _ event: TestEvent = TestEvent(), prelude: String = "", files: [String: String] = [:]
) throws -> String? {
  let source = prelude + "\n" + ruleSource("Probe", "return true, { Value = \(expression) }")
  let judge = try Judge(files.merging(["r.lua": source]) { first, _ in first })
  let value = judge.value(event)
  return judge.faults.first?.message ?? value
}

/// A loaded rule set with one verdict and one writer.
final class Judge {
  let host: RuleHost
  let verdict = Verdict()
  let writer: VerdictWriter
  private let out = ByteWriter()
  var faults: [RuleFault] = []

  convenience init(_ files: [String: String], replacing: RuleHost? = nil) throws {
    self.init(host: try loadRules(files, replacing: replacing))
  }

  init(host: RuleHost) {
    self.host = host
    writer = VerdictWriter(rulesetHash: host.hash, mode: .live)
    host.onFault = { [unowned self] in faults.append($0) }
  }

  /// One file with one rule whose `when` has this body.
  convenience init(when body: String, effects: String = "{ verdict \"review\" }") throws {
    try self.init(["r.lua": ruleSource("Probe", body, effects: effects)])
  }

  func judge(_ event: TestEvent, fillsAlways: Bool = false) -> JudgeResult {
    event.withAction { host.judge($0, into: verdict, fillsAlways: fillsAlways) }
  }

  /// The verdict's JSON, with the time the rules took set to 0.
  func json(_ event: TestEvent, fillsAlways: Bool = true, bytesMax: Int = 1_000_000) -> String {
    event.withAction { action in
      _ = host.judge(action, into: verdict, fillsAlways: fillsAlways)
      verdict.evaluationMicros = 0
      writer.write(verdict, on: action, into: out, bytesMax: bytesMax)
      return out.bytes.string
    }
  }

  /// What `when` returned as the feature `Value`, as it stands in the JSON; nil where there is none.
  func value(_ event: TestEvent) -> String? {
    let json = json(event)
    guard let range = json.firstRange(of: "\"Value\":") else { return nil }
    let rest = json[range.upperBound...]
    if rest.first == "\"" { return String(rest.dropFirst().prefix { $0 != "\"" }) }
    if rest.first == "[" { return String(rest.prefix { $0 != "]" }) + "]" }
    return String(rest.prefix { $0 != "," && $0 != "}" })
  }
}

func ruleSource(_ name: String, _ body: String, more: String = "", effects: String = "{ verdict \"review\" }") -> String
{
  "return rule { name = \"\(name)\", about = \"A test.\", \(more) when = function(event)\n\(body)\nend, effects = \(effects) }"
}

func ruleFiles(_ files: [String: String]) -> [RuleFile] {
  files.keys.sorted().map { path in
    let bytes = Array(files[path]!.utf8)
    let digest = withBytes(bytes) { SHA256Digest.of($0) }
    let hash = digest.map { byte in
      let text = String(byte, radix: 16)
      return text.count == 1 ? "0" + text : text
    }
    return RuleFile(path: path, bytes: bytes, hash: hash.joined())
  }
}

func loadRules(_ files: [String: String], replacing: RuleHost? = nil) throws(RuleErrors) -> RuleHost {
  var options = RuleOptions()
  // Rules are ended by what they do; a machine that pauses is not to be among the reasons.
  options.ruleNanosecondsMax *= Int64(max(10, slowness))
  return try RuleHost.load(ruleFiles(files), replacing: replacing, options: options)
}

/// What is wrong with a file, one text per error.
func loadErrors(_ files: [String: String]) -> [String] {
  do {
    _ = try loadRules(files)
    return []
  } catch {
    return error.errors.map(\.description)
  }
}

/// How many times slower than usual things may be: tools/sanitize.sh says so.
let slowness = getenv("OSPREY_FEEDER_SLOWNESS").flatMap { Double(String(cString: $0)) } ?? 1

/// Milliseconds that `body` takes of this thread's time: other tests run beside it.
func milliseconds(_ body: () throws -> Void) rethrows -> Double {
  var start = timespec()
  var end = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start)
  try body()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end)
  return Double(end.tv_sec - start.tv_sec) * 1000 + Double(end.tv_nsec - start.tv_nsec) / 1e6
}
