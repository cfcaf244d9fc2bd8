import ATProto

/// The two shapes of a message on the actions topic.
package enum ActionShape: Sendable {
  /// Osprey's envelope around the event (`--osprey-compatible true`).
  case osprey
  /// The event alone.
  case standard
}

/// Where the parts of one written action stand in the output buffer.
package struct WrittenAction {
  package var message = Slice.none
  /// Operations only.
  package var uri = Slice.none
  /// Text of the record's CID; empty on delete.
  package var cid = Slice.none

  package init() {}
}

/// Writes events as messages for the actions topic: compact JSON in at-kafka's member order (CONTRACT.md, "Actions topic").
package struct ActionWriter: Sendable {
  package var shape: ActionShape
  package var escaping: JSONEscaping
  /// Adds `seq` and `rev` after `path`.
  package var withPosition: Bool

  package init(shape: ActionShape, escaping: JSONEscaping = .plain, withPosition: Bool = false) {
    self.shape = shape
    self.escaping = escaping
    self.withPosition = withPosition
  }

  /// The action name of operation `index` of a frame, or of the frame itself where it is no commit.
  package static func name(_ decoded: DecodedFrame, _ index: Int) -> ActionName {
    switch decoded.type {
    case .commit:
      switch decoded.operations[index].kind {
      case .update: .operationUpdate
      case .delete: .operationDelete
      case .create, .unknown: .operationCreate
      }
    case .account: .account
    case .identity: .identity
    case .sync: .sync
    case .info, .error, .other: .info
    }
  }

  /// Appends one message.
  ///
  /// - Parameters:
  ///   - json: the decoder's record JSON, which the operation's `json` is a slice of.
  ///   - id: the action id.
  ///   - receivedAtMicros: when the frame arrived, microseconds since 1970.
  package func write(
    _ frame: Bytes, _ decoded: DecodedFrame, operation index: Int, json: ByteWriter, id: Int64, receivedAtMicros: Int64,
    to out: ByteWriter
  ) -> WrittenAction {
    let start = out.count
    var written = WrittenAction()
    let isInfo = decoded.type == .info
    if shape == .osprey {
      out.append("{\"data\":{\"action_name\":\"")
      out.append(Self.name(decoded, index).text)
      out.append("\",\"action_id\":")
      out.append(decimal: id)
      out.append(",\"data\":")
    }
    out.append("{\"did\":\"")
    out.append(frame[decoded.did])
    out.append("\",\"timestamp\":")
    out.append(jsonString: isInfo ? .empty : frame[decoded.time], escaping: escaping)
    out.append(",\"eventMetadata\":null,")
    switch decoded.type {
    case .commit: operation(frame, decoded, decoded.operations[index], json, out, &written)
    case .account: account(frame, decoded, out)
    case .identity: identity(frame, decoded, out)
    case .sync: sync(frame, decoded, out)
    case .info, .error, .other: info(frame, decoded, out)
    }
    out.append(0x7d)
    if shape == .osprey {
      out.append(",\"timestamp\":")
      if isInfo {
        out.append(0x22)
        Timestamp.append(micros: receivedAtMicros, digits: 6, suffix: "Z", to: out)
        out.append(0x22)
      } else {
        out.append(jsonString: frame[decoded.time], escaping: escaping)
      }
      out.append(",\"secret_data\":{},\"encoding\":\"UTF8\"},\"send_time\":\"")
      Timestamp.append(micros: receivedAtMicros, digits: 6, suffix: "Z", to: out)
      out.append("\"}")
    }
    written.message = Slice(offset: start, count: out.count - start)
    return written
  }

  /// DID, collection, record key and path were checked when the operation was decoded: none of them needs escaping.
  private func operation(
    _ frame: Bytes, _ decoded: DecodedFrame, _ operation: Operation, _ json: ByteWriter, _ out: ByteWriter,
    _ written: inout WrittenAction
  ) {
    out.append("\"operation\":{\"action\":\"")
    out.append(operation.kind.text)
    out.append("\",\"collection\":\"")
    out.append(frame[operation.collection])
    out.append("\",\"rkey\":\"")
    out.append(frame[operation.rkey])
    out.append("\",\"uri\":\"")
    let uri = out.count
    out.append("at://")
    out.append(frame[decoded.did])
    out.append(0x2f)
    out.append(frame[operation.path])
    written.uri = Slice(offset: uri, count: out.count - uri)
    out.append("\",\"cid\":\"")
    let cid = out.count
    if !operation.cid.isEmpty { CID.appendText(frame[operation.cid], to: out) }
    written.cid = Slice(offset: cid, count: out.count - cid)
    out.append("\",\"path\":\"")
    out.append(frame[operation.path])
    out.append(0x22)
    if withPosition {
      position(decoded, out)
      out.append(",\"rev\":\"")
      out.append(frame[decoded.rev])
      out.append(0x22)
    }
    out.append(",\"record\":")
    if operation.json.isEmpty || operation.recordError != nil {
      out.append("null")
      if let reason = operation.recordError {
        out.append(",\"record_error\":\"")
        out.append(reason.rawValue)
        out.append(0x22)
      }
    } else {
      out.append(json[operation.json])
    }
    out.append(0x7d)
  }

  private func position(_ decoded: DecodedFrame, _ out: ByteWriter) {
    out.append(",\"seq\":")
    out.append(decimal: decoded.sequence)
  }

  private func account(_ frame: Bytes, _ decoded: DecodedFrame, _ out: ByteWriter) {
    out.append(decoded.isActive ? "\"account\":{\"active\":true,\"seq\":" : "\"account\":{\"active\":false,\"seq\":")
    out.append(decimal: decoded.sequence)
    if !decoded.status.isEmpty {
      out.append(",\"status\":")
      out.append(jsonString: frame[decoded.status], escaping: escaping)
    }
    out.append(0x7d)
  }

  private func identity(_ frame: Bytes, _ decoded: DecodedFrame, _ out: ByteWriter) {
    out.append("\"identity\":{\"seq\":")
    out.append(decimal: decoded.sequence)
    out.append(",\"handle\":")
    out.append(jsonString: frame[decoded.handle], escaping: escaping)
    out.append(0x7d)
  }

  private func sync(_ frame: Bytes, _ decoded: DecodedFrame, _ out: ByteWriter) {
    out.append("\"sync\":{\"seq\":")
    out.append(decimal: decoded.sequence)
    out.append(",\"rev\":\"")
    out.append(frame[decoded.rev])
    out.append("\"}")
  }

  private func info(_ frame: Bytes, _ decoded: DecodedFrame, _ out: ByteWriter) {
    out.append("\"info\":{\"name\":")
    out.append(jsonString: frame[decoded.name], escaping: escaping)
    if decoded.hasMessage && !decoded.message.isEmpty {
      out.append(",\"message\":")
      out.append(jsonString: frame[decoded.message], escaping: escaping)
    }
    out.append(0x7d)
  }
}
