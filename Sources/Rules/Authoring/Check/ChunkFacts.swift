/// What can be seen in a compiled file without running it.
struct ChunkFacts {
  /// A name somebody asks the Lua environment for.
  struct Use: Hashable {
    enum Kind: Hashable {
      /// A global, or a member of a library (`text.fold`).
      case name
      /// A field of the event.
      case field
      /// A method of what a library function made (`counter:add`).
      case method
      /// An assignment to a global.
      case assignment
      /// A call, while an event is judged, of what only a load may call.
      case misplaced
    }

    var kind: Kind
    var name: String
    var line: Int
  }

  /// A call with one text written out: `list "bad_words"`, `re "…"`.
  struct Call: Hashable {
    var function: String
    var argument: String
    var line: Int
  }

  /// What a `when` returns as features, as far as it can be seen.
  struct Feature: Hashable {
    var name: String
    var kind: FeatureKind?
    var line: Int
  }

  /// A `when` and what was seen of it.
  struct When {
    var line: Int
    var features: [Feature] = []
    /// Whether some way through it can return a hit.
    var canHit = false
  }

  /// The table of a rule, as far as it was written out.
  struct RuleTable {
    var name: String?
    var line: Int
    /// Keys that hold an empty table.
    var emptyKeys: [String] = []
    var whenLine: Int?
  }

  var path = ""
  var uses: [Use] = []
  var calls: [Call] = []
  var whens: [When] = []
  var rules: [RuleTable] = []
  /// Every text that stands in the file.
  var texts: Set<String> = []
  /// Every local variable of the file.
  var locals: Set<String> = []

  init(_ file: CompiledFunction) {
    path = file.source.hasPrefix("@") ? String(file.source.dropFirst()) : file.source
    var reader = FunctionReader(file, outer: [.environment], isWhen: false)
    reader.read(into: &self)
  }
}
