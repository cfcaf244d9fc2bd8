import ATProto
import CLuaHost
import Osprey

/// A label of `rules/labels.lua`.
package struct LabelDefinition: Sendable, Equatable {
  package var name: String
  /// What it can be given to: `did`, `uri`, or the type of a named entity.
  package var on: [String]
  package var about: String
}

// The files of a set that are not rules, and the order in which all of them are read.

extension RuleHost {
  /// Runs every file: lib/ first, then what rules refer to, then the rules by path, those of local/ last.
  func loadAll(_ files: [RuleFile], _ errors: inout [RuleError]) {
    libraries = [:]
    lh_collect_problems(lua, 1)
    for file in files where file.isLibrary {
      let bytes = ByteWriter(capacity: max(1, file.bytes.count))
      withBytes(file.bytes) { bytes.append($0) }
      libraries[String(file.path.dropLast(4))] = bytes
    }
    for name in libraries.keys.sorted() {
      loadingPath = name + ".lua"
      guard lh_load_library(lua, name) != Int32(LH_OK) else { continue }
      add(RuleHost.error(in: loadingPath, from: String(cString: lh_error(lua))), &errors)
    }
    for file in files where file.path == "labels.lua" { declare(file, Int(LH_FILE_LABELS), &errors) }
    for file in files where file.path == "quotas.lua" { declare(file, Int(LH_FILE_QUOTAS), &errors) }
    for file in files where file.path == "features.lua" { declare(file, Int(LH_FILE_FEATURES), &errors) }
    let ours = files.filter(\.isRuleFile)
    let inOrder = ours.filter { !$0.isLocal } + ours.filter(\.isLocal)
    for file in inOrder { loadRules(file, &errors) }
    lh_collect_problems(lua, 0)
    for problem in loadProblems { add(problem, &errors) }
    repeatRules(inOrder, &errors)
    libraries = [:]
  }

  /// For `rules bench --repeat`: the rules once more under other names, each copy with counters of its own, until there are so
  /// many.
  private func repeatRules(_ files: [RuleFile], _ errors: inout [RuleError]) {
    var copy = 0
    while rules.count < rulesWanted, errors.isEmpty {
      copy += 1
      let start = rules.count
      for file in files { loadRules(file, &errors) }
      guard rules.count > start else { return }
      for index in start..<rules.count {
        rules[index].name += "Copy\(copy)"
        rules[index].copy = copy
      }
    }
    if rulesWanted > 0, rules.count > rulesWanted { rules.removeLast(rules.count - rulesWanted) }
  }

  /// A library that does not load fails once for itself and once for each file that uses it: one error will do.
  private func add(_ error: RuleError, _ errors: inout [RuleError]) {
    if !errors.contains(error) { errors.append(error) }
  }

  /// What C announces while a file is loaded.
  func announced(_ event: Int, _ key: Bytes, _ index: Int64, _ value: lh_value, line: Int) {
    if event == LH_EMIT_PROBLEM {
      loadProblems.append(RuleHost.error(in: loadingPath, from: key.string))
    } else {
      loading.take(event: event, key: key, index: index, value, line: line)
    }
  }

  private func loadRules(_ file: RuleFile, _ errors: inout [RuleError]) {
    if let message = run(file.path, file.bytes) { add(RuleHost.error(in: file.path, from: message), &errors) }
    for rule in loading.rules {
      var checker = RuleChecker(file: file.path, line: rule.line)
      if rule.kind == Int(LH_FILE_RULE) {
        rules.append(checker.check(rule.entries, function: rule.function, fileHash: file.hash))
      } else {
        let name = ["", "labels", "quotas", "features"][rule.kind]
        checker.fail("\(name) { … } belongs in \(name).lua of the rule directory", try: "\(name).lua")
      }
      errors += checker.errors
    }
    loading = LoadingState()
  }

  /// One of the files with a fixed name.
  private func declare(_ file: RuleFile, _ kind: Int, _ errors: inout [RuleError]) {
    if let message = run(file.path, file.bytes) { add(RuleHost.error(in: file.path, from: message), &errors) }
    for part in loading.rules {
      var checker = RuleChecker(file: file.path, line: part.line)
      switch part.kind {
      case kind where kind == Int(LH_FILE_LABELS): labels = checker.labels(part.entries)
      case kind where kind == Int(LH_FILE_QUOTAS): quotas = checker.quotas(part.entries)
      case kind: sharedFeatures = checker.features(part.entries)
      default:
        checker.fail("the file returns something else than its name says", try: "return \(file.path.dropLast(4)) { … }")
      }
      errors += checker.errors
    }
    loading = LoadingState()
  }

  // MARK: What holds between files

  /// Names are columns of the verdicts for ever, so no two rules may share one. A rule in local/ takes the place of the one with
  /// its name elsewhere.
  func checkNames(_ errors: inout [RuleError]) {
    var seen: [String: RuleDefinition] = [:]
    for rule in rules where !rule.name.isEmpty {
      if let first = seen[rule.name] {
        if rule.isLocal, !first.isLocal {
          overridden.append(first)
        } else {
          errors.append(
            RuleError(
              rule.file, rule.line, "the name '\(rule.name)' is taken by \(first.file):\(first.line)",
              try: "another name"))
        }
      }
      seen[rule.name] = rule
    }
    rules.removeAll { rule in overridden.contains { $0.file == rule.file && $0.name == rule.name } }
    for name in sharedFeatures where seen[name] != nil {
      let rule = seen[name]!
      errors.append(
        RuleError(rule.file, rule.line, "the name '\(name)' is taken by a feature of features.lua", try: "another name")
      )
    }
  }

  /// Where there is a `labels.lua`, labels that are not in it do not exist.
  func checkLabels(_ errors: inout [RuleError]) {
    guard let labels else { return }
    for rule in rules {
      for effect in rule.effects where effect.kind == .label || effect.kind == .unlabel {
        var checker = RuleChecker(file: rule.file, line: rule.line)
        let kind = effect.target.labelKind
        if let label = labels.first(where: { $0.name == effect.value }) {
          if !label.on.contains(kind) {
            checker.fail(
              "the label '\(label.name)' is not for \(kind), says labels.lua",
              try: label.on.contains("did") || label.on.contains("uri")
                ? "on = \"\(label.on.first { $0 == "did" || $0 == "uri" }!)\"" : "")
          }
        } else if !effect.value.isEmpty {
          let nearest = checker.nearest(effect.value, in: labels.map(\.name))
          checker.fail(
            "there is no label '\(effect.value)' in labels.lua" + (nearest.map { ", did you mean '\($0)'?" } ?? ""),
            try: nearest.map { "\(effect.kind.text) \"\($0)\"" } ?? "\(effect.value) = { on = { \"\(kind)\" } } there")
        }
        errors += checker.errors
      }
    }
  }

  /// Lua's message without the place it begins with, which becomes the error's: also that of a file in lib/.
  static func error(in path: String, from message: String) -> RuleError {
    var rest = Substring(message)
    while let colon = rest.firstIndex(of: ":") {
      let digits = rest[rest.index(after: colon)...].prefix { $0.isNumber }
      let after = digits.endIndex
      if let line = Int(digits), after < rest.endIndex, rest[after] == ":" {
        let what = rest[rest.index(after: after)...].drop { $0 == " " }
        let place = message[..<colon]
        return RuleError(place.hasPrefix("lib/") && place.hasSuffix(".lua") ? String(place) : path, line, try: what)
      }
      rest = rest[rest.index(after: colon)...]
    }
    return RuleError(path, 1, try: message[...])
  }

  /// The file that `use` asks for, or the nearest name. Both stay in place until the loading is over.
  func source(_ name: Bytes, _ bytes: UnsafeMutablePointer<lh_text>, _ nearest: UnsafeMutablePointer<lh_text>) -> Bool {
    let asked = name.string
    if let found = libraries[asked] {
      bytes.pointee = lh_text(bytes: found.bytes.base, count: found.count)
      return true
    }
    let checker = RuleChecker(file: "", line: 1)
    if let near = checker.nearest(asked, in: libraries.keys.sorted()) {
      facts.scratch.removeAll()
      facts.scratch.append(near)
      nearest.pointee = lh_text(bytes: facts.scratch.bytes.base, count: facts.scratch.count)
    }
    return false
  }
}

// MARK: What the files say

extension RuleChecker {
  /// `labels { spam = { on = { "did", "uri" }, about = "…" } }`.
  mutating func labels(_ entries: [RuleEntry]) -> [LabelDefinition] {
    entries.sorted(by: { ($0.key, $0.index) < ($1.key, $1.index) }).compactMap { entry in
      guard !entry.key.isEmpty, case .table(let parts) = entry.value else {
        fail("a label looks like this", try: "spam = { on = { \"did\", \"uri\" }, about = \"…\" }")
        return nil
      }
      var label = LabelDefinition(name: entry.key, on: [], about: "")
      if !isEffectValue(entry.key) { fail("'\(entry.key)' is no name for a label", try: "letters, digits and '-'") }
      for part in parts.sorted(by: { ($0.key, $0.index) < ($1.key, $1.index) }) {
        switch part.key {
        case "on": label.on = texts(part)
        case "about": label.about = text(part) ?? ""
        default:
          fail("the label '\(entry.key)' has an '\(part.key)'; labels have `on` and `about`")
        }
      }
      for kind in label.on where kind != "did" && kind != "uri" && !isPascalCase(kind) {
        fail(
          "the label '\(entry.key)' cannot be for '\(kind)'", try: "on = { \"did\", \"uri\" } or the type of an entity")
      }
      if label.on.isEmpty {
        fail("the label '\(entry.key)' does not say what it is for", try: "on = { \"did\", \"uri\" }")
      }
      return label
    }
  }

  /// `quotas { takedown = { day = 50 }, report = { hour = 1000, day = 10000 } }`.
  mutating func quotas(_ entries: [RuleEntry]) -> [EffectKind: Quota] {
    var found: [EffectKind: Quota] = [:]
    for entry in entries.sorted(by: { ($0.key, $0.index) < ($1.key, $1.index) }) {
      guard let kind = EffectKind(name: entry.key), kind.quotaKind == kind else {
        let names = EffectKind.allCases.filter { $0.quotaKind == $0 }.map(\.text.description)
        let hint =
          entry.key == "acknowledge"
          ? ", it counts as 'escalate'" : nearest(entry.key, in: names).map { ", did you mean '\($0)'?" } ?? ""
        fail("there is no quota for '\(entry.key)'\(hint)", try: "takedown = { day = 200 }")
        continue
      }
      found[kind] = quota(entry)
    }
    return found
  }

  /// `features { PostWordCount = function(event) … end }`: the names.
  mutating func features(_ entries: [RuleEntry]) -> [String] {
    for entry in entries.sorted(by: { ($0.key, $0.index) < ($1.key, $1.index) }) {
      guard case .function = entry.value, !entry.key.isEmpty else {
        fail("a feature looks like this", try: "PostWordCount = function(event) return … end")
        continue
      }
      if !isFeatureName(entry.key) {
        fail("the feature '\(entry.key)' is not PascalCase", try: "PostWordCount = function(event) … end")
      } else if defaultFeatureNames.contains(entry.key) {
        fail("'\(entry.key)' is the name of a feature every verdict has", try: "another name")
      }
    }
    return entries.map(\.key).sorted()
  }
}
