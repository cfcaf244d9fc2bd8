import Osprey

/// Files that make Osprey's UI accept queries about our verdicts: it checks every name against the rules it has loaded, so these
/// declare the same features, rules and labels. Nothing in them ever fires.
package struct SMLExport: Sendable {
  /// Path below the chosen directory, and text.
  package let files: [(path: String, text: String)]
  /// Features whose type nothing shows; they are declared as text.
  package let untyped: [String]

  package init(_ inventory: RuleInventory) {
    let defaults = defaultFeatureNames.union(inventory.entries.map(\.rule.name))
    var features: [String: String?] = [:]
    for feature in inventory.shared + inventory.entries.flatMap(\.features)
    where !defaults.contains(feature.name) && !isPrivateFeature(feature.name) {
      let known = features[feature.name] ?? nil
      features.updateValue(known ?? feature.type, forKey: feature.name)
    }
    untyped = features.filter { $0.value == nil }.map(\.key).sorted()
    files = [
      ("main.sml", SMLExport.main), ("models/verdict.sml", SMLExport.verdict),
      ("models/features.sml", SMLExport.features(features)), ("rules/feeder.sml", SMLExport.rules(inventory)),
      ("config/labels.yaml", SMLExport.labels(inventory)), ("config/ui_config.yaml", SMLExport.interface(features)),
    ]
  }

  private static let header = "# Written by `osprey-feeder rules export-sml`; the rules themselves are Lua.\n"

  private static let main =
    header + """

      Import(
        rules=[
          'models/features.sml',
          'models/verdict.sml',
        ],
      )

      Require(rule='rules/feeder.sml')

      """

  /// The features every verdict has. Paths are those of the actions topic, so that the UI's rules also read actions.
  private static let verdict =
    header + "\nActionName=GetActionName()\n\n"
    + [
      entity("UserId", "UserId", "$.did"), entity("Handle", "Handle", "$.eventMetadata.handle"),
      entity("PdsHost", "PdsHost", "$.eventMetadata.pdsHost"), entity("AtUri", "AtUri", "$.operation.uri"),
      entity("PostEmbedRecordUri", "AtUri", "$.PostEmbedRecordUri"),
      value("AccountCreatedAt", "str", "$.eventMetadata.didCreatedAt"),
      value("AccountAgeSeconds", "int", "$.eventMetadata.accountAge"),
      value("Collection", "str", "$.operation.collection"), value("OperationKind", "str", "$.operation.action"),
      value("RecordKey", "str", "$.operation.rkey"), value("Cid", "str", "$.operation.cid"),
      value("PostText", "str", "$.operation.record.text"), value("PostAllDomains", "List[str]", "$.PostAllDomains"),
      value("FacetLinkList", "List[str]", "$.FacetLinkList"),
      value("RecordError", "str", "$.operation.record_error"),
    ].joined(separator: "\n")

  private static func entity(_ name: String, _ type: String, _ path: String) -> String {
    "\(name): Entity[str] = EntityJson(\n  type='\(type)',\n  path='\(path)',\n  required=False,\n)\n"
  }

  private static func value(_ name: String, _ type: String, _ path: String) -> String {
    "\(name): Optional[\(type)] = JsonData(\n  path='\(path)',\n  required=False,\n)\n"
  }

  private static func features(_ features: [String: String?]) -> String {
    let types = ["boolean": "bool", "integer": "int", "number": "float", "text": "str", "list": "List[str]"]
    let lines = features.sorted { $0.key < $1.key }.map { name, type in
      let known = type.flatMap { types[$0] }
      return (known == nil ? "# No test shows its type.\n" : "") + value(name, known ?? "str", "$.\(name)")
    }
    return header + "\n" + lines.joined(separator: "\n")
  }

  /// Rules as the UI knows them: a name and a description. Their condition is never true.
  private static func rules(_ inventory: RuleInventory) -> String {
    var out = header + "\nImport(\n  rules=[\n    'models/verdict.sml',\n  ],\n)\n\n"
    out += "_Never = ActionName == 'never'\n"
    for entry in inventory.entries.sorted(by: { $0.rule.name < $1.rule.name }) {
      out += "\n"
      if entry.rule.mode == .shadow { out += "# Shadow: no column of its own until it is live.\n" }
      out +=
        "\(entry.rule.name) = Rule(\n  when_all=[\n    _Never,\n  ],\n  description=\(literal(entry.rule.about)),\n)\n"
    }
    return out
  }

  /// A text of SML; what looks like a placeholder would be refused outside of an f-string.
  private static func literal(_ text: String) -> String {
    let plain = text.map { character -> String in
      switch character {
      case "'", "\\": "\\\(character)"
      case "{": "("
      case "}": ")"
      case _ where character.unicodeScalars.contains(where: { $0.value < 0x20 }): " "
      default: String(character)
      }
    }
    return "'\(plain.joined())'"
  }

  /// Labels of `labels.lua`, else those the rules give, with what they are given to.
  private static func labels(_ inventory: RuleInventory) -> String {
    var labels: [String: (kinds: Set<String>, about: String)] = [:]
    for label in inventory.labels {
      let kinds = label.on.map { $0 == "did" ? "UserId" : $0 == "uri" ? "AtUri" : $0 }
      labels[label.name] = (Set(kinds), label.about)
    }
    for entry in inventory.entries {
      for effect in entry.rule.effects where effect.kind == .label || effect.kind == .unlabel {
        labels[effect.value, default: ([], "Given by \(entry.rule.name).")].kinds.insert(effect.target.entityType)
      }
    }
    var out = header + "labels:" + (labels.isEmpty ? " {}\n" : "\n")
    for (name, label) in labels.sorted(by: { $0.key < $1.key }) {
      out += "  \(yaml(name)):\n    valid_for: [\(label.kinds.sorted().map(yaml).joined(separator: ", "))]\n"
      out += "    connotation: neutral\n    description: \(yaml(label.about))\n"
    }
    return out
  }

  /// What the UI shows of an event at first sight.
  private static func interface(_ features: [String: String?]) -> String {
    let shown = features.filter { $0.value != "list" }.map(\.key).sorted().prefix(8)
    let own = shown.isEmpty ? "" : ", " + shown.joined(separator: ", ")
    return header + """
      ui_config:
        default_summary_features:
          - actions: ['*']
            features: [UserId, Handle\(own)]
          - actions: ['operation#create', 'operation#update']
            features: [Collection, PostText, AtUri]
          - actions: ['operation#delete']
            features: [Collection, AtUri]

      """
  }

  /// A double-quoted YAML text.
  private static func yaml(_ text: String) -> String {
    let escaped = text.unicodeScalars.map { scalar -> String in
      switch scalar {
      case "\"", "\\": "\\\(scalar)"
      case _ where scalar.value < 0x20: " "
      default: String(scalar)
      }
    }
    return "\"\(escaped.joined())\""
  }
}
