import ATProto
import CLuaHost

/// One function of a compiled rule file.
struct CompiledFunction {
  enum Constant: Equatable {
    case nothing
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    case text(String)
  }

  /// What a function sees of the one around it: a register of that one, or what that one sees itself.
  struct Upvalue {
    var isRegister: Bool
    var index: Int
    var name = ""
  }

  /// `@path` of the file.
  var source = ""
  /// Line of the `function` keyword; 0 for the file's own code.
  var line = 0
  var parameterCount = 0
  var parameterNames: ArraySlice<String> { localNames.prefix(parameterCount) }
  /// Names of all local variables, parameters first.
  var localNames: [String] = []
  var code: [UInt32] = []
  /// Line of each instruction.
  var lines: [Int] = []
  var constants: [Constant] = []
  var upvalues: [Upvalue] = []
  var functions: [CompiledFunction] = []
}

/// Reads the compiled form of a rule file: what `lua_dump` of Lua 5.4 writes.
///
/// The form is internal to Lua 5.4 (ldump.c, lopcodes.h); RuleSet proves before first use that this reader still understands it.
struct CompiledChunk {
  private static let opGetUpvalue: UInt32 = 9
  private static let opSetUpvalue: UInt32 = 10
  private static let opSetTableUpvalue: UInt32 = 15
  private static let depthMax = 200
  private let bytes: Bytes
  private var position = 0

  struct Malformed: Error {}

  /// Line of the first assignment of a function to a variable of the function around it: such a variable would live on from
  /// event to event, unseen by snapshots and replays. Else `LH_CHUNK_ONLY_READS` where globals are read by name and nothing
  /// else is done with them, 0 where more is done, `LH_CHUNK_UNKNOWN` where the form is not understood.
  static func finding(in compiled: Bytes) -> Int32 {
    guard let file = try? read(compiled) else { return Int32(LH_CHUNK_UNKNOWN) }
    if let line = assignmentLine(file) { return Int32(max(1, line)) }
    return onlyReads(file, globals: [0]) ? Int32(LH_CHUNK_ONLY_READS) : 0
  }

  /// Whether the upvalues `globals` of the function, which hold the table of globals, are only ever indexed: no global is
  /// assigned, and the table itself (`_ENV`) is never held as a value.
  private static func onlyReads(_ function: CompiledFunction, globals: [Int]) -> Bool {
    for instruction in function.code {
      let (a, b) = (Int(instruction >> 7 & 0xff), Int(instruction >> 16 & 0xff))
      switch instruction & 0x7f {
      case opGetUpvalue: if globals.contains(b) { return false }
      case opSetTableUpvalue: if globals.contains(a) { return false }
      default: break
      }
    }
    return function.functions.allSatisfy { inner in
      onlyReads(
        inner,
        globals: inner.upvalues.indices.filter {
          !inner.upvalues[$0].isRegister && globals.contains(inner.upvalues[$0].index)
        })
    }
  }

  private static func assignmentLine(_ function: CompiledFunction) -> Int? {
    for inner in function.functions {
      if let line = assignmentLine(inner) { return line }
    }
    // Opcode in the low seven bits.
    return zip(function.code, function.lines).first { $0.0 & 0x7f == opSetUpvalue }?.1
  }

  /// The file's own code, with all functions in it.
  static func read(_ compiled: Bytes) throws(Malformed) -> CompiledFunction {
    var chunk = CompiledChunk(bytes: compiled)
    try chunk.header()
    let file = try chunk.function(depth: 0, source: "")
    guard chunk.position == compiled.count else { throw Malformed() }
    return file
  }

  private init(bytes: Bytes) { self.bytes = bytes }

  private mutating func byte() throws(Malformed) -> UInt8 {
    guard position < bytes.count else { throw Malformed() }
    position += 1
    return bytes[position - 1]
  }

  private mutating func take(_ count: Int) throws(Malformed) -> Bytes {
    guard count >= 0, count <= bytes.count - position else { throw Malformed() }
    position += count
    return bytes[Slice(offset: position - count, count: count)]
  }

  /// Seven bits a byte, most significant first, the last byte marked by its high bit.
  private mutating func number() throws(Malformed) -> Int {
    var value = 0
    for _ in 0..<9 {
      let next = try byte()
      value = value << 7 | Int(next & 0x7f)
      if next & 0x80 != 0 { return value }
    }
    throw Malformed()
  }

  /// A count of things that take at least one byte each.
  private mutating func count() throws(Malformed) -> Int {
    let count = try number()
    guard count <= bytes.count - position else { throw Malformed() }
    return count
  }

  private mutating func string() throws(Malformed) -> String {
    let size = try number()
    return size > 0 ? try take(size - 1).string : ""
  }

  private mutating func word() throws(Malformed) -> UInt64 {
    let bytes = try take(8)
    return (0..<8).reduce(0) { $0 | UInt64(bytes[$1]) << UInt64($1 * 8) }
  }

  private mutating func header() throws(Malformed) {
    // "\eLua", version 5.4, format 0, LUAC_DATA, sizes of Instruction, Integer and Number.
    let expected: [UInt8] = [
      0x1b, 0x4c, 0x75, 0x61, 0x54, 0x00, 0x19, 0x93, 0x0d, 0x0a, 0x1a, 0x0a, 4, 8, 8,
    ]
    for want in expected where try byte() != want { throw Malformed() }
    _ = try take(17)
  }

  /// One function and those inside it. A function of the same file leaves its source out.
  private mutating func function(depth: Int, source: String) throws(Malformed) -> CompiledFunction {
    guard depth < Self.depthMax else { throw Malformed() }
    var function = CompiledFunction()
    let own = try string()
    function.source = own.isEmpty ? source : own
    function.line = try number()
    _ = try number()
    function.parameterCount = Int(try byte())
    _ = try take(2)
    let instructions = try number()
    guard instructions <= (bytes.count - position) / 4 else { throw Malformed() }
    let code = try take(instructions * 4)
    function.code.reserveCapacity(instructions)
    for at in 0..<instructions {
      let at = at * 4
      function.code.append(
        UInt32(code[at]) | UInt32(code[at + 1]) << 8 | UInt32(code[at + 2]) << 16 | UInt32(code[at + 3]) << 24)
    }
    for _ in 0..<(try count()) { function.constants.append(try constant()) }
    for _ in 0..<(try count()) {
      let isRegister = try byte() != 0
      function.upvalues.append(.init(isRegister: isRegister, index: Int(try byte())))
      _ = try byte()
    }
    for _ in 0..<(try count()) {
      function.functions.append(try self.function(depth: depth + 1, source: function.source))
    }
    try debug(&function)
    return function
  }

  private mutating func constant() throws(Malformed) -> CompiledFunction.Constant {
    switch try byte() {
    case 0x00: .nothing
    case 0x01: .bool(false)
    case 0x11: .bool(true)
    case 0x03: .integer(Int64(bitPattern: try word()))
    case 0x13: .double(Double(bitPattern: try word()))
    case 0x04, 0x14: .text(try string())
    default: throw Malformed()
    }
  }

  /// Lines and names. A line is kept as a step from the one before; -128 points to the table of absolute ones.
  private mutating func debug(_ function: inout CompiledFunction) throws(Malformed) {
    let steps = try take(try number())
    var absolute: [Int: Int] = [:]
    for _ in 0..<(try count()) {
      let instruction = try number()
      absolute[instruction] = try number()
    }
    var line = function.line
    for at in 0..<function.code.count {
      let step = at < steps.count ? Int8(bitPattern: steps[at]) : 0
      line = step == -128 ? absolute[at] ?? line : line + Int(step)
      function.lines.append(line)
    }
    for _ in 0..<(try count()) {
      let name = try string()
      function.localNames.append(name)
      _ = try number()
      _ = try number()
    }
    let names = try count()
    for at in 0..<names {
      let name = try string()
      if at < function.upvalues.count { function.upvalues[at].name = name }
    }
  }
}
