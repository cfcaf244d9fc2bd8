/// Identifiers of the AT Protocol, checked on bytes (atproto.com/specs: did, nsid, record-key, tid).
package enum Syntax {
  @inline(__always)
  private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
  @inline(__always)
  private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

  /// `did:method:id`, at most 2,048 bytes.
  package static func isDID(_ text: Bytes) -> Bool {
    guard text.count >= 7, text.count <= 2048, memcmp(text.base, "did:", 4) == 0 else { return false }
    var at = 4
    while at < text.count, text.base[at] &- 0x61 < 26 { at += 1 }
    guard at > 4, at + 1 < text.count, text.base[at] == 0x3a else { return false }
    at += 1
    while at < text.count {
      let byte = text.base[at]
      guard
        isLetter(byte) || isDigit(byte) || byte == 0x2e || byte == 0x5f || byte == 0x3a || byte == 0x25 || byte == 0x2d
      else { return false }
      at += 1
    }
    let last = text.base[text.count - 1]
    return last != 0x3a && last != 0x25
  }

  /// A namespaced identifier: at least three segments, the last one a name.
  package static func isNSID(_ text: Bytes) -> Bool {
    guard text.count <= 317 else { return false }
    var segments = 0
    var start = 0
    var at = 0
    while at <= text.count {
      if at == text.count || text.base[at] == 0x2e {
        let length = at - start
        guard length > 0, length <= 63, text.base[start] != 0x2d, text.base[at - 1] != 0x2d else { return false }
        if segments == 0 && !isLetter(text.base[start]) { return false }
        segments += 1
        if at == text.count { break }
        start = at + 1
      } else if !(isLetter(text.base[at]) || isDigit(text.base[at]) || text.base[at] == 0x2d) {
        return false
      }
      at += 1
    }
    guard segments >= 3, isLetter(text.base[start]) else { return false }
    while start < text.count {
      if text.base[start] == 0x2d { return false }
      start += 1
    }
    return true
  }

  /// A record key: 1 to 512 of `A-Za-z0-9._:~-`, not `.` or `..`.
  package static func isRecordKey(_ text: Bytes) -> Bool {
    guard text.count > 0, text.count <= 512, !(text == "."), !(text == "..") else { return false }
    for at in 0..<text.count {
      let byte = text.base[at]
      guard
        isLetter(byte) || isDigit(byte) || byte == 0x2e || byte == 0x5f || byte == 0x3a || byte == 0x7e || byte == 0x2d
      else { return false }
    }
    return true
  }

  /// The 64 bits of a timestamp identifier, nil where the text is none: 13 characters of `234567a-z`, top bit clear.
  @inline(__always)
  package static func tid(_ text: Bytes) -> UInt64? {
    guard text.count == 13, text.base[0] < 0x6b else { return nil }
    var value: UInt64 = 0
    for at in 0..<13 {
      let byte = text.base[at]
      let digit: UInt8
      if byte &- 0x61 < 26 {
        digit = byte - 0x61 + 6
      } else if byte &- 0x32 < 6 {
        digit = byte - 0x32
      } else {
        return nil
      }
      value = value << 5 | UInt64(digit)
    }
    return value
  }

  /// Milliseconds since 1970 of a timestamp identifier (its upper 54 bits are microseconds).
  @inline(__always)
  package static func tidMilliseconds(_ tid: UInt64) -> Int64 { Int64(tid >> 10) / 1000 }

  /// Splits `collection/rkey`; nil where the path is anything else.
  package static func splitPath(_ bytes: Bytes, _ path: Slice) -> (collection: Slice, rkey: Slice)? {
    let text = bytes[path]
    guard let found = memchr(text.base, 0x2f, text.count) else { return nil }
    let slash = UnsafeRawPointer(text.base).distance(to: UnsafeRawPointer(found))
    let collection = Slice(offset: path.offset, count: slash)
    let rkey = Slice(offset: path.offset + slash + 1, count: path.count - slash - 1)
    return isNSID(bytes[collection]) && isRecordKey(bytes[rkey]) ? (collection, rkey) : nil
  }
}

#if canImport(Glibc)
  import Glibc
#endif
