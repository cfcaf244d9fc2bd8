/// What is wrong with a rule file, for the person who wrote it.
package struct RuleError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Path of the file, relative to the rule directory.
  package var file: String
  /// Line, from 1.
  package var line: Int
  package var what: String
  /// What to do about it; empty where `what` says it already.
  package var attempt: String

  package init(_ file: String, _ line: Int, _ what: String, try attempt: String = "") {
    self.file = file
    self.line = max(1, line)
    self.what = what
    self.attempt = attempt
  }

  /// What the host said: `what; try: attempt`, or only what.
  init(_ file: String, _ line: Int, try message: Substring) {
    let parts = message.firstRange(of: "; try: ")
    self.init(
      file, line, String(message[..<(parts?.lowerBound ?? message.endIndex)]),
      try: parts.map { String(message[$0.upperBound...]) } ?? "")
  }

  /// `file:line: what` and, on a second line, `  try: …`.
  package var description: String {
    attempt.isEmpty ? "\(file):\(line): \(what)" : "\(file):\(line): \(what)\n  try: \(attempt)"
  }
}

/// Everything that is wrong with a rule set; it has not replaced the one that was there before.
package struct RuleErrors: Error, Sendable, CustomStringConvertible {
  package var errors: [RuleError]
  package var description: String { errors.map(\.description).joined(separator: "\n") }
}
