import ATProto

/// Writes events as Jetstream v1's `/subscribe` sends them (protocol facts §4.2), one line each.
package struct JetstreamWriter {
  private let escaping: JSONEscaping

  package init(escaping: JSONEscaping) { self.escaping = escaping }

  /// Appends one event; false where Jetstream has none (`#info`, `#sync`).
  package func write(
    _ frame: Bytes, _ decoded: DecodedFrame, operation index: Int, json: ByteWriter, timeMicros: Int64,
    to out: ByteWriter
  ) -> Bool {
    guard decoded.type == .commit || decoded.type == .identity || decoded.type == .account else { return false }
    out.append("{\"did\":\"")
    out.append(frame[decoded.did])
    out.append("\",\"time_us\":")
    out.append(decimal: timeMicros)
    switch decoded.type {
    case .commit:
      let operation = decoded.operations[index]
      out.append(",\"kind\":\"commit\",\"commit\":{\"rev\":\"")
      out.append(frame[decoded.rev])
      out.append("\",\"operation\":\"")
      out.append(operation.kind.text)
      out.append("\",\"collection\":\"")
      out.append(frame[operation.collection])
      out.append("\",\"rkey\":\"")
      out.append(frame[operation.rkey])
      if operation.kind != .delete {
        out.append("\",\"record\":")
        if operation.json.isEmpty { out.append("null") } else { out.append(json[operation.json]) }
        out.append(",\"cid\":\"")
        CID.appendText(frame[operation.cid], to: out)
      }
      out.append("\"}}")
    case .identity:
      out.append(",\"kind\":\"identity\",\"identity\":{\"did\":\"")
      out.append(frame[decoded.did])
      out.append(0x22)
      optional(",\"handle\":", frame[decoded.handle], out)
      tail(frame, decoded, status: .none, out)
    default:
      out.append(",\"kind\":\"account\",\"account\":{\"active\":")
      out.append(decoded.isActive ? "true" : "false")
      out.append(",\"did\":\"")
      out.append(frame[decoded.did])
      out.append(0x22)
      tail(frame, decoded, status: decoded.status, out)
    }
    return true
  }

  private func tail(_ frame: Bytes, _ decoded: DecodedFrame, status: Slice, _ out: ByteWriter) {
    out.append(",\"seq\":")
    out.append(decimal: decoded.sequence)
    optional(",\"status\":", frame[status], out)
    out.append(",\"time\":")
    out.append(jsonString: frame[decoded.time], escaping: escaping)
    out.append("}}")
  }

  private func optional(_ name: StaticString, _ value: Bytes, _ out: ByteWriter) {
    guard !value.isEmpty else { return }
    out.append(name)
    out.append(jsonString: value, escaping: escaping)
  }
}
