/// What a relay client tells its owner. All of it is called on the client's one thread, in the order of the stream, and
/// must not block; none of it is called after `stop` has returned.
package struct RelayEvents: Sendable {
  /// One whole binary message and when its bytes were read (microseconds since 1970). The bytes are valid during the
  /// call only. `false` means there is no room: the frame counts as not delivered, nothing more is read, and the same
  /// frame is offered again after `resume` (and possibly once before, to close the race with a `resume` already under way).
  package var onFrame: @Sendable (UnsafeRawBufferPointer, Int64) -> Bool
  /// A message over the limit was passed over unread; its announced bytes and the time. `false` as in `onFrame`.
  package var onOversized: @Sendable (Int, Int64) -> Bool
  /// A text message, which the protocol does not have. `false` as in `onFrame`.
  package var onText: @Sendable (UnsafeRawBufferPointer, Int64) -> Bool
  /// Some messages were told and for the moment nothing more comes: time to work on them. So a whole handful of messages
  /// wakes the owner's threads once.
  package var onGathered: @Sendable () -> Void
  /// Connections come and go; `connected` precedes the connection's first frame, `disconnected` follows its last.
  package var onState: @Sendable (RelayState) -> Void
  /// The cursor to ask for from the relay of this name (`RelayAddress.name`), or nil for live. Asked at each request,
  /// after a redirect again with the new name, because a cursor belongs to the host that gave it.
  package var cursor: @Sendable (String) -> Int64?

  /// All six; see the members.
  package init(
    onFrame: @escaping @Sendable (UnsafeRawBufferPointer, Int64) -> Bool,
    onOversized: @escaping @Sendable (Int, Int64) -> Bool,
    onText: @escaping @Sendable (UnsafeRawBufferPointer, Int64) -> Bool,
    onGathered: @escaping @Sendable () -> Void = {},
    onState: @escaping @Sendable (RelayState) -> Void,
    cursor: @escaping @Sendable (String) -> Int64?
  ) {
    self.onFrame = onFrame
    self.onOversized = onOversized
    self.onText = onText
    self.onGathered = onGathered
    self.onState = onState
    self.cursor = cursor
  }
}

/// Where a relay client stands.
package enum RelayState: Sendable, Equatable {
  /// An attempt begins; the name of the configured host.
  case connecting(host: String)
  /// The stream is open. `host` is the configured name, `effectiveHost` the one that answered: another after a redirect.
  case connected(host: String, effectiveHost: String)
  /// The attempt failed or the stream ended. `retryIn`: until the next attempt; nil when the client was stopped.
  case disconnected(host: String, reason: RelayDisconnect, retryIn: Duration?)
}

/// Why a stream could not be opened or ended.
package enum RelayDisconnect: Sendable, Equatable, CustomStringConvertible {
  /// No connection: name not found, refused, timed out.
  case unreachable(String)
  /// TLS failed: certificate, name, version.
  case tls(String)
  /// An HTTP answer other than an upgrade or a redirect: its status, the first bytes of its body, and how long it asks us to wait.
  case refused(status: Int, body: String, retryAfter: Duration?)
  /// The answer was not HTTP, came too late, or was not a WebSocket upgrade.
  case badHandshake(String)
  /// A redirect that leads nowhere we go; the location.
  case badRedirect(String)
  /// More than five redirects in a row.
  case tooManyRedirects
  /// The relay broke the WebSocket protocol.
  case protocolError(WebSocketError)
  /// No byte for too long, although we were reading.
  case silent(Duration)
  /// The relay closed the stream, as the WebSocket protocol provides.
  case closed(code: UInt16, reason: String)
  /// The connection broke.
  case lost(String)
  /// We stopped.
  case stopped

  package var description: String {
    switch self {
    case .unreachable(let cause): "unreachable: \(cause)"
    case .tls(let cause): "TLS: \(cause)"
    case .refused(let status, let body, _): "HTTP \(status)" + (body.isEmpty ? "" : ": \(body)")
    case .badHandshake(let cause): "bad handshake: \(cause)"
    case .badRedirect(let location): "redirect refused: \(location)"
    case .tooManyRedirects: "too many redirects"
    case .protocolError(let error): "protocol error: \(error)"
    case .silent(let duration): "silent for \(duration)"
    case .closed(let code, let reason): "closed by the relay: \(code)" + (reason.isEmpty ? "" : " \(reason)")
    case .lost(let cause): "connection lost: \(cause)"
    case .stopped: "stopped"
    }
  }
}
