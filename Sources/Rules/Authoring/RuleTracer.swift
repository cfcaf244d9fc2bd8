import ATProto
import CLuaHost
import Osprey

/// A name and what it held, as text for people.
package struct NamedValue: Equatable, Sendable {
  package var name: String
  package var value: String

  package init(name: String, value: String) {
    self.name = name
    self.value = value
  }
}

/// Writes down what rules look at while one event is explained: fields of the event, members of its record, counters, answers of
/// the library. Fed by the hook of CLuaHost/trace.c; never alive while events are judged.
final class RuleTracer {
  /// Why a rule did not run.
  enum Absence { case setAside, outOfBudget }

  /// What one rule looked at.
  struct Trace {
    var reads: [NamedValue] = []
    /// Reads that were not kept because there were too many.
    var leftOut = 0
    var status = RuleExplanation.Status.failed
    var error: String?
    var instructions: Int64 = 0
    var nanoseconds: Int64 = 0
  }

  private static let readsMax = 200
  private static let textMax = 120
  private static let itemsShown = 8
  /// Functions that say nothing about the event.
  private static let silent: Set<String> = [
    "type", "tostring", "tonumber", "select", "error", "assert", "pcall", "ipairs", "pairs", "seconds", "minutes",
    "hours", "days", "rule", "use",
  ]

  private(set) var traces: [Int: Trace] = [:]
  private(set) var absences: [Int: Absence] = [:]
  /// What the last failure of a rule was.
  var error: String?
  private var rule = -1
  private var calls: [(frame: Int64, text: String, isKept: Bool)] = []
  /// How an object (the event, a part of the record, a counter) was come by.
  private var objects: [Int64: String] = [:]

  func note(_ rule: Int, _ absence: Absence) { absences[rule] = absence }

  func begin(_ rule: Int) {
    self.rule = rule
    traces[rule] = Trace()
    calls.removeAll()
    error = nil
  }

  /// What the rule that began last came to.
  func end(_ outcome: Verdict.Outcome, instructions: Int64, nanoseconds: Int64) {
    switch outcome {
    case .hit: traces[rule]?.status = .hit
    case .miss: traces[rule]?.status = .miss
    case .notApplicable: traces[rule]?.status = .notApplicable
    case .failed: traces[rule]?.status = .failed
    }
    traces[rule]?.error = error
    traces[rule]?.instructions = instructions
    traces[rule]?.nanoseconds = nanoseconds
  }

  /// One call of a library function, or its return.
  func take(
    isReturn: Bool, name: Bytes, frame: Int64, values: UnsafeBufferPointer<lh_value>, facts: EventFacts
  ) {
    guard isReturn else {
      let name = name.string
      calls.append((frame, describe(name, values, facts), isKept(name) && !isShownElement(name, values, facts)))
      return
    }
    // A call that raised has no return; it lies above the one that came back.
    while let last = calls.last, last.frame != frame { calls.removeLast() }
    guard let call = calls.popLast() else { return }
    let results = values.map { show($0, facts) }
    for value in values where value.kind == Int32(LH_NODE) {
      if call.isKept || objects[value.integer] == nil { objects[value.integer] = call.text }
      // The object itself says nothing; what is asked of it will. A list of the event shows what is in it.
      if listField(value.integer) == nil { return }
    }
    guard call.isKept else { return }
    keep(NamedValue(name: call.text, value: results.isEmpty ? "nothing" : results.joined(separator: ", ")))
  }

  private func keep(_ read: NamedValue) {
    guard traces[rule]?.reads.contains(read) == false else { return }
    if traces[rule]!.reads.count >= Self.readsMax {
      traces[rule]!.leftOut += 1
    } else {
      traces[rule]!.reads.append(read)
    }
  }

  private func isKept(_ name: String) -> Bool {
    !Self.silent.contains(name) && !name.hasPrefix("table.") && !name.hasPrefix("math.")
  }

  /// Whether this reads an entry of a list that was shown whole already.
  private func isShownElement(_ name: String, _ values: UnsafeBufferPointer<lh_value>, _ facts: EventFacts) -> Bool {
    guard name == "index", values.count >= 2, values[0].kind == Int32(LH_NODE),
      let field = listField(values[0].integer)
    else { return false }
    return facts.count(field) <= Self.itemsShown
  }

  /// The call as its author would write it.
  private func describe(_ name: String, _ values: UnsafeBufferPointer<lh_value>, _ facts: EventFacts) -> String {
    if name == "index", values.count >= 2 {
      let owner = object(values[0])
      if values[1].kind == Int32(LH_TEXT) { return "\(owner).\(bounded(Bytes(values[1].text)))" }
      return "\(owner)[\(show(values[1], facts))]"
    }
    if name == "features", values.count >= 2, values[1].kind == Int32(LH_TEXT) {
      return "features.\(bounded(Bytes(values[1].text)))"
    }
    if let colon = name.firstIndex(of: ":"), let owner = values.first {
      let rest = values.dropFirst().map { show($0, facts) }.joined(separator: ", ")
      return "\(object(owner)):\(name[name.index(after: colon)...])(\(rest))"
    }
    return "\(name)(\(values.map { show($0, facts) }.joined(separator: ", ")))"
  }

  private func object(_ value: lh_value) -> String {
    guard value.kind == Int32(LH_NODE) else { return "…" }
    if let known = objects[value.integer] { return known }
    return value.integer >> 56 & 7 == 1 ? "event" : "…"
  }

  /// The field of a list of the event: proxies carry a tag (host_internal.h), addresses have nothing up there.
  private func listField(_ bits: Int64) -> EventField? {
    bits >> 56 & 7 == 3 ? EventField(rawValue: Int32(truncatingIfNeeded: bits & 0xffff_ffff)) : nil
  }

  private func show(_ value: lh_value, _ facts: EventFacts) -> String {
    switch Int(value.kind) {
    case LH_NIL: return "nil"
    case LH_FALSE: return "false"
    case LH_TRUE: return "true"
    case LH_INTEGER: return "\(value.integer)"
    case LH_NUMBER: return "\(value.number)"
    case LH_TEXT: return quoted(bounded(Bytes(value.text)))
    case LH_TABLE: return Bytes(value.text).string
    case LH_NODE:
      guard let field = listField(value.integer) else { return objects[value.integer] ?? object(value) }
      let count = facts.count(field)
      let items = (0..<min(count, Self.itemsShown)).compactMap { facts.item(field, $0).map { quoted(bounded($0)) } }
      return listed(items + (count > Self.itemsShown ? ["… (\(count) in all)"] : []))
    default: return "function"
    }
  }

  private func bounded(_ bytes: Bytes) -> String {
    let cut = bytes.prefixUTF8(Self.textMax)
    return cut.count < bytes.count ? cut.string + "…" : cut.string
  }
}

/// Text as it would stand in a rule file.
func quoted(_ text: String) -> String {
  var out = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": out += "\\\""
    case "\\": out += "\\\\"
    case "\n": out += "\\n"
    case "\r": out += "\\r"
    case "\t": out += "\\t"
    case _
    where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || (0x200b...0x200f).contains(scalar.value):
      out += "\\u{\(String(scalar.value, radix: 16))}"
    default: out.unicodeScalars.append(scalar)
    }
  }
  return out + "\""
}

func listed(_ items: [String]) -> String { items.isEmpty ? "{}" : "{ \(items.joined(separator: ", ")) }" }
