import Osprey

/// What a register is known to hold at one place of a function.
indirect enum KnownValue {
  case unknown
  case environment
  case event
  /// A global, or a member of a library: what it is called.
  case named(String)
  /// What a library function made, by the name the API has for it: `counter`.
  case object(String)
  case constant(CompiledFunction.Constant)
  /// A value of this type.
  case kind(FeatureKind)
  /// Number of a table made in this function.
  case table(Int)
  /// Number of a function made in this function.
  case function(Int)
}

/// Goes through the instructions of one function, from first to last, and keeps what registers are known to hold as long as no
/// jump can come in between. Opcodes and formats: lopcodes.h of Lua 5.4.
struct FunctionReader {
  private struct Table {
    var fields: [(name: String, value: KnownValue, line: Int)] = []
    var hasItems = false
    var line: Int
  }

  private let function: CompiledFunction
  private let outer: [KnownValue]
  private let isWhen: Bool
  /// Whether it is a `when` or stands in one.
  private let isJudging: Bool
  private var registers: [KnownValue] = Array(repeating: .unknown, count: 256)
  private var tables: [Table] = []
  private var targets: Set<Int> = []
  /// Parameters known to be the event that are never assigned.
  private var events: Set<Int> = []
  /// The last instruction that assigns each register.
  private var lastWrite: [Int] = Array(repeating: -1, count: 256)
  private var inner: [Int: [KnownValue]] = [:]
  private var whens: Set<Int> = []
  private var when: ChunkFacts.When

  init(_ function: CompiledFunction, outer: [KnownValue], isWhen: Bool, isJudging: Bool = false) {
    self.function = function
    self.outer = outer
    self.isWhen = isWhen
    self.isJudging = isWhen || isJudging
    when = ChunkFacts.When(line: function.line)
  }

  mutating func read(into facts: inout ChunkFacts) {
    for case .text(let text) in function.constants { facts.texts.insert(text) }
    facts.locals.formUnion(function.localNames)
    findTargets()
    for (index, name) in function.parameterNames.enumerated() where name == "event" || (isWhen && index == 0) {
      if !function.code.contains(where: { writes($0).contains(index) }) { events.insert(index) }
    }
    for event in events { registers[event] = .event }
    for (at, code) in function.code.enumerated() {
      for register in writes(code) { lastWrite[register] = at }
    }
    for at in function.code.indices {
      if targets.contains(at) { forget(at) }
      step(at, &facts)
    }
    if isWhen { facts.whens.append(when) }
    for (index, function) in function.functions.enumerated() {
      let outer = inner[index] ?? Array(repeating: .unknown, count: function.upvalues.count)
      var reader = FunctionReader(function, outer: outer, isWhen: whens.contains(index), isJudging: isJudging)
      reader.read(into: &facts)
    }
  }

  // MARK: Where jumps lead

  private mutating func findTargets() {
    for (at, code) in function.code.enumerated() {
      let bx = Int(code >> 15)
      switch Operation(rawValue: code & 0x7f) {
      case .jump: targets.insert(at + 1 + Int(code >> 7) - 0xff_ffff)
      case .forLoop, .forInLoop: targets.formUnion([at + 1 - bx, at + 1])
      case .forPrepare: targets.insert(at + 2 + bx)
      case .forInPrepare: targets.insert(at + 1 + bx)
      case .loadFalseSkip: targets.insert(at + 2)
      default: break
      }
      // Comparisons and tests skip the instruction behind them.
      if (57...67).contains(code & 0x7f) { targets.insert(at + 2) }
    }
  }

  /// Whoever comes from elsewhere may have other values, except where a register is not assigned any more.
  private mutating func forget(_ at: Int) {
    for index in 0..<256 where !events.contains(index) && !isSettled(index, at) { registers[index] = .unknown }
  }

  /// Whether a register holds an object, a function or a type of value that the library is known for, and for good from `at` on.
  private func isSettled(_ register: Int, _ at: Int) -> Bool {
    guard lastWrite[register] < at else { return false }
    switch registers[register] {
    case .object, .named, .kind: return true
    default: return false
    }
  }

  /// Registers an instruction assigns.
  private func writes(_ code: UInt32) -> Range<Int> {
    let a = Int(code >> 7 & 0xff)
    switch code & 0x7f {
    case 8: return a..<min(256, a + Int(code >> 16 & 0xff) + 1)
    case 20: return a..<min(256, a + 2)
    case 68, 80: return a..<256
    case 73, 74: return a..<min(256, a + 4)
    case 76: return min(255, a + 4)..<256
    case 77: return min(255, a + 2)..<min(256, a + 5)
    case 0...7, 9, 11...14, 19, 21...45, 49...53, 67, 79: return a..<a + 1
    default: return 0..<0
    }
  }

  // MARK: One instruction

  private enum Operation: UInt32 {
    case move = 0, loadInteger, loadDouble, loadConstant
    case loadFalse = 5, loadFalseSkip, loadTrue, loadNil, getUpvalue
    case getGlobal = 11, getTable, getIndex, getField, setGlobal, setTable, setIndex, setField, newTable, method
    case not = 51, length, concatenate
    case jump = 56
    case call = 68, tailCall, returnMany, returnNone, returnOne, forLoop, forPrepare, forInPrepare
    case forInLoop = 77, setList, closure
  }

  private func constant(_ index: Int) -> CompiledFunction.Constant {
    index < function.constants.count ? function.constants[index] : .nothing
  }

  private func text(_ index: Int) -> String {
    if case .text(let text) = constant(index) { return text }
    return ""
  }

  private mutating func step(_ at: Int, _ facts: inout ChunkFacts) {
    let code = function.code[at]
    let (a, b, c) = (Int(code >> 7 & 0xff), Int(code >> 16 & 0xff), Int(code >> 24))
    let line = max(1, function.lines[at])
    var result = KnownValue.unknown
    switch Operation(rawValue: code & 0x7f) {
    case .move: result = registers[b]
    case .loadInteger: result = .kind(.integer)
    case .loadDouble: result = .kind(.double)
    case .loadConstant: result = .constant(constant(Int(code >> 15)))
    case .loadFalse: result = .constant(.bool(false))
    case .loadTrue: result = .constant(.bool(true))
    case .loadNil: for register in a..<min(256, a + b + 1) { set(register, .constant(.nothing)) }
    case .getUpvalue: result = b < outer.count ? outer[b] : .unknown
    case .getGlobal: result = global(b, text(c), line, &facts)
    case .getField: result = member(registers[b], text(c), line, &facts)
    case .setGlobal:
      if a < outer.count, case .environment = outer[a] {
        facts.uses.append(.init(kind: .assignment, name: text(b), line: line))
      }
    case .setField: setField(a, text(b), code & 0x8000 != 0 ? .constant(constant(c)) : registers[c], line, &facts)
    case .setIndex, .setTable, .setList: if case .table(let table) = registers[a] { tables[table].hasItems = true }
    case .newTable:
      result = .table(tables.count)
      tables.append(Table(line: line))
    case .method:
      if case .object(let owner) = registers[b], code & 0x8000 != 0 {
        facts.uses.append(.init(kind: .method, name: "\(owner):\(text(c))", line: line))
        result = .named("\(owner):\(text(c))")
      }
    case .not: result = .kind(.bool)
    case .length: result = .kind(.integer)
    case .concatenate: result = .kind(.text)
    case .call: result = call(a, b, line, &facts)
    case .tailCall:
      _ = call(a, b, line, &facts)
      when.canHit = true
    case .returnMany, .returnNone, .returnOne: giveBack(code)
    case .closure: result = close(Int(code >> 15), at)
    case .loadFalseSkip, .jump, .forLoop, .forPrepare, .forInPrepare, .forInLoop, .getTable, .getIndex, nil: break
    }
    guard Operation(rawValue: code & 0x7f) != .loadNil else { return }
    for register in writes(code) { set(register, .unknown) }
    if !writes(code).isEmpty { set(a, result) }
  }

  private mutating func set(_ register: Int, _ value: KnownValue) {
    if !events.contains(register) { registers[register] = value }
  }

  private func global(_ upvalue: Int, _ name: String, _ line: Int, _ facts: inout ChunkFacts) -> KnownValue {
    guard upvalue < outer.count else { return .unknown }
    guard case .environment = outer[upvalue] else { return member(outer[upvalue], name, line, &facts) }
    facts.uses.append(.init(kind: .name, name: name, line: line))
    return .named(name)
  }

  private func member(
    _ owner: KnownValue, _ name: String, _ line: Int, _ facts: inout ChunkFacts
  ) -> KnownValue {
    switch owner {
    case .event:
      facts.uses.append(.init(kind: .field, name: name, line: line))
      return FunctionReader.value(ofType: FunctionReader.resultTypes["event.\(name)"])
    case .named(let library) where !library.contains("."):
      facts.uses.append(.init(kind: .name, name: "\(library).\(name)", line: line))
      return .named("\(library).\(name)")
    default: return .unknown
    }
  }

  private func call(_ a: Int, _ b: Int, _ line: Int, _ facts: inout ChunkFacts) -> KnownValue {
    guard case .named(let name) = registers[a] else { return .unknown }
    if isJudging, FunctionReader.loadOnly.contains(name) {
      facts.uses.append(.init(kind: .misplaced, name: name, line: line))
    }
    if b == 2, a < 255, case .constant(.text(let argument)) = registers[a + 1] {
      facts.calls.append(.init(function: name, argument: argument, line: line))
    }
    return FunctionReader.value(ofType: FunctionReader.resultTypes[name])
  }

  /// What is known of a value whose type the table of the API says.
  private static func value(ofType type: String?) -> KnownValue {
    guard let type else { return .unknown }
    for part in type.split(separator: "|") where objectTypes.contains(String(part)) { return .object(String(part)) }
    switch type.hasSuffix("?") ? String(type.dropLast()) : type {
    case "boolean": return .kind(.bool)
    case "integer": return .kind(.integer)
    case "number": return .kind(.double)
    case "string": return .kind(.text)
    case "string[]": return .kind(.list)
    default: return .unknown
    }
  }

  /// What only a load may call.
  private static let loadOnly = Set(EffectKind.allCases.map(\.text.description) + ["rule", "use", "re"])

  /// What library functions return, and the types among them that have methods.
  private static let objectTypes = Set(API.all.filter(\.isMethod).map(\.owner))
  private static let resultTypes = [String: String](API.all.map { ($0.name, $0.type) }) { first, _ in first }

  private mutating func setField(
    _ register: Int, _ name: String, _ value: KnownValue, _ line: Int, _ facts: inout ChunkFacts
  ) {
    guard case .table(let table) = registers[register] else { return }
    tables[table].fields.append((name, value, line))
    guard name == "when", case .function(let index) = value else { return }
    whens.insert(index)
    facts.rules.append(ruleTable(table, whenLine: function.functions[index].line))
  }

  /// What a table that has a `when` says of the rule, when the whole of it is written out in order.
  private func ruleTable(_ table: Int, whenLine: Int) -> ChunkFacts.RuleTable {
    var rule = ChunkFacts.RuleTable(line: tables[table].line, whenLine: whenLine)
    for field in tables[table].fields {
      switch field.value {
      case .constant(.text(let text)) where field.name == "name": rule.name = text
      case .table(let inner) where tables[inner].fields.isEmpty && !tables[inner].hasItems:
        rule.emptyKeys.append(field.name)
      default: break
      }
    }
    return rule
  }

  private mutating func close(_ index: Int, _ at: Int) -> KnownValue {
    guard index < function.functions.count else { return .unknown }
    inner[index] = function.functions[index].upvalues.map { upvalue in
      guard upvalue.isRegister else {
        return upvalue.index < outer.count ? outer[upvalue.index] : .unknown
      }
      // A variable may change after it was taken along.
      if isSettled(upvalue.index, at) { return registers[upvalue.index] }
      return events.contains(upvalue.index) ? .event : .unknown
    }
    return .function(index)
  }

  // MARK: What comes back

  private mutating func giveBack(_ code: UInt32) {
    let (a, b) = (Int(code >> 7 & 0xff), Int(code >> 16 & 0xff))
    let count: Int
    switch Operation(rawValue: code & 0x7f) {
    case .returnNone: count = 0
    case .returnOne: count = 1
    default: count = b - 1
    }
    guard isWhen, count != 0 else { return }
    switch registers[a] {
    case .constant(.nothing), .constant(.bool(false)): break
    default: when.canHit = true
    }
    guard count == 2, a < 255, case .table(let table) = registers[a + 1] else { return }
    for field in tables[table].fields {
      when.features.append(.init(name: field.name, kind: kind(of: field.value), line: field.line))
    }
  }

  private func kind(of value: KnownValue) -> FeatureKind? {
    switch value {
    case .kind(let kind): kind
    case .constant(.bool): .bool
    case .constant(.integer): .integer
    case .constant(.double): .double
    case .constant(.text): .text
    case .table: .list
    default: nil
    }
  }
}
