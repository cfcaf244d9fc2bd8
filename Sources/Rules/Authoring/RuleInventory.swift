import ATProto
import Osprey

/// What is in a rule set: `rules list`.
package struct RuleInventory: Sendable {
  /// A feature and its type, where that can be known.
  package struct Feature: Sendable {
    package var name: String
    /// `boolean`, `integer`, `number`, `text`, `list`; nil where neither the code nor a test shows it.
    package var type: String?
  }

  package struct Entry: Sendable {
    package var rule: RuleDefinition
    package var features: [Feature] = []
    /// Cases that are of this rule.
    package var tests = 0
  }

  package private(set) var entries: [Entry] = []
  /// Features of `features.lua`.
  package private(set) var shared: [Feature] = []
  package private(set) var labels: [LabelDefinition] = []
  /// `__ruleset` of the verdicts.
  package private(set) var hash = ""
  /// Why the set does not load.
  package private(set) var problems: [RuleProblem] = []

  /// Reads the set in `directory`; its tests are run to learn the types of features.
  package init(directory: String) {
    var errors: [RuleError] = []
    let files = RuleFiles.read(directory, errors: &errors)
    self.init(files, errors: errors)
  }

  init(_ files: [RuleFile], errors: [RuleError] = []) {
    let inspector = LoadInspector()
    defer { inspector.host = nil }
    let host: RuleHost
    do throws(RuleErrors) {
      host = try RuleHost.load(files, errors: errors, inspector: inspector)
    } catch {
      problems = error.errors.map { RuleProblem($0) }
      return
    }
    hash = host.hash
    labels = host.labels ?? []
    let tests = RuleTestRun(files)
    var kinds = tests.kinds
    for feature in inspector.chunks.flatMap(\.whens).flatMap(\.features) where kinds[feature.name] == nil {
      kinds[feature.name] = feature.kind
    }
    shared = host.sharedFeatures.map { Feature(name: $0, type: kinds[$0]?.typeName) }
    entries = host.rules.map { rule in
      let chunk = inspector.chunks.last { $0.path == rule.file && $0.rules.contains { $0.name == rule.name } }
      let line = chunk?.rules.first { $0.name == rule.name }?.whenLine
      let seen = chunk?.whens.first { $0.line == line }?.features.map(\.name) ?? []
      let names = Set(seen).union(tests.features[rule.name] ?? []).subtracting(host.sharedFeatures).sorted()
      return Entry(
        rule: rule, features: names.map { Feature(name: $0, type: kinds[$0]?.typeName) },
        tests: tests.results.count { $0.rule == rule.name })
    }
  }

  /// One JSON object: `{"ruleset":"sha256:…","rules":[{…}…]}`.
  package var json: String {
    let out = ByteWriter()
    func text(_ name: String, _ value: String) {
      out.append(name)
      out.append(jsonText: value)
    }
    func list(_ name: String, _ values: [String]) {
      out.append(name + "[")
      for (index, value) in values.enumerated() { text(index == 0 ? "" : ",", value) }
      out.append("]")
    }
    text("{\"ruleset\":", hash)
    out.append(",\"rules\":[")
    for (index, entry) in entries.enumerated() {
      let rule = entry.rule
      text(index == 0 ? "{\"name\":" : ",{\"name\":", rule.name)
      text(",\"mode\":", rule.mode.rawValue)
      text(",\"owner\":", rule.owner)
      text(",\"about\":", rule.about)
      text(",\"file\":", rule.file)
      out.append(",\"line\":\(rule.line)" as String)
      text(",\"hash\":", rule.fileHash)
      list(",\"actions\":", rule.actions)
      list(",\"collections\":", rule.collections)
      out.append(",\"features\":{")
      for (index, feature) in entry.features.enumerated() {
        text(index == 0 ? "" : ",", feature.name)
        out.append(":")
        if let type = feature.type { out.append(jsonText: type) } else { out.append("null") }
      }
      out.append("},\"tests\":\(entry.tests)}" as String)
    }
    out.append("]}")
    return out.bytes.string
  }
}

extension FeatureKind {
  var typeName: String {
    switch self {
    case .bool: "boolean"
    case .integer: "integer"
    case .double: "number"
    case .text: "text"
    case .list: "list"
    }
  }
}
