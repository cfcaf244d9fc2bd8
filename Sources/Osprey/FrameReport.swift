import ATProto

/// One line of `decode --report`: what became of a frame and why (CONTRACT.md, "decode").
package enum FrameReport {
  /// Appends the object; absent members are left out.
  package static func write(_ frame: Bytes, _ decoded: DecodedFrame, number: Int, to out: ByteWriter) {
    out.append("{\"frame\":")
    out.append(decimal: Int64(number))
    out.append(",\"outcome\":\"")
    out.append(decoded.outcome.rawValue)
    out.append(0x22)
    if !decoded.typeName.isEmpty {
      out.append(",\"type\":")
      out.append(jsonString: frame[decoded.typeName])
    }
    if decoded.sequence > 0 {
      out.append(",\"seq\":")
      out.append(decimal: decoded.sequence)
    }
    if decoded.eventCount > 0 {
      out.append(",\"events\":")
      out.append(decimal: Int64(decoded.eventCount))
    }
    defects(decoded.defects, out)
    reasons(",\"ops_dropped\":[", decoded.operations, \.dropped, out)
    reasons(",\"record_errors\":[", decoded.operations, \.recordError, out)
    if let reason = decoded.reason {
      out.append(",\"reason\":\"")
      out.append(reason.rawValue)
      out.append("\",\"offset\":")
      out.append(decimal: Int64(decoded.offset))
      out.append(",\"message\":\"")
      out.append(reason.message)
      out.append(0x22)
    } else if let skipped = decoded.skipped {
      out.append(",\"reason\":\"")
      out.append(skipped.rawValue)
      out.append(0x22)
    }
    out.append(0x7d)
  }

  private static func defects(_ defects: Defects, _ out: ByteWriter) {
    guard !defects.isEmpty else { return }
    out.append(",\"defects\":[")
    var isFirst = true
    for (bit, name) in Defects.names.enumerated() where defects.rawValue & 1 << UInt16(bit) != 0 {
      if !isFirst { out.append(0x2c) }
      isFirst = false
      out.append(0x22)
      out.append(name)
      out.append(0x22)
    }
    out.append(0x5d)
  }

  private static func reasons(
    _ start: StaticString, _ operations: [Operation], _ field: KeyPath<Operation, Reason?>, _ out: ByteWriter
  ) {
    var isFirst = true
    for (index, operation) in operations.enumerated() {
      guard let reason = operation[keyPath: field] else { continue }
      if isFirst { out.append(start) } else { out.append(0x2c) }
      isFirst = false
      out.append("{\"op\":")
      out.append(decimal: Int64(index))
      out.append(",\"reason\":\"")
      out.append(reason.rawValue)
      out.append("\"}")
    }
    if !isFirst { out.append(0x5d) }
  }
}
