import ATProto
import CLuaHost
import CText

/// What the entries of a list are; said in its file by `# kind: domains` before the first entry.
package enum ListKind: String, Sendable, CaseIterable { case words, domains, dids, patterns }

/// The lists of a rule set: `lists/NAME.txt`, one entry per line, lines that begin with `#` are comments (`\#tag` is the entry
/// `#tag`). A file of the same name in `local/lists/` takes its place. Read once when the set loads and shared by its rules.
final class ListStore {
  /// One list and the memory C holds for it.
  final class NamedList {
    let kind: ListKind
    let path: String
    fileprivate(set) var count = 0
    fileprivate(set) var isUsed = false
    fileprivate let entries: OpaquePointer

    fileprivate init?(kind: ListKind, path: String, text: TextLibrary) {
      let made =
        switch kind {
        case .words: ct_list_create(text.pointer, Int32(CT_WORDS))
        case .domains: ct_list_create(text.pointer, Int32(CT_DOMAINS))
        case .dids: ct_list_create(text.pointer, Int32(CT_NAMES))
        case .patterns: ct_patterns_create()
        }
      guard let made else { return nil }
      self.kind = kind
      self.path = path
      entries = made
    }

    deinit { if kind == .patterns { ct_patterns_destroy(entries) } else { ct_list_destroy(entries) } }
  }

  private(set) var lists: [String: NamedList] = [:]
  private let text: TextLibrary
  private var nearestBytes: [UInt8] = []

  init(_ files: [RuleFile], text: TextLibrary, errors: inout [RuleError]) {
    self.text = text
    for prefix in ["lists/", "local/lists/"] {
      for file in files where file.path.hasPrefix(prefix) && file.path.hasSuffix(".txt") {
        let name = String(file.path.dropFirst(prefix.count).dropLast(4))
        if let list = read(file, &errors) { lists[name] = list }
      }
    }
  }

  /// Lists no rule has asked for, by path.
  var unused: [String] { lists.values.filter { !$0.isUsed }.map(\.path).sorted() }

  /// Hands a list to C; false where there is none of that name.
  func open(_ name: Bytes, _ out: UnsafeMutablePointer<lh_list>, nearest: UnsafeMutablePointer<lh_text>) -> Bool {
    if let list = lists[name.string] {
      list.isUsed = true
      let kind =
        switch list.kind {
        case .words: LH_WORDS
        case .domains: LH_DOMAINS
        case .dids: LH_NAMES
        case .patterns: LH_PATTERNS
        }
      out.pointee = lh_list(kind: Int32(kind), entries: UnsafeMutableRawPointer(list.entries))
      return true
    }
    nearestBytes = Array((nearestName(name.string, in: lists.keys.sorted()) ?? "").utf8)
    // The array is this object's and changes with the next question only.
    nearest.pointee = nearestBytes.withUnsafeBufferPointer { lh_text(bytes: $0.baseAddress, count: $0.count) }
    return false
  }

  // MARK: Reading

  private func read(_ file: RuleFile, _ errors: inout [RuleError]) -> NamedList? {
    let lines = file.bytes.split(separator: 0x0a, omittingEmptySubsequences: false).map(trimmed)
    var kind = ListKind.words
    for (index, line) in lines.enumerated() {
      guard line.isEmpty || line.first == 0x23 else { break }
      guard let named = directive(line) else { continue }
      guard let known = ListKind(rawValue: named) else {
        let all = ListKind.allCases.map(\.rawValue)
        let near = nearestName(named, in: all)
        errors.append(
          RuleError(
            file.path, index + 1,
            "there are no lists of '\(named)'" + (near.map { ", did you mean '\($0)'?" } ?? ""),
            try: "# kind: \(near ?? all.joined(separator: ", or "))"))
        return nil
      }
      kind = known
    }
    guard let list = NamedList(kind: kind, path: file.path, text: text) else {
      errors.append(RuleError(file.path, 1, "there is not enough memory for the list"))
      return nil
    }
    let before = errors.count
    for (index, line) in lines.enumerated() where !line.isEmpty && line.first != 0x23 {
      let entry = line.starts(with: [0x5c, 0x23]) ? Array(line.dropFirst()) : Array(line)
      if let (what, attempt) = withBytes(entry, { add($0, to: list) }) {
        errors.append(RuleError(file.path, index + 1, what, try: attempt))
        if errors.count - before >= RuleLimits.listErrorsMax { break }
      }
    }
    if kind == .patterns, ct_patterns_seal(list.entries) == 0 {
      errors.append(RuleError(file.path, 1, "there is not enough memory for the patterns"))
    }
    list.count = kind == .patterns ? ct_patterns_count(list.entries) : ct_list_count(list.entries)
    return errors.count == before ? list : nil
  }

  /// What is wrong with the entry and what to try; nil where it was added.
  private func add(_ entry: Bytes, to list: NamedList) -> (String, String)? {
    let shown = entry.prefixUTF8(60).string
    switch list.kind {
    case .words: break
    case .domains:
      let host = TextLibrary.host(of: entry)
      if host.count + (entry.count > host.count ? 2 : 0) < entry.count || !host.string.contains(".") {
        return ("'\(shown)' is not a domain", "example.com, without https:// and path")
      }
    case .dids:
      if !entry.string.hasPrefix("did:") { return ("'\(shown)' is not a DID", "did:plc:…") }
    case .patterns:
      var error = ct_pattern_error()
      guard let pattern = ct_pattern_create(text.pointer, ct_slice(entry), 0, &error) else {
        let (what, attempt) = (String(cString: error.what), String(cString: error.attempt))
        return ("the pattern '\(shown)' is wrong at position \(error.position): \(what)", attempt)
      }
      return ct_patterns_add(list.entries, pattern) < 0 ? ("there is not enough memory for the patterns", "") : nil
    }
    switch ct_list_add(list.entries, ct_slice(entry)) {
    case 1: return nil
    case 0: return ("'\(shown)' leaves nothing to compare, or is longer than 512 bytes", "a word or a phrase")
    default: return ("there is not enough memory for the list", "")
    }
  }

  /// `domains` of `# kind: domains`.
  private func directive(_ line: ArraySlice<UInt8>) -> String? {
    let text = String(decoding: line.drop { $0 == 0x23 || $0 == 0x20 }, as: UTF8.self)
    guard text.hasPrefix("kind:") else { return nil }
    return text.dropFirst(5).split(separator: " ").first.map(String.init) ?? ""
  }

  private func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0d }
    var line = line.drop(while: isBlank)
    while let last = line.last, isBlank(last) { line.removeLast() }
    return line
  }
}
