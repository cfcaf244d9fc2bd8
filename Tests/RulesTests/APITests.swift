import Osprey
import Testing

@testable import Rules

@Suite struct APITests {
  @Test func `the table of the API has every name a rule can reach, and no other`() throws {
    let host = try loadRules(["r.lua": ruleSource("Probe", "return true")])
    let written = API.all.filter { ![.event, .tests].contains($0.section) && !["rule", "effect"].contains($0.owner) }
    let reachable = Set(host.reachableNames)
    let libraries = Set(written.map(\.owner).filter { !$0.isEmpty })
    #expect(reachable.subtracting(libraries).subtracting(written.map(\.name)).sorted() == [])
    #expect(Set(written.map(\.name)).subtracting(reachable).sorted() == [])
  }

  @Test func `the table of the API has every field of the event, every rule key and every effect, and no other`() {
    func names(_ owner: String) -> [String] { API.all.filter { $0.owner == owner }.map(\.shortName).sorted() }
    #expect(API.tests.map(\.name).sorted() == RuleHost.testWords.sorted())
    #expect(names("event") == EventField.allCases.map(\.name).sorted())
    #expect(names("rule") == RuleChecker.ruleKeys.sorted())
    #expect(names("effect") == RuleChecker.effectKeys.sorted())
    let effects = API.effects.filter { $0.owner.isEmpty }.map(\.name).sorted()
    #expect(effects == EffectKind.allCases.map(\.text.description).sorted())
  }

  @Test func `every entry says what it means, once`() {
    for entry in API.all { #expect(!entry.meaning.isEmpty && entry.meaning.hasSuffix("."), "\(entry.name)") }
    #expect(Set(API.all.map(\.name)).count == API.all.count)
  }

  @Test func `a signature is read into its parts`() {
    let entry = APIEntry(.text, "text.contains(text: string?, f: fun(a: any, b: any): any): boolean, any", "x.")
    #expect(entry.name == "text.contains" && entry.owner == "text" && entry.shortName == "contains")
    #expect(entry.parameters.map(\.name) == ["text", "f"])
    #expect(entry.parameters.map(\.type) == ["string?", "fun(a: any, b: any): any"])
    #expect(entry.type == "boolean, any")
    #expect(API.entry("rule.when")?.type == "fun(event: Event): boolean?, table?")
  }

  @Test func `definitions for editors name every function with its parameters`() {
    let text = API.luacats
    #expect(text.contains("---@class Event\n---@field did string? "))
    #expect(
      text.contains(
        "---@param text? string\n---@param word string|string[]\n---@return boolean|string?\nfunction text.contains(text, word) end"
      ))
    #expect(text.contains("function counter:crossed(threshold) end"))
    #expect(text.contains("---@field when fun(event: Event)"))
    for entry in API.all where entry.isFunction { #expect(text.contains("function \(entry.name)("), "\(entry.name)") }
  }
}
