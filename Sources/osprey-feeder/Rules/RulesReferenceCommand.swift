import ArgumentParser
import Rules

struct RulesReferenceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reference", abstract: "Print everything a rule can say: as a page, or for editors.",
    discussion: """
      With a Lua language server, an editor completes and checks rules:
        mkdir -p rules/.meta
        osprey-feeder rules reference --luacats > rules/.meta/osprey.lua
        osprey-feeder rules reference --luarc > rules/.luarc.json
      """)

  enum Form: String, EnumerableFlag {
    case markdown, luacats, luarc

    static func help(for value: Form) -> ArgumentHelp? {
      switch value {
      case .markdown: "As a page (docs/reference.md)."
      case .luacats: "As LuaCATS definitions."
      case .luarc: "A .luarc.json that goes with them."
      }
    }
  }

  @Flag(help: "What to print.")
  var form = Form.markdown

  func run() {
    switch form {
    case .markdown: printText(API.markdown)
    case .luacats: printText(API.luacats)
    case .luarc: printText(API.luarc)
    }
  }
}
