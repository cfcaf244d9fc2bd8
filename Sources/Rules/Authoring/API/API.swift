/// One thing a rule author can write. The lists of these (`API.all`) are where docs/reference.md, the definitions for editors
/// (`meta/osprey.lua`) and "did you mean" come from; tests hold them against what the Lua environment really has.
///
/// `signature` is what an author reads: `text.contains(text: string?, word: string): boolean`, `event.text: string?`,
/// `counter:add(number: integer?): integer`, `label.expires: number?`. A type that ends in `?` may be nil or left out.
package struct APIEntry: Sendable {
  package var section: APISection
  package var signature: String
  /// One sentence, or a few.
  package var meaning: String
  /// Lua that shows it.
  package var example: String

  init(_ section: APISection, _ signature: String, _ meaning: String, _ example: String = "") {
    self.section = section
    self.signature = signature
    self.meaning = meaning
    self.example = example
  }

  /// `text.contains`, `event.text`, `counter:add`: as the Lua environment knows it.
  package var name: String {
    if isFunction, let open = signature.firstIndex(of: "(") { return String(signature[..<open]) }
    guard let colon = signature.firstRange(of: ": ") else { return signature }
    return String(signature[..<colon.lowerBound])
  }

  /// The name without its owner.
  var shortName: String { name.split(whereSeparator: { $0 == "." || $0 == ":" }).last.map(String.init) ?? name }

  /// `text` of `text.contains`; empty for globals.
  var owner: String {
    guard let end = name.lastIndex(where: { $0 == "." || $0 == ":" }) else { return "" }
    return String(name[..<end])
  }

  var isFunction: Bool {
    guard let open = signature.firstIndex(of: "(") else { return false }
    return signature.firstRange(of: ": ").map { open < $0.lowerBound } ?? true
  }
  var isMethod: Bool { name.contains(":") }

  /// Parameters of a function, in order.
  var parameters: [(name: String, type: String)] {
    guard isFunction, let open = signature.firstIndex(of: "("), let close = closing(open) else { return [] }
    return split(signature[signature.index(after: open)..<close]).map { part in
      guard let colon = part.firstRange(of: ": ") else { return (part, "any") }
      return (String(part[..<colon.lowerBound]), String(part[colon.upperBound...]))
    }
  }

  /// What a function returns, or the type of a field; empty where nothing.
  var type: String {
    var rest = signature[...]
    if isFunction, let open = signature.firstIndex(of: "("), let close = closing(open) {
      rest = signature[signature.index(after: close)...]
    } else {
      rest = rest.dropFirst(name.count)
    }
    return rest.hasPrefix(": ") ? String(rest.dropFirst(2)) : ""
  }

  /// The bracket that belongs to the one at `open`.
  private func closing(_ open: String.Index) -> String.Index? {
    var depth = 0
    for index in signature[open...].indices {
      if signature[index] == "(" { depth += 1 }
      if signature[index] == ")" { depth -= 1 }
      if depth == 0 { return index }
    }
    return nil
  }

  /// At commas that stand in no bracket.
  private func split(_ text: Substring) -> [String] {
    var parts: [String] = []
    var depth = 0
    var current = ""
    for character in text {
      if "({".contains(character) { depth += 1 }
      if ")}".contains(character) { depth -= 1 }
      if character == ",", depth == 0 {
        parts.append(current)
        current = ""
      } else if !(current.isEmpty && character == " ") {
        current.append(character)
      }
    }
    return current.isEmpty ? parts : parts + [current]
  }
}

/// The chapters of the reference, in their order.
package enum APISection: String, CaseIterable, Sendable {
  case rule = "The rule"
  case effects = "Effects"
  case event = "The event"
  case durations = "Durations"
  case text = "Texts"
  case lists = "Lists"
  case state = "Counters and memory"
  case addresses = "Addresses, hashes, time"
  case files = "Other files of the set"
  case tests = "Tests"
  case lua = "Lua"

  /// What stands under the heading.
  var introduction: String {
    switch self {
    case .rule: "`return rule { … }`, or a list of them. What the keys mean:"
    case .effects:
      "What follows from a hit, in the rule's `effects`. Each can be written with its value alone (`verdict \"review\"`) or as a "
        + "table with the value first (`label { \"spam\", on = \"uri\" }`)."
    case .event:
      "Each field is worked out when it is first asked for and is nil where there is nothing, except lists, which are empty then."
    case .durations: "Seconds, for windows, expiry and ages."
    case .text: "All of it is linear-time and bounded, and nil is taken for a text that is not there."
    case .lists: "Files in `lists/`."
    case .state: "What one event leaves behind for the next. Windows slide in stream time."
    case .addresses: "Parts of addresses, stable hashes, times."
    case .files: "Functions for `lib/`, `labels.lua` and `features.lua`."
    case .tests: "Only in `*_test.lua`. A test is data: nothing in it runs while the rules judge."
    case .lua: "What is left of Lua's own library. Indexing nil gives nil, ordering against nil is false, `#nil` is 0."
    }
  }
}

/// Everything a rule author can write.
package enum API {
  package static let all: [APIEntry] =
    rule + effects + event + durations + text + lists + state + addresses + files + tests + lua

  /// The entry of that name.
  package static func entry(_ name: String) -> APIEntry? { all.first { $0.name == name } }
}
