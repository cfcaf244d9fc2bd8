import Foundation

/// `--config FILE`: options of `run` by their names, without the dashes. The file is YAML, of which it takes what options need:
/// `name: value`, lists (`- item` on lines of their own, or `[a, b]`), quotes and comments. Everything else is an error with
/// its line, so that the file means the same to every reader of YAML.
struct ConfigFile {
  struct Entry {
    var option: RunOption
    var values: [String]
    var line: Int
    /// Whether items may follow on lines of their own.
    var isOpen: Bool
  }

  private(set) var entries: [Entry] = []

  init(path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw UsageError("--config: cannot read \(path)")
    }
    guard let text = String(bytes: data, encoding: .utf8) else { throw UsageError("--config: \(path) is not UTF-8") }
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      do throws(ConfigProblem) {
        try take(ConfigLine(rest: line), index + 1)
      } catch {
        throw UsageError("\(path):\(index + 1): \(error.what)")
      }
    }
    if let empty = entries.first(where: \.values.isEmpty) {
      throw UsageError("\(path):\(empty.line): '\(empty.option.name)' has no value")
    }
  }

  private mutating func take(_ text: ConfigLine, _ number: Int) throws(ConfigProblem) {
    var line = text
    let isIndented = try line.skipIndentation()
    if line.isAtEnd || text.rest == "---" && entries.isEmpty { return }
    if line.takeDash() {
      guard let last = entries.indices.last, entries[last].isOpen else {
        throw ConfigProblem("an item, '- VALUE', stands below the name of an option that repeats")
      }
      entries[last].values.append(try line.value())
      return
    }
    guard !isIndented else { throw ConfigProblem("an indented line is an item of a list: - VALUE") }
    let name = try line.takeName()
    guard let option = RunOption.named(name), name != "config" else {
      let near = RunOption.nearest(name).map { ", did you mean '\($0.name)'?" } ?? ""
      throw ConfigProblem("'\(name)' is no option of run\(near)")
    }
    if let other = entries.first(where: { $0.option.name == name }) {
      throw ConfigProblem("'\(name)' stands in line \(other.line) already")
    }
    let isList = option.kind == .list
    var entry = Entry(option: option, values: [], line: number, isOpen: isList && line.isAtEnd)
    if !line.isAtEnd { entry.values = isList ? try line.values() : [try line.value()] }
    entries.append(entry)
  }
}

private struct ConfigProblem: Error {
  let what: String
  init(_ what: String) { self.what = what }
}

/// What is left of one line.
private struct ConfigLine {
  var rest: Substring

  /// Nothing more, or only a comment.
  var isAtEnd: Bool { rest.isEmpty || rest.first == "#" }

  private mutating func skipSpaces() { rest = rest.drop { $0 == " " || $0 == "\t" } }

  mutating func skipIndentation() throws(ConfigProblem) -> Bool {
    let before = rest.count
    skipSpaces()
    if !isAtEnd, rest.startIndex > rest.base.startIndex, rest.base[rest.base.index(before: rest.startIndex)] == "\t" {
      throw ConfigProblem("YAML indents with spaces, not with tabs")
    }
    return rest.count < before
  }

  mutating func takeDash() -> Bool {
    guard rest == "-" || rest.hasPrefix("- ") else { return false }
    rest.removeFirst()
    skipSpaces()
    return true
  }

  mutating func takeName() throws(ConfigProblem) -> String {
    guard let colon = rest.firstIndex(of: ":") else { throw ConfigProblem("'\(rest)' is not 'name: value'") }
    let name = rest[..<colon].trimmingSuffix { $0 == " " }
    rest = rest[rest.index(after: colon)...]
    guard isAtEnd || rest.first == " " || rest.first == "\t" else {
      throw ConfigProblem("there is no space behind '\(name):'")
    }
    skipSpaces()
    return String(name)
  }

  /// The one value that the line ends with.
  mutating func value() throws(ConfigProblem) -> String {
    let value = try scalar(endingWith: "")
    guard isAtEnd else { throw ConfigProblem("'\(rest)' stands behind the value") }
    return value
  }

  /// One value, or several as `[a, b]`.
  mutating func values() throws(ConfigProblem) -> [String] {
    guard rest.first == "[" else { return [try value()] }
    var values: [String] = []
    repeat {
      rest.removeFirst()
      skipSpaces()
      values.append(try scalar(endingWith: ",[]{}"))
    } while rest.first == ","
    guard rest.first == "]" else { throw ConfigProblem("the list does not end with ']' on its line") }
    rest.removeFirst()
    skipSpaces()
    guard isAtEnd else { throw ConfigProblem("'\(rest)' stands behind the list") }
    return values
  }

  private mutating func scalar(endingWith ends: String) throws(ConfigProblem) -> String {
    defer { skipSpaces() }
    if rest.first == "\"" || rest.first == "'" { return try quoted() }
    var end = rest.startIndex
    while end < rest.endIndex, !ends.contains(rest[end]) {
      if rest[end] == "#", end == rest.startIndex || " \t".contains(rest[rest.index(before: end)]) { break }
      end = rest.index(after: end)
    }
    let value = rest[..<end].trimmingSuffix { $0 == " " || $0 == "\t" }
    rest = rest[end...]
    guard let first = value.first, value != "~", value != "null" else { throw ConfigProblem("a value is missing") }
    guard !"&*!|>%@`{}[],?".contains(first), value != "-", !value.hasPrefix("- "), !value.contains(": "),
      value.last != ":"
    else {
      throw ConfigProblem("YAML reads '\(value)' as something else than a text; put it in quotes")
    }
    return String(value)
  }

  /// Quoted text: `'it''s'`, or with JSON's escapes `"a\tb"`.
  private mutating func quoted() throws(ConfigProblem) -> String {
    let quote = rest.removeFirst()
    var text = ""
    while let character = rest.popFirst() {
      if character == quote {
        guard quote == "'" else {
          guard let value = try? JSONDecoder().decode(String.self, from: Data("\"\(text)\"".utf8)) else { break }
          return value
        }
        guard rest.first == quote else { return text }
        rest.removeFirst()
      } else if character == "\\", quote == "\"", let next = rest.popFirst() {
        text.append("\\")
        text.append(next)
        continue
      }
      text.append(character)
    }
    throw ConfigProblem("the quoted text is not closed, or has an escape that does not exist")
  }
}

extension Substring {
  fileprivate func trimmingSuffix(while isTrimmed: (Character) -> Bool) -> Substring {
    var end = endIndex
    while end > startIndex, isTrimmed(self[index(before: end)]) { end = index(before: end) }
    return self[..<end]
  }
}
