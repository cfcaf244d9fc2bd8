/// The few frames a relay writes itself: info and errors. DAG-CBOR by hand; keys in its order, by length, then bytes.
package enum RelayMessages {
  /// `#info`, for instance OutdatedCursor. It has no seq (lexicon com.atproto.sync.subscribeRepos).
  package static func info(name: String, message: String) -> [UInt8] {
    map(2) + text("t") + text("#info") + text("op") + [0x01] + body("name", name, message)
  }

  /// An error frame, `op` −1, after which the relay closes (event stream specification, "Framing").
  package static func error(_ error: String, message: String) -> [UInt8] {
    map(1) + text("op") + [0x20] + body("error", error, message)
  }

  private static func body(_ key: String, _ value: String, _ message: String) -> [UInt8] {
    map(2) + text(key) + text(value) + text("message") + text(message)
  }

  private static func map(_ count: UInt8) -> [UInt8] { [0xA0 | count] }

  /// Major type 3 with the shortest head (RFC 8949 section 3); our texts stay below 256 bytes.
  private static func text(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8.prefix(255))
    return (bytes.count < 24 ? [0x60 | UInt8(bytes.count)] : [0x78, UInt8(bytes.count)]) + bytes
  }
}
