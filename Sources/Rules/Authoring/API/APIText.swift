/// The table of the API as the reference page and as definitions for editors.
extension API {
  /// docs/reference.md.
  package static var markdown: String {
    var out = """
      # Reference

      Everything a rule file can say, written by `osprey-feeder rules reference --markdown` from the table the program itself \
      checks rules against. [The guide](rules.md) explains how it fits together.

      Types are those of Lua; a `?` behind one means that it may be nil or left out, `T[]` is a list, `a|b` one of two.


      """
    for section in APISection.allCases {
      let entries = all.filter { $0.section == section }
      guard !entries.isEmpty else { continue }
      out += "## \(section.rawValue)\n\n\(section.introduction)\n\n| | | |\n|---|---|---|\n"
      for entry in entries {
        let example = entry.example.isEmpty ? "" : "`\(cell(entry.example))`"
        out += "| `\(cell(entry.signature))` | \(cell(entry.meaning)) | \(example) |\n"
      }
      out += "\n"
    }
    out.removeLast()
    return out
  }

  private static func cell(_ text: String) -> String { text.replacing("|", with: "\\|").replacing("\n", with: " ") }

  /// LuaCATS definitions (luals.github.io/wiki/annotations) for editors with a Lua language server.
  package static var luacats: String {
    var out = "---@meta osprey\n-- Written by `osprey-feeder rules reference --luacats`.\n\n"
    out += fields(of: "event", class: "Event", all) + "\n"
    out += fields(of: "rule", class: "Rule", all) + "\n"
    out += fields(of: "effect", class: "EffectOptions", all) + "---@field [1] string The value.\n\n---@class Effect\n\n"
    let callable = all.filter { $0.isFunction }
    var seen: Set<String> = [""]
    for entry in all where !["event", "rule", "effect"].contains(entry.owner) && seen.insert(entry.owner).inserted {
      out += "---@class \(className(entry))\n"
      for constant in all where constant.owner == entry.owner && !constant.isFunction {
        out += "---@field \(constant.shortName) \(constant.type) \(constant.meaning)\n"
      }
      out += entry.isMethod ? "local \(entry.owner) = {}\n" : "\(entry.owner) = {}\n"
      for function in callable where function.owner == entry.owner { out += definition(function) }
      out += "\n"
    }
    for function in callable where function.owner.isEmpty { out += definition(function) }
    return out
  }

  /// A `.luarc.json` that makes a Lua language server read `.meta/` and forget what rules do not have.
  package static let luarc = """
    {
      "runtime.version": "Lua 5.4",
      "runtime.builtin": {
        "basic": "disable", "bit": "disable", "bit32": "disable", "builtin": "disable", "coroutine": "disable",
        "debug": "disable", "ffi": "disable", "io": "disable", "jit": "disable", "math": "disable", "os": "disable",
        "package": "disable", "string": "disable", "table": "disable", "utf8": "disable"
      },
      "workspace.library": [".meta"]
    }

    """

  private static func className(_ entry: APIEntry) -> String { entry.isMethod ? entry.owner : entry.owner + "lib" }

  private static func fields(of owner: String, class name: String, _ entries: [APIEntry]) -> String {
    "---@class \(name)\n"
      + entries.filter { $0.owner == owner }.map { entry in
        let isOptional = entry.type.hasSuffix("?") && owner != "event" && !entry.type.hasPrefix("fun(")
        let type = isOptional ? String(entry.type.dropLast()) : entry.type
        return "---@field \(entry.shortName)\(isOptional ? "?" : "") \(type) \(entry.meaning)\n"
      }.joined()
  }

  private static func definition(_ entry: APIEntry) -> String {
    var out = "\n---\(entry.meaning)\n"
    if !entry.example.isEmpty { out += "---\n---Example: `\(entry.example)`\n" }
    for parameter in entry.parameters {
      let isOptional = parameter.type.hasSuffix("?") && parameter.name != "..."
      let type = isOptional ? String(parameter.type.dropLast()) : parameter.type
      out += "---@param \(parameter.name)\(isOptional ? "?" : "") \(type)\n"
    }
    if !entry.type.isEmpty { out += "---@return \(entry.type)\n" }
    return out + "function \(entry.name)(\(entry.parameters.map(\.name).joined(separator: ", "))) end\n"
  }
}
