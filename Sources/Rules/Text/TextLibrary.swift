import ATProto
import CText

/// What makes texts comparable (CText): tables and buffers, owned here; one thread. Rules reach it through the host, facts about
/// an event through this class.
final class TextLibrary {
  let pointer: OpaquePointer

  /// nil where ICU's data is missing.
  init?() {
    guard let pointer = ct_text_create() else { return nil }
    self.pointer = pointer
  }

  deinit { ct_text_destroy(pointer) }

  /// The folded text, valid until the next call.
  func fold(_ text: Bytes) -> Bytes { Bytes(ct_fold(pointer, ct_slice(text))) }

  /// The clean text, valid until the next call.
  func clean(_ text: Bytes) -> Bytes { Bytes(ct_clean(pointer, ct_slice(text))) }

  /// Calls `body` with the place of each word of a clean text.
  static func words(of text: Bytes, _ body: (Slice) -> Void) { each(ct_next_word, of: text, body) }

  /// Calls `body` with the place of each emoji of a text.
  static func emoji(of text: Bytes, _ body: (Slice) -> Void) { each(ct_next_emoji, of: text, body) }

  private static func each(
    _ next: (ct_slice, UnsafeMutablePointer<Int>?, UnsafeMutablePointer<ct_slice>?) -> Int32, of text: Bytes,
    _ body: (Slice) -> Void
  ) {
    let cut = text.prefixUTF8(RuleLimits.textBytesMax)
    var at = 0
    var item = ct_slice()
    while next(ct_slice(cut), &at, &item) != 0 {
      body(Slice(offset: item.bytes - cut.base, count: item.count))
    }
  }

  /// Whether a word may begin or end at `at`.
  static func isBoundary(_ text: Bytes, _ at: Int) -> Bool { ct_is_boundary(ct_slice(text), at) != 0 }

  /// Whether a name lies below a suffix that the public suffix list has.
  static func isKnownHost(_ host: Bytes) -> Bool { ct_is_known_host(ct_slice(host)) != 0 }

  /// The host of an address, as it stands there.
  static func host(of address: Bytes) -> Bytes { Bytes(ct_host(ct_slice(address))) }
}

extension ct_slice {
  init(_ bytes: Bytes) { self.init(bytes: bytes.base, count: bytes.count) }
}

extension Bytes {
  init(_ slice: ct_slice) {
    if let base = slice.bytes { self.init(base: base, count: slice.count) } else { self = .empty }
  }
}
