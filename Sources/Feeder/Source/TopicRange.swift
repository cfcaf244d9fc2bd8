import ATProto

/// Which part of a topic to read: `TOPIC`, `TOPIC@100..200` (offsets of every partition) or `TOPIC@2026-11-20T00:00..` (times,
/// UTC unless they say otherwise). The first is included, the second is not; either may be left out.
package struct TopicRange: Sendable, Equatable {
  package enum Bound: Sendable, Equatable {
    case offset(Int64)
    /// Milliseconds since 1970.
    case time(Int64)
  }

  package var topic: String
  package var from: Bound?
  package var to: Bound?

  /// nil where the text is none of the three forms.
  package init?(_ text: String) {
    let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    topic = String(parts[0])
    guard !topic.isEmpty else { return nil }
    guard parts.count == 2 else { return }
    guard let dots = parts[1].range(of: "..") else { return nil }
    let (first, second) = (parts[1][..<dots.lowerBound], parts[1][dots.upperBound...])
    if !first.isEmpty {
      guard let bound = Self.bound(String(first)) else { return nil }
      from = bound
    }
    if !second.isEmpty {
      guard let bound = Self.bound(String(second)) else { return nil }
      to = bound
    }
  }

  private static func bound(_ text: String) -> Bound? {
    if let offset = Int64(text) { return offset >= 0 ? .offset(offset) : nil }
    // A day, or a time without seconds or zone, is filled up.
    for completed in [text, text + "Z", text + ":00Z", text + "T00:00:00Z"] {
      if let ms = withBytes(Array(completed.utf8), { Timestamp.milliseconds($0) }) { return .time(ms) }
    }
    return nil
  }
}

extension Substring {
  /// Where `text` stands for the first time.
  fileprivate func range(of text: String) -> Range<Index>? {
    var at = startIndex
    while at < endIndex {
      if self[at...].hasPrefix(text) { return at..<index(at, offsetBy: text.count) }
      at = index(after: at)
    }
    return nil
  }
}
