import Osprey
import Testing

@testable import Rules

@Suite struct AuthoringTests {
  @Test func `a new rule passes the check and its own tests as it is`() throws {
    for (name, folder) in [("LinkFlood", "spam"), ("X", ""), ("HTTPLinks2", "a/b"), ("QuickTest", "demo")] {
      let template = try #require(RuleTemplate(name: name, folder: folder))
      let files = ruleFiles([template.rule.path: template.rule.text, template.test.path: template.test.text])
      #expect(RuleCheck(files).problems == [])
      let tests = RuleTestRun(files)
      #expect(tests.hasPassed && tests.results.count == 2, "\(tests.problems) \(tests.results)")
      #expect(tests.neverFired == [] && tests.neverSilent == [])
    }
    #expect(RuleTemplate(name: "HTTPLinks2", folder: "a/b")?.rule.path == "a/b/http_links2.lua")
    #expect(RuleTemplate(name: "linkFlood", folder: "") == nil)
    #expect(RuleTemplate(name: "Link-Flood", folder: "") == nil)
  }

  private let files = ruleFiles([
    "a.lua": ruleSource(
      "First",
      "local n = #event.links return n > 1, { Links = n, Site = event.domains[1], Odd = event.record.odd, Count = count('x', event.did, 60):add() }",
      more: "owner = 'spam', collections = { 'app.bsky.feed.post' },",
      effects: "{ verdict 'review', label { 'spam', on = 'uri' }, label { 'noise', on = 'did' } }"),
    "b.lua": ruleSource("Second", "return false", more: "mode = 'shadow',"),
    "a_test.lua": "return tests 'First' { case 'a' { post { links = 'https://a.example' }, silent = true } }",
  ])

  @Test func `the inventory knows features, their types and the tests`() {
    let inventory = RuleInventory(files)
    #expect(inventory.problems == [])
    #expect(inventory.entries.map(\.rule.name) == ["First", "Second"])
    #expect(inventory.entries[0].features.map(\.name) == ["Count", "Links", "Odd", "Site"])
    #expect(inventory.entries[0].features.map(\.type) == ["integer", "integer", nil, "text"])
    #expect(inventory.entries.map(\.tests) == [1, 0])
    #expect(
      inventory.json.contains(
        "\"features\":{\"Count\":\"integer\",\"Links\":\"integer\",\"Odd\":null,\"Site\":\"text\"},\"tests\":1}"))
    #expect(RuleInventory(ruleFiles(["a.lua": "return rule {"])).problems.count == 1)
  }

  @Test func `the export declares every name a verdict can have`() throws {
    let export = SMLExport(RuleInventory(files))
    func file(_ path: String) -> String { export.files.first { $0.path == path }?.text ?? "" }
    #expect(export.untyped == ["Odd"])
    #expect(
      file("models/features.sml").contains(
        "Links: Optional[int] = JsonData(\n  path='$.Links',\n  required=False,\n)\n"))
    #expect(
      file("rules/feeder.sml").contains("First = Rule(\n  when_all=[\n    _Never,\n  ],\n  description='A test.',\n)\n")
    )
    #expect(file("rules/feeder.sml").contains("# Shadow: no column of its own until it is live.\nSecond = Rule("))
    #expect(
      file("config/labels.yaml").contains(
        "labels:\n  \"noise\":\n    valid_for: [\"UserId\"]\n    connotation: neutral\n    description: \"Given by First.\"\n"
      ))
    for name in defaultFeatureNames {
      #expect(file("models/verdict.sml").contains(name + (name == "ActionName" ? "=" : ": ")), "\(name)")
    }
    let declared = export.files.flatMap { $0.text.split(separator: "\n") }
      .compactMap { $0.first?.isUppercase == true ? $0.prefix { $0.isLetter || $0.isNumber } : nil }
      .filter { !["Import", "Require"].contains($0) }
    #expect(Set(declared).count == declared.count, "no name is declared twice")
    let hidden = SMLExport(
      RuleInventory(
        ruleFiles([
          "features.lua": "return features { _Core = function() return 1 end }",
          "a.lua": ruleSource("First", "return features._Core == 1, { _Own = 1, Links = 2 }"),
        ])))
    let text = hidden.files.map(\.text).joined()
    #expect(text.contains("Links: ") && !text.contains("_Core") && !text.contains("_Own") && hidden.untyped.isEmpty)
  }
}
