import Foundation

/// A TCP client over plain sockets.
final class ScriptedClient {
  let connection: ScriptedPeer.Connection

  /// Connects to `127.0.0.1:PORT`, given as the server reports it.
  init(_ address: String) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    connection = ScriptedPeer.Connection(socket: descriptor)
    var target = sockaddr_in()
    target.sin_family = sa_family_t(AF_INET)
    target.sin_addr.s_addr = inet_addr("127.0.0.1")
    target.sin_port = UInt16(address.split(separator: ":").last!)!.bigEndian
    let result = withUnsafePointer(to: &target) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    // A test that waits for an answer that never comes ends here and not never.
    limitWaits(milliseconds: 30_000)
  }

  private func limitWaits(milliseconds: Int) {
    var limit = timeval(tv_sec: milliseconds / 1000, tv_usec: (milliseconds % 1000) * 1000)
    setsockopt(connection.socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(connection.socket, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(connection.socket) }

  struct Answer: Equatable {
    var status: Int
    var headers: [String: String]
    var body: String
  }

  /// One request and its answer; `head` for answers that announce a body and send none.
  func request(_ text: String, head: Bool = false) -> Answer? {
    connection.write(text)
    return answer(head: head)
  }

  func get(_ path: String) -> Answer? { request("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n") }

  func answer(head: Bool = false) -> Answer? {
    let lines = connection.readRequest().split(separator: "\r\n")
    guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { return nil }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      headers[parts[0].lowercased()] = String(parts[1].trimmingPrefix(" "))
    }
    let length = head ? 0 : headers["content-length"].flatMap { Int($0) } ?? 0
    guard let body = connection.read(length) else { return nil }
    return Answer(status: status, headers: headers, body: String(decoding: body, as: UTF8.self))
  }

  /// Asks for a WebSocket; true if the server agreed to our key.
  func upgrade(_ path: String) -> Bool {
    let request =
      "GET \(path) HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    let answer = self.request(request)
    return answer?.status == 101 && answer?.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
  }

  /// One unmasked frame of a server.
  func readFrame() -> (opcode: UInt8, payload: [UInt8])? {
    guard let head = connection.read(2), head[1] & 0x80 == 0 else { return nil }
    var count = Int(head[1])
    if count >= 126 {
      guard let longer = connection.read(count == 126 ? 2 : 8) else { return nil }
      count = longer.reduce(0) { $0 << 8 | Int($1) }
    }
    guard let payload = connection.read(count) else { return nil }
    return (head[0] & 0x0F, payload)
  }

  /// Does the server close in this time, in milliseconds?
  func isClosed(within milliseconds: Int) -> Bool {
    limitWaits(milliseconds: milliseconds)
    return isClosedByServer
  }

  /// Has the server closed, nothing more to read?
  var isClosedByServer: Bool { connection.read(1) == nil && errno != EAGAIN }
}
