import ATProto

/// Writes the message of the dead-letter topic: one for each frame that was not fully used (CONTRACT.md, "Dead-letter topic").
struct DeadLetterWriter {
  /// Bytes of the frame that a letter carries at most.
  static let frameBytesMax = 512 << 10
  /// Room for everything in a letter but the frame.
  private static let overheadMax = 8 << 10

  let source: String
  private let frameBytesKept: Int

  init(source: String, messageBytesMax: Int) {
    self.source = source
    frameBytesKept = min(Self.frameBytesMax, max(0, messageBytesMax - Self.overheadMax) / 4 * 3)
  }

  /// Appends the letter of a slot whose frame was rejected or partly used.
  func write(_ slot: FrameSlot, host: String, to out: ByteWriter) {
    let decoded = slot.decoded
    out.append("{\"reason\":\"")
    appendReasons(decoded, to: out)
    out.append("\",\"message\":")
    withBytes(Array(message(decoded).utf8)) { _ = out.append(jsonString: $0) }
    out.append(",\"source\":")
    withBytes(Array(source.utf8)) { _ = out.append(jsonString: $0) }
    out.append(",\"host\":")
    withBytes(Array(host.utf8)) { _ = out.append(jsonString: $0) }
    out.append(",\"seq\":")
    if decoded.sequence > 0 { out.append(decimal: decoded.sequence) } else { out.append("null") }
    out.append(",\"did\":")
    if decoded.did.isEmpty { out.append("null") } else { out.append(jsonString: slot.bytes[decoded.did]) }
    out.append(",\"received_at\":\"")
    Timestamp.append(micros: slot.receivedAtMicros, digits: 6, suffix: "Z", to: out)
    out.append("\",\"frame_bytes\":")
    out.append(decimal: Int64(slot.announcedBytes))
    out.append(",\"frame_base64\":\"")
    let kept = slot.bytes[Slice(offset: 0, count: min(slot.offeredBytes, frameBytesKept))]
    appendBase64(kept, padded: true, to: out)
    out.append("\"}")
  }

  private func reasons(_ decoded: DecodedFrame) -> [Reason] {
    if let reason = decoded.reason, reason != .noOperationLeft { return [reason] }
    var reasons: [Reason] = decoded.reason.map { [$0] } ?? []
    for operation in decoded.operations {
      for reason in [operation.dropped, operation.recordError] {
        if let reason, reason != .unknownAction, !reasons.contains(reason) { reasons.append(reason) }
      }
    }
    return reasons
  }

  private func appendReasons(_ decoded: DecodedFrame, to out: ByteWriter) {
    for (index, reason) in reasons(decoded).enumerated() {
      if index > 0 { out.append(0x2c) }
      out.append(reason.rawValue)
    }
  }

  private func message(_ decoded: DecodedFrame) -> String {
    let text = reasons(decoded).map(\.message).joined(separator: "; ")
    return decoded.outcome == .reject && decoded.reason != .noOperationLeft
      ? "\(text) (at byte \(decoded.offset))" : text
  }
}
