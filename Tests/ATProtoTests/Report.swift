import ATProto

/// What became of a frame, on one line: `outcome`, then `reason`, `+defect`, `op N reason`, `record N reason` where there are any.
func report(_ frame: [UInt8], _ options: DecodeOptions = DecodeOptions()) -> String {
  decode(frame, options) { _, decoded, _ in report(decoded) }
}

func report(_ decoded: DecodedFrame) -> String {
  var parts = [decoded.outcome.rawValue]
  if let reason = decoded.reason { parts.append(reason.rawValue) }
  if let skipped = decoded.skipped, decoded.outcome == .skip { parts.append(skipped.rawValue) }
  for (bit, name) in Defects.names.enumerated() where decoded.defects.contains(Defects(rawValue: 1 << UInt16(bit))) {
    parts.append("+" + name)
  }
  for (index, operation) in decoded.operations.enumerated() {
    if let reason = operation.dropped { parts.append("op \(index) \(reason.rawValue)") }
    if let reason = operation.recordError { parts.append("record \(index) \(reason.rawValue)") }
  }
  return parts.joined(separator: " ")
}
