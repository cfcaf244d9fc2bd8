import ATProto

/// What a case says of an account: what `--directory` says in a run.
struct TestAccount {
  static let keys = ["age", "handle", "pds_host", "followers", "follows", "posts", "profile"]
  private let value: RuleValue

  init(_ value: RuleValue) { self.value = value }

  /// The account `did` in `directory` as of `startMs`; nil, or what is wrong.
  func add(_ did: String, startMs: Int64, to directory: AccountDirectory) -> String? {
    let out = ByteWriter()
    out.append("{\"did\":")
    out.append(jsonText: did)
    func member(_ name: StaticString, _ value: RuleValue?) {
      guard let value else { return }
      out.append(name)
      write(value, out)
    }
    if let age = value["age"]?.number {
      out.append(",\"created_at\":\"")
      Timestamp.append(micros: startMs * 1000 - Int64(age * 1e6), digits: 3, suffix: "Z", to: out)
      out.append("\"")
    }
    member(",\"handle\":", value["handle"])
    member(",\"pds\":", value["pds_host"])
    member(",\"followers\":", value["followers"])
    member(",\"follows\":", value["follows"])
    member(",\"posts\":", value["posts"])
    member(",\"profile\":", value["profile"])
    out.append("}")
    let line = AccountLine()
    return line.parse(out.bytes) ?? directory.add(line)
  }

  private func write(_ value: RuleValue, _ out: ByteWriter) {
    switch value {
    case .text(let text): out.append(jsonText: text)
    case .integer(let value): out.append(decimal: value)
    case .number(let value): out.append(value.isFinite ? "\(value)" : "null" as String)
    case .bool(let value): out.append(value ? "true" : "false" as StaticString)
    case .function: out.append("null")
    case .table(let entries):
      let isList = !entries.contains { !$0.key.isEmpty }
      out.append(isList ? "[" : "{" as StaticString)
      for (index, entry) in entries.sorted(by: { ($0.key, $0.index) < ($1.key, $1.index) }).enumerated() {
        if index > 0 { out.append(",") }
        if !isList {
          out.append(jsonText: entry.key)
          out.append(":")
        }
        write(entry.value, out)
      }
      out.append(isList ? "]" : "}" as StaticString)
    }
  }
}
