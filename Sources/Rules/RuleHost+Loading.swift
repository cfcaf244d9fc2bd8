import ATProto
import CLuaHost

/// What the host announces while a file is loaded, put together to rules.
struct LoadingState {
  struct Rule {
    /// `LH_FILE_…`: whether it is a rule, or one of the other things a file can return.
    var kind: Int
    var entries: [RuleEntry]
    var line: Int
    var function: Int32
  }

  private(set) var rules: [Rule] = []
  /// What `CompiledChunk` says of the file.
  var finding: Int32 = 0
  private var open: [(key: String, index: Int64, entries: [RuleEntry])] = []
  private var function: Int32 = 0
  private var kind = 0

  mutating func take(event: Int, key: Bytes, index: Int64, _ value: lh_value, line: Int) {
    switch event {
    case LH_EMIT_RULE:
      open = [("", 0, [])]
      function = Int32(clamping: value.integer)
      kind = Int(index)
    case LH_EMIT_OPEN: open.append((key.string, index, []))
    case LH_EMIT_CLOSE:
      guard let closed = open.popLast(), !open.isEmpty else { return }
      append(RuleEntry(key: closed.key, index: closed.index, value: .table(closed.entries)))
    case LH_EMIT_VALUE: append(RuleEntry(key: key.string, index: index, value: convert(value)))
    default:
      rules.append(Rule(kind: kind, entries: open.popLast()?.entries ?? [], line: line, function: function))
      open = []
    }
  }

  private mutating func append(_ entry: RuleEntry) {
    guard !open.isEmpty else { return }
    open[open.count - 1].entries.append(entry)
  }

  private func convert(_ value: lh_value) -> RuleValue {
    switch Int(value.kind) {
    case LH_TEXT: .text(Bytes(value.text).string)
    case LH_INTEGER: .integer(value.integer)
    case LH_NUMBER: .number(value.number)
    case LH_TRUE: .bool(true)
    case LH_FALSE: .bool(false)
    default: .function
    }
  }
}

extension RuleHost {
  /// Loads the rules of a directory: all `.lua` files below it, sorted by path (those in `local/` last), without `lib/`,
  /// `lists/` and `*_test.lua`. All that is wrong is collected; a set with an error is not returned.
  ///
  /// `previous` is the set this one replaces: its counters and distinct values stay. Loading touches neither, so it may go on
  /// beside a judge that runs `previous`; the two sets must not judge at the same time.
  package static func load(
    directory: String, replacing previous: RuleHost? = nil, options: RuleOptions = RuleOptions()
  ) throws(RuleErrors) -> RuleHost {
    var errors: [RuleError] = []
    let files = RuleFiles.read(directory, errors: &errors)
    return try load(files, errors: errors, replacing: previous, options: options)
  }

  /// A number that changes when a file below `directory` that a load would read comes, goes or is written.
  package static func fingerprint(directory: String) -> UInt64 { RuleFiles.fingerprint(directory) }

  /// Takes over the numbers of the set that judged until now, rule by rule, by name. What was set aside runs again. The judge's
  /// thread, before the first event.
  package func takeOver(from old: RuleHost) {
    var positions: [String: Int] = [:]
    for (position, rule) in old.rules.enumerated() { positions[rule.name] = position }
    for (position, rule) in rules.enumerated() {
      if let before = positions[rule.name] { counters.copy(from: old.counters, rule: before, to: position) }
    }
  }

  static func load(
    _ files: [RuleFile], errors: [RuleError] = [], replacing previous: RuleHost? = nil,
    options: RuleOptions = RuleOptions(), failAt: Int64 = 0, inspector: LoadInspector? = nil
  ) throws(RuleErrors) -> RuleHost {
    var errors = errors
    // Tables of its own: files fold texts while they load, perhaps beside a judge that runs the previous set.
    guard let text = TextLibrary() else {
      throw RuleErrors(errors: [RuleError("", 1, "ICU's data is missing", try: "apt-get install libicu72")])
    }
    let restored = previous == nil ? options.restoring?.restored() : nil
    let host = RuleHost(state: previous?.state ?? restored?.state ?? RuleState(), text: text)
    host.inspector = inspector
    inspector?.host = host
    guard host.open(options, failAt: failAt) else {
      throw RuleErrors(errors: [RuleError("", 1, "there is not enough memory for the rules")])
    }
    host.rulesWanted = options.rulesWanted
    host.proveInspection(&errors)
    host.lists = ListStore(files, text: text, errors: &errors)
    host.loadAll(files, &errors)
    host.checkNames(&errors)
    host.checkLabels(&errors)
    if host.rules.count > RuleLimits.rulesMax {
      errors.append(RuleError("", 1, "there are more than \(RuleLimits.rulesMax) rules"))
    }
    if errors.isEmpty, lh_seal(host.lua) != Int32(LH_OK) {
      errors.append(RuleError("", 1, String(cString: lh_error(host.lua))))
    }
    guard errors.isEmpty else { throw RuleErrors(errors: errors) }
    lh_learns(host.lua, options.keepsKnownMisses ? 1 : 0)
    host.hash = RuleFiles.hash(files)
    host.facts.directory = options.directory
    host.prepare(options)
    if let restored { host.features.types.takeOver(restored.types) }
    return host
  }

  private func open(_ options: RuleOptions, failAt: Int64) -> Bool {
    var callbacks = callbacks()
    var limits = lh_limits(
      rule_instructions: RuleLimits.ruleInstructionsMax, rule_ns: options.ruleNanosecondsMax,
      load_instructions: RuleLimits.loadInstructionsMax, load_ns: RuleLimits.loadNanosecondsMax,
      load_bytes: RuleLimits.loadBytesMax, event_bytes: RuleLimits.eventBytesMax,
      string_bytes: RuleLimits.stringBytesMax, table_entries: RuleLimits.tableEntriesMax,
      block_bytes: RuleLimits.blockBytesMax)
    // The names are copied by the host before the call returns.
    var names: [UInt8] = []
    var lengths: [Int] = []
    for field in EventField.allCases {
      names += Array(field.name.utf8)
      lengths.append(field.name.utf8.count)
    }
    lua = names.withUnsafeBufferPointer { names in
      var texts: [lh_text] = []
      var at = 0
      for length in lengths {
        texts.append(lh_text(bytes: names.baseAddress! + at, count: length))
        at += length
      }
      return lh_create(&callbacks, &limits, text.pointer, texts, texts.count, failAt)
    }
    return lua != nil
  }

  /// Files whose answer is known: if the reader of compiled code no longer understands this Lua, no rules run on it.
  private func proveInspection(_ errors: inout [RuleError]) {
    func finding(_ body: String, before: String = "") -> Int {
      let file = "local n = 0 \(before)\nreturn rule { when = function(event)\n \(body) end }"
      return run("proof", Array(file.utf8)) == nil || loading.finding > 0 ? Int(loading.finding) : LH_CHUNK_UNKNOWN
    }
    let isProven =
      finding("n = n + 1") == 3 && finding("local m = n return m > text.len('a')") == LH_CHUNK_ONLY_READS
      && finding("x = n") == 0 && finding("local e = _ENV return e") == 0
      && finding("return n", before: "local e = _ENV") == 0
    if !isProven {
      errors.append(
        RuleError("", 1, "this liblua5.4 compiles differently from the one the rules are checked for", try: "Lua 5.4"))
    }
  }

  /// Runs a file; nil, or what went wrong.
  func run(_ name: String, _ bytes: [UInt8]) -> String? {
    loading = LoadingState()
    loadingPath = name
    let code = bytes.withUnsafeBufferPointer { lh_load(lua, name, $0.baseAddress, $0.count) }
    return code == Int32(LH_OK) ? nil : String(cString: lh_error(lua))
  }
}
