import ATProto

/// Reads the compiled form of a rule file (what `lua_dump` of Lua 5.4 writes) for one question: does a function assign a
/// variable of the function around it? Such a variable would live on from event to event, unseen by snapshots and replays.
///
/// The form is internal to Lua 5.4 (ldump.c, lopcodes.h); RuleSet proves before first use that this reader still understands it.
struct CompiledChunk {
  private static let opSetUpvalue: UInt32 = 10
  private static let depthMax = 200
  private let bytes: Bytes
  private var position = 0

  private struct Malformed: Error {}

  /// Line of the first such assignment, 0 where there is none, -1 where the form is not understood.
  static func assignmentLine(in compiled: Bytes) -> Int32 {
    var chunk = CompiledChunk(bytes: compiled)
    do {
      return try chunk.header() ?? 0
    } catch {
      return -1
    }
  }

  private init(bytes: Bytes) { self.bytes = bytes }

  private mutating func byte() throws -> UInt8 {
    guard position < bytes.count else { throw Malformed() }
    position += 1
    return bytes[position - 1]
  }

  private mutating func skip(_ count: Int) throws {
    guard count >= 0, count <= bytes.count - position else { throw Malformed() }
    position += count
  }

  /// Seven bits a byte, most significant first, the last byte marked by its high bit.
  private mutating func number() throws -> Int {
    var value = 0
    for _ in 0..<9 {
      let next = try byte()
      value = value << 7 | Int(next & 0x7f)
      if next & 0x80 != 0 { return value }
    }
    throw Malformed()
  }

  private mutating func skipString() throws {
    let size = try number()
    if size > 0 { try skip(size - 1) }
  }

  private mutating func header() throws -> Int32? {
    // "\eLua", version 5.4, format 0, LUAC_DATA, sizes of Instruction, Integer and Number.
    let expected: [UInt8] = [
      0x1b, 0x4c, 0x75, 0x61, 0x54, 0x00, 0x19, 0x93, 0x0d, 0x0a, 0x1a, 0x0a, 4, 8, 8,
    ]
    for want in expected where try byte() != want { throw Malformed() }
    try skip(16)
    _ = try byte()
    let line = try function(depth: 0)
    guard line != nil || position == bytes.count else { throw Malformed() }
    return line
  }

  /// One function and those inside it.
  private mutating func function(depth: Int) throws -> Int32? {
    guard depth < Self.depthMax else { throw Malformed() }
    try skipString()
    let defined = try number()
    _ = try number()
    try skip(3)
    let instructions = try number()
    let code = position
    guard instructions <= (bytes.count - position) / 4 else { throw Malformed() }
    try skip(instructions * 4)
    let constants = try number()
    for _ in 0..<constants {
      switch try byte() {
      case 0x00, 0x01, 0x11: break
      case 0x03, 0x13: try skip(8)
      case 0x04, 0x14: try skipString()
      default: throw Malformed()
      }
    }
    try skip(try number() * 3)
    let functions = try number()
    for _ in 0..<functions {
      if let line = try function(depth: depth + 1) { return line }
    }
    let lineInfo = try number()
    let lines = position
    try skip(lineInfo)
    let absolutes = try number()
    for _ in 0..<absolutes {
      _ = try number()
      _ = try number()
    }
    let locals = try number()
    for _ in 0..<locals {
      try skipString()
      _ = try number()
      _ = try number()
    }
    let names = try number()
    for _ in 0..<names { try skipString() }
    // Opcode in the low seven bits. Lines are kept as steps from the line before; -128 points to the table of absolute ones,
    // which only very long functions have: there the function's own line has to do.
    var line = defined
    for index in 0..<instructions {
      if index < lineInfo {
        let step = Int8(bitPattern: bytes[lines + index])
        line = step == -128 ? defined : line + Int(step)
      }
      if UInt32(bytes[code + index * 4]) & 0x7f == Self.opSetUpvalue { return Int32(max(1, line)) }
    }
    return nil
  }
}
