/// Where a relay is: a URL taken apart, checked, and put together again as a request.
package struct RelayAddress: Sendable, Equatable {
  /// The stream of a relay (reference: AT Protocol event stream specification).
  package static let streamPath = "/xrpc/com.atproto.sync.subscribeRepos"

  /// TLS, as `wss` and `https` ask for.
  package let isSecure: Bool
  /// Host name or IP address, lower case, without brackets.
  package let host: String
  package let port: Int
  /// The path asked for, beginning with a slash.
  package let path: String
  /// What stood behind `?`, without any cursor.
  package let query: String

  /// The name a cursor is kept under: the host, with its port where that is not the scheme's own.
  package var name: String { port == (isSecure ? 443 : 80) ? bracketed : "\(bracketed):\(port)" }

  private var bracketed: String { host.contains(":") ? "[\(host)]" : host }

  /// The address as a URL, without cursor.
  package var url: String {
    "\(isSecure ? "wss" : "ws")://\(name)\(path)\(query.isEmpty ? "" : "?" + query)"
  }

  /// The request target with the cursor, if there is one.
  func target(cursor: Int64?) -> String {
    let parts = [query, cursor.map { "cursor=\($0)" } ?? ""].filter { !$0.isEmpty }
    return parts.isEmpty ? path : path + "?" + parts.joined(separator: "&")
  }

  /// Reads `wss://HOST[:PORT][/PATH]`, also `ws`, `https`, `http` and a bare host, which means `wss`. Without a path of
  /// its own the stream's path is meant. nil if it is none of these.
  package init?(_ text: String) {
    self.init(text, defaultPath: Self.streamPath)
  }

  private init?(_ text: String, defaultPath: String) {
    // A request line is ASCII without spaces; anything else could smuggle a header (RFC 9112 section 3).
    guard !text.isEmpty, text.utf8.count <= 4096, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
    var rest = Substring(text)
    var secure = true
    if let mark = text.firstRange(of: "://") {
      switch text[..<mark.lowerBound].lowercased() {
      case "wss", "https": secure = true
      case "ws", "http": secure = false
      default: return nil
      }
      rest = text[mark.upperBound...]
    }
    if let fragment = rest.firstIndex(of: "#") { rest = rest[..<fragment] }
    let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
    guard let (host, port) = Self.authority(rest[..<end]) else { return nil }
    isSecure = secure
    self.host = host
    self.port = port ?? (secure ? 443 : 80)
    let tail = rest[end...]
    let queryMark = tail.firstIndex(of: "?") ?? tail.endIndex
    let path = String(tail[..<queryMark])
    self.path = path.isEmpty || path == "/" ? defaultPath : path
    query = tail[queryMark...].dropFirst().split(separator: "&")
      .filter { $0 != "cursor" && !$0.hasPrefix("cursor=") }.joined(separator: "&")
  }

  /// Where a redirect leads (RFC 9110 section 10.2.2): a URL, `//host/path`, or an absolute path. nil if it is none, or
  /// if it would leave TLS.
  func redirected(to location: String) -> RelayAddress? {
    let scheme = isSecure ? "wss" : "ws"
    let text =
      if location.hasPrefix("//") {
        "\(scheme):\(location)"
      } else if location.hasPrefix("/") {
        "\(scheme)://\(name)\(location)"
      } else {
        location.contains("://") ? location : ""
      }
    guard let address = RelayAddress(text, defaultPath: "/"), address.isSecure || !isSecure else { return nil }
    return address
  }

  private static func authority(_ text: Substring) -> (String, Int?)? {
    var host = text
    var port: Int?
    if text.hasPrefix("[") {
      guard let close = text.firstIndex(of: "]") else { return nil }
      host = text[text.index(after: text.startIndex)..<close]
      let after = text[text.index(after: close)...]
      guard after.isEmpty || after.hasPrefix(":") else { return nil }
      if after.hasPrefix(":") {
        guard let number = portNumber(after.dropFirst()) else { return nil }
        port = number
      }
      guard host.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else { return nil }
    } else {
      if let colon = text.firstIndex(of: ":") {
        guard let number = portNumber(text[text.index(after: colon)...]) else { return nil }
        port = number
        host = text[..<colon]
      }
      guard host.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "." || $0 == "-" || $0 == "_" }) else { return nil }
    }
    return host.isEmpty ? nil : (host.lowercased(), port)
  }

  private static func portNumber(_ text: Substring) -> Int? {
    guard text.count <= 5, text.allSatisfy({ $0.isASCII && $0.isNumber }), let port = Int(text),
      (1...65535).contains(port)
    else { return nil }
    return port
  }
}
