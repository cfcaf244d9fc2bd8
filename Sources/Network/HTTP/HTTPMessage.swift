/// A request as the routes see it.
package struct HTTPRequest: Sendable, Equatable {
  /// `GET`, and whatever else was sent.
  package var method: String
  /// The path with its percent escapes resolved, without the query.
  package var path: String
  /// What stood behind `?`, as sent; nil without one.
  package var query: String?

  /// The first value of a query parameter, percent escapes resolved; nil where it is absent.
  package func parameter(_ name: String) -> String? {
    for pair in (query ?? "").split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts[0] == name { return parts.count > 1 ? Self.unescape(parts[1]) : "" }
    }
    return nil
  }

  /// Percent escapes resolved (RFC 3986 section 2.1); nil if one is broken.
  static func unescape(_ text: Substring) -> String? {
    guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
        return nil
      }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// An answer, whole.
package struct HTTPResponse: Sendable, Equatable {
  package var status: Int
  package var contentType: String
  package var body: [UInt8]

  /// An answer of these parts.
  package init(status: Int, contentType: String, body: [UInt8]) {
    self.status = status
    self.contentType = contentType
    self.body = body
  }

  /// Plain text, with a line end added.
  package static func text(_ status: Int, _ text: String) -> HTTPResponse {
    HTTPResponse(status: status, contentType: "text/plain; charset=utf-8", body: Array((text + "\n").utf8))
  }

  /// JSON as given.
  package static func json(_ status: Int, _ body: [UInt8]) -> HTTPResponse {
    HTTPResponse(status: status, contentType: "application/json", body: body)
  }
}

/// What a server does with a request for a WebSocket.
package enum WebSocketAnswer: Sendable {
  /// Opens it; called on the server's loop with the open connection.
  case accept(@Sendable (WebSocketConnection) -> Void)
  /// Answers over HTTP instead.
  case refuse(HTTPResponse)
}
