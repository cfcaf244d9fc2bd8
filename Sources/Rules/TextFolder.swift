import ATProto
import CText

/// Folds texts so that what looks alike compares alike (CText). Owns ICU's tables and a buffer; one thread.
final class TextFolder {
  private let folder: OpaquePointer
  private var buffers: [UnsafeMutablePointer<UInt8>]
  private static let capacity = RuleLimits.foldBytesMax * 2 + Int(CT_FOLD_SLACK)

  /// nil where ICU's data is missing.
  init?() {
    guard let folder = ct_folder_create() else { return nil }
    self.folder = folder
    buffers = (0..<2).map { _ in .allocate(capacity: Self.capacity) }
  }

  deinit {
    ct_folder_destroy(folder)
    for buffer in buffers { buffer.deallocate() }
  }

  /// The folded text, valid until the next call for the same `buffer` (0 or 1).
  func fold(_ text: Bytes, buffer: Int = 0) -> Bytes {
    let cut = text.prefixUTF8(RuleLimits.foldBytesMax)
    let count = ct_fold(folder, cut.base, cut.count, buffers[buffer], Self.capacity)
    return Bytes(base: UnsafePointer(buffers[buffer]), count: count)
  }

  /// Whether `word` stands in `text` as a word of its own, both folded.
  func contains(_ text: Bytes, _ word: Bytes) -> Bool {
    let word = fold(word, buffer: 1)
    let text = fold(text)
    guard !word.isEmpty else { return false }
    var from = 0
    while from + word.count <= text.count {
      let found = ct_find(text.base + from, text.count - from, word.base, word.count)
      guard found >= 0 else { return false }
      let at = from + found
      if ct_is_word(text.base, text.count, at, 1) == 0, ct_is_word(text.base, text.count, at + word.count, 0) == 0 {
        return true
      }
      from = at + 1
    }
    return false
  }
}
