/// What a decoder should say about a malformed frame, in CONTRACT.md's words.
package struct MalformedExpectation: Sendable, Equatable {
  /// How the frame was damaged.
  package var kind: String
  /// `reject`, `partial`, `accept` or `skip`, as `decode --report` prints it under `--verify mst`.
  package var outcome: String
  /// The reason, the defect, or nil where the damage is no fault there.
  package var reason: String?
}
