import ATProto
import Logging
import Rules
import Synchronization

/// One loaded rule and its numbers.
package struct RuleStatus: Sendable {
  package var rule: RuleDefinition
  package var numbers: RuleStatistics

  /// `/rules`: what is loaded, as JSON.
  static func json(_ rules: [RuleStatus], hash: String) -> [UInt8] {
    let out = ByteWriter()
    func text(_ name: StaticString, _ value: String) {
      out.append(name)
      withBytes(Array(value.utf8)) { _ = out.append(jsonString: $0) }
    }
    text("{\"ruleset\":", hash)
    out.append(",\"rules\":[")
    for (index, status) in rules.enumerated() {
      let rule = status.rule
      text(index == 0 ? "{\"name\":" : ",{\"name\":", rule.name)
      text(",\"mode\":", rule.mode.rawValue)
      text(",\"about\":", rule.about)
      text(",\"owner\":", rule.owner)
      text(",\"file\":", rule.file)
      text(",\"hash\":", rule.fileHash)
      text(",\"actions\":", rule.actions.joined(separator: " "))
      text(",\"collections\":", rule.collections.joined(separator: " "))
      out.append(",\"evaluations\":")
      out.append(decimal: Int64(status.numbers.evaluations))
      out.append(",\"hits\":")
      out.append(decimal: Int64(status.numbers.hits))
      out.append(",\"errors\":")
      out.append(decimal: Int64(status.numbers.errors))
      out.append(status.numbers.isSetAside ? ",\"set_aside\":true}" : ",\"set_aside\":false}")
    }
    out.append("]}\n")
    return out.bytes.array
  }
}

/// Loads the rule set once to check it, and again for each session: a session that replays must not count events twice.
final class RuleLoader: Sendable {
  private let folder: String
  private let current: Mutex<RuleHost>
  private let isFresh = Atomic<Bool>(true)
  private let log: Logger

  init(folder: String, log: Logger) throws(StartError) {
    self.folder = folder
    self.log = log
    let host: RuleHost
    do throws(RuleErrors) {
      host = try RuleHost.load(directory: folder)
    } catch {
      throw StartError("the rules in \(folder) do not load:\n\(error)")
    }
    log.info("\(host.rules.count) rules from \(folder) (\(host.hash.prefix(19))…)")
    current = Mutex(host)
  }

  /// The rules for a new session. Should the files not load any more, the set that did goes on.
  func next() -> RuleHost {
    if isFresh.exchange(false, ordering: .relaxed) { return current.withLock { $0 } }
    do throws(RuleErrors) {
      let host = try RuleHost.load(directory: folder)
      current.withLock { $0 = host }
      return host
    } catch {
      log.error("the rules in \(folder) do not load any more, the old ones stay:\n\(error)")
      return current.withLock { $0 }
    }
  }

  /// What is loaded and how it does.
  var status: (hash: String, rules: [RuleStatus]) {
    let host = current.withLock { $0 }
    return (
      host.hash,
      host.rules.indices.map { RuleStatus(rule: host.rules[$0], numbers: host.counters.statistics($0)) }
    )
  }
}
