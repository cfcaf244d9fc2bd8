import Logging
import Rules
import Synchronization

/// What came of an attempt to load the rules anew.
package enum ReloadResult: Sendable {
  /// The judge takes the new set before its next frame.
  case loaded
  /// The files are what they were.
  case unchanged
  /// The set does not load; the old one stays.
  case refused(RuleErrors)
}

/// Loads the rule folder at start and again when asked to or when a file of it changes, on a thread of its own: the judge
/// goes on with the old set until the new one is whole (DESIGN.md law 6).
final class RuleKeeper: @unchecked Sendable {
  // Unchecked: `isEnding`, `isAsked` are guarded by `monitor`; `fingerprint` and `pending` belong to the keeper's thread.

  /// How often the folder is looked at. A change counts once the folder has looked the same twice: an editor or a checkout
  /// that is still writing is waited for.
  private static let watchMs = 1000

  let folder: String
  private let what: String
  private let options: RuleOptions
  private let log: Logger
  private let counters: LabelledCounters
  private let exchange: Mutex<RuleExchange>
  /// One load at a time.
  private let loading = Mutex(())
  private let monitor = Monitor(conditions: 1)
  private var isAsked = false
  private var isEnding = false
  private var thread: OwnedThread?
  private var fingerprint: UInt64 = 0
  private var pending: UInt64?

  static let reloadLabels = ["loaded", "unchanged", "refused"]

  /// Loads the rules; a folder that does not load stops the start.
  ///
  /// - Parameters:
  ///   - what: what log lines call the set: `rules`, `candidate rules`.
  ///   - options: what every load gets.
  ///   - counters: reloads by `reloadLabels`.
  init(
    folder: String, what: String = "rules", options: RuleOptions = RuleOptions(), counters: LabelledCounters,
    log: Logger
  ) throws(StartError) {
    self.folder = folder
    self.what = what
    self.options = options
    self.counters = counters
    self.log = log
    fingerprint = RuleHost.fingerprint(directory: folder)
    let host: RuleHost
    do throws(RuleErrors) {
      host = try RuleHost.load(directory: folder, options: options)
    } catch {
      throw StartError("the \(what) in \(folder) do not load:\n\(error)")
    }
    exchange = Mutex(RuleExchange(host))
    log.info("\(host.rules.count) \(what) from \(folder) (\(host.hash.prefix(19))…)")
  }

  /// Loads the rules for a session to come: with what a snapshot remembers, or with empty windows, for a session that replays
  /// must not count events twice. Should the files not load any more, or the snapshot not fit, nothing changes.
  func renew(restoring state: RuleSnapshot? = nil) throws(RuleErrors) {
    let result = loading.withLock { _ in
      Result { () throws(RuleErrors) in
        var options = options
        options.restoring = state
        let next = RuleExchange(try RuleHost.load(directory: folder, options: options))
        exchange.withLock { $0 = next }
      }
    }
    try result.get()
  }

  /// Where the judge of a session gets its rules from.
  var forSession: RuleExchange { exchange.withLock { $0 } }

  /// The set that judges now.
  var active: RuleHost { forSession.active }

  /// Begins to watch the folder.
  func start() {
    monitor.lock()
    isEnding = false
    monitor.unlock()
    thread = OwnedThread("rules") { self.keep() }
  }

  func stop() {
    monitor.lock()
    isEnding = true
    monitor.broadcast(0)
    monitor.unlock()
    thread?.join()
    thread = nil
  }

  /// Asks for a reload, also of unchanged files: a rule that was set aside runs again. Any thread; returns at once.
  func reloadSoon() {
    monitor.lock()
    isAsked = true
    monitor.broadcast(0)
    monitor.unlock()
  }

  private func keep() {
    while true {
      monitor.lock()
      if !isEnding && !isAsked { _ = monitor.wait(0, milliseconds: Self.watchMs) }
      let (isEnding, isAsked) = (isEnding, isAsked)
      self.isAsked = false
      monitor.unlock()
      if isEnding { return }
      if isAsked {
        pending = nil
        fingerprint = RuleHost.fingerprint(directory: folder)
        _ = reload(evenIfUnchanged: true)
      } else {
        watch()
      }
      clear()
    }
  }

  /// Gives back the memory of a set the judge has put down.
  func clear() { forSession.clear() }

  private func watch() {
    let now = RuleHost.fingerprint(directory: folder)
    defer { pending = now }
    guard now != fingerprint, now == pending else { return }
    fingerprint = now
    _ = reload(evenIfUnchanged: false)
  }

  /// Loads the folder and offers the set to the judge.
  func reload(evenIfUnchanged: Bool) -> ReloadResult {
    loading.withLock { _ in
      let exchange = forSession
      let old = exchange.active
      let result: ReloadResult
      do throws(RuleErrors) {
        let host = try RuleHost.load(directory: folder, replacing: old, options: options)
        if host.hash == old.hash && !evenIfUnchanged {
          result = .unchanged
        } else {
          exchange.offer(host)
          log.info("\(what) reloaded: \(host.rules.count) rules (\(host.hash.prefix(19))…)\(Self.changes(old, host))")
          result = .loaded
        }
      } catch {
        log.error("the \(what) in \(folder) do not load; the old ones stay:\n\(error)")
        result = .refused(error)
      }
      switch result {
      case .loaded: counters[0].add()
      case .unchanged: counters[1].add()
      case .refused: counters[2].add()
      }
      return result
    }
  }

  /// `; new: A; changed: B (now live); gone: C`.
  private static func changes(_ old: RuleHost, _ new: RuleHost) -> String {
    let before = Dictionary(old.rules.map { ($0.name, $0) }) { first, _ in first }
    let after = Set(new.rules.map(\.name))
    let added = new.rules.filter { before[$0.name] == nil }.map(\.name)
    let changed = new.rules.compactMap { rule -> String? in
      guard let was = before[rule.name] else { return nil }
      if was.mode != rule.mode { return "\(rule.name) (now \(rule.mode.rawValue))" }
      return was.fileHash != rule.fileHash ? rule.name : nil
    }
    let gone = old.rules.map(\.name).filter { !after.contains($0) }
    return [("new", added), ("changed", changed), ("gone", gone)].filter { !$0.1.isEmpty }
      .map { "; \($0.0): \($0.1.joined(separator: ", "))" }.joined()
  }
}
