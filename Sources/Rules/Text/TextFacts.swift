import ATProto
import Glibc

/// The parts of an event's text that rules ask for: made once per event, when first asked for.
final class TextFacts {
  private let library: TextLibrary
  private var hasClean = false
  private var hasTokens = false
  private var hasEmoji = false
  private let cleanText = ByteWriter(capacity: 1024)
  private(set) var tokens: [Slice] = []
  private(set) var emoji: [Slice] = []

  init(_ library: TextLibrary) { self.library = library }

  func begin() {
    hasClean = false
    hasTokens = false
    hasEmoji = false
  }

  /// `text.clean` of the event's text.
  func clean(_ text: Bytes) -> Bytes {
    if !hasClean {
      hasClean = true
      cleanText.removeAll()
      cleanText.append(library.clean(text))
    }
    return cleanText.bytes
  }

  /// The words of the clean text, as slices of it.
  func findTokens(_ text: Bytes) {
    guard !hasTokens else { return }
    hasTokens = true
    tokens.removeAll(keepingCapacity: true)
    TextLibrary.words(of: clean(text)) { if tokens.count < RuleLimits.tableEntriesMax { tokens.append($0) } }
  }

  /// The emoji of the text, as slices of it.
  func findEmoji(_ text: Bytes) {
    guard !hasEmoji else { return }
    hasEmoji = true
    emoji.removeAll(keepingCapacity: true)
    TextLibrary.emoji(of: text) { if emoji.count < RuleLimits.tableEntriesMax { emoji.append($0) } }
  }

  func token(_ index: Int) -> Bytes { cleanText[tokens[index]] }
}

/// Hosts that stand in running text without a scheme: `example.com/path`.
enum BareHosts {
  /// Calls `body` with each name of letters, digits, hyphens and dots. Names behind `@` or `/`, or with a letter of another
  /// alphabet beside them, belong to an account, a mail address or a longer address.
  static func find(in text: Bytes, _ body: (Bytes) -> Void) {
    let text = text.prefixUTF8(RuleLimits.textBytesMax)
    var at = 0
    var left = RuleLimits.bareHostsMax
    // A name has a dot, most words have none: from dot to dot.
    while left > 0, at < text.count, let dot = memchr(text.base + at, 0x2e, text.count - at) {
      var start = UnsafeRawPointer(dot) - UnsafeRawPointer(text.base)
      var end = start + 1
      while start > at, isNameByte(text[start - 1]) { start -= 1 }
      while end < text.count, isNameByte(text[end]) { end += 1 }
      let next = end
      let isPart = start > 0 && (text[start - 1] == 0x40 || text[start - 1] == 0x2f)
      let isMail = end < text.count && text[end] == 0x40
      while end > start, !isLabelEdge(text[end - 1]) { end -= 1 }
      while start < end, !isLabelEdge(text[start]) { start += 1 }
      let name = text[Slice(offset: start, count: end - start)]
      if !isPart, !isMail, isName(name), TextLibrary.isBoundary(text, start), TextLibrary.isBoundary(text, end) {
        left -= 1
        body(name)
      }
      at = next
    }
  }

  /// At least two labels, none empty, and a last one that begins with a letter.
  private static func isName(_ name: Bytes) -> Bool {
    guard name.count >= 4, name.count <= 253 else { return false }
    var labelStart = 0
    for index in 0..<name.count where name[index] == 0x2e {
      if index == labelStart { return false }
      labelStart = index + 1
    }
    return labelStart > 0 && name.count - labelStart >= 2 && name[labelStart] | 0x20 >= 0x61
  }

  private static func isNameByte(_ byte: UInt8) -> Bool { isLabelEdge(byte) || byte == 0x2d || byte == 0x2e }

  private static func isLabelEdge(_ byte: UInt8) -> Bool {
    (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a) || (byte >= 0x30 && byte <= 0x39)
  }
}
