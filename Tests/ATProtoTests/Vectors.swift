import ATProto
import Foundation

/// The test vectors beside the project (`../shared/data`), which are not part of it.
enum Vectors {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared/data")

  static var arePresent: Bool { FileManager.default.fileExists(atPath: folder.path) }

  static let reason = "the folder ../shared/data with the test vectors is not here"

  static func data(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: folder.appendingPathComponent(path)))
  }

  static func lines(_ path: String) throws -> [String] {
    String(decoding: try data(path), as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: true).map(
      String.init)
  }

  static func objects(_ path: String) throws -> [[String: Any]] {
    try lines(path).map { try object($0) }
  }

  static func object(_ line: String) throws -> [String: Any] {
    guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
      throw CocoaError(.coderReadCorrupt)
    }
    return object
  }

  /// The frames of a `.bin` or `.frames` file.
  static func frames(_ path: String) throws -> [[UInt8]] {
    let bytes = try data(path)
    var frames: [[UInt8]] = []
    var at = 0
    while at + 4 <= bytes.count {
      let count = (0..<4).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
      frames.append(Array(bytes[at + 4..<at + 4 + count]))
      at += 4 + count
    }
    return frames
  }

  static func hex(_ text: String) -> [UInt8] {
    let digits = Array(text.utf8)
    return stride(from: 0, to: digits.count, by: 2).map {
      UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16) ?? 0
    }
  }
}

/// Decodes one frame and hands out what came of it.
func decode<Result>(
  _ frame: [UInt8], _ options: DecodeOptions = DecodeOptions(),
  _ body: (Bytes, DecodedFrame, FrameDecoder) throws -> Result
) rethrows -> Result {
  let decoder = FrameDecoder(options: options)
  var decoded = DecodedFrame()
  return try withBytes(frame) { bytes in
    decoder.decode(bytes, into: &decoded)
    return try body(bytes, decoded, decoder)
  }
}
