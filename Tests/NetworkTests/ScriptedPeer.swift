import Foundation

/// A TCP server that does, connection by connection, exactly what a test tells it: plain sockets on a thread of its own.
final class ScriptedPeer: Sendable {
  /// One accepted connection.
  struct Connection: Sendable {
    let socket: Int32

    /// Reads a request up to its empty line; what was read so far if the client leaves.
    func readRequest() -> String {
      var bytes: [UInt8] = []
      while !bytes.suffix(4).elementsEqual([13, 10, 13, 10]), let byte = read(1)?.first { bytes.append(byte) }
      return String(decoding: bytes, as: UTF8.self)
    }

    /// Exactly so many bytes; nil at the end of the stream.
    func read(_ count: Int) -> [UInt8]? {
      var bytes = [UInt8](repeating: 0, count: count)
      var filled = 0
      while filled < count {
        let got = bytes.withUnsafeMutableBytes { recv(socket, $0.baseAddress! + filled, count - filled, 0) }
        guard got > 0 else { return nil }
        filled += got
      }
      return bytes
    }

    /// Everything until the client has closed.
    func readToEnd() { while read(1) != nil {} }

    /// False once the other side has gone.
    @discardableResult func write(_ bytes: [UInt8]) -> Bool {
      var sent = 0
      while sent < bytes.count {
        let count = bytes.withUnsafeBytes {
          send(socket, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
        }
        guard count > 0 else { return false }
        sent += count
      }
      return true
    }

    @discardableResult func write(_ text: String) -> Bool { write(Array(text.utf8)) }

    /// Reads the request and agrees to the WebSocket; returns the request.
    @discardableResult func upgrade() -> String {
      let request = readRequest()
      write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          + "Sec-WebSocket-Accept: \(Wire.acceptance(of: request))\r\n\r\n")
      return request
    }

    /// One frame of the client's, unmasked.
    func readFrame() -> (opcode: UInt8, payload: [UInt8])? {
      guard let head = read(2), head[1] & 0x80 != 0, head[1] & 0x7F < 126 else { return nil }
      guard let mask = read(4), let payload = read(Int(head[1] & 0x7F)) else { return nil }
      return (head[0] & 0x0F, payload.enumerated().map { $1 ^ mask[$0 % 4] })
    }
  }

  let port: Int
  private let listener: Int32

  var url: String { "ws://127.0.0.1:\(port)" }
  var name: String { "127.0.0.1:\(port)" }

  /// Runs `script` for each connection, one after the other, with its number from 0; the connection closes after it.
  init(_ script: @escaping @Sendable (Connection, Int) -> Void) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    listener = descriptor
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        precondition(bind(descriptor, $0, length) == 0 && listen(descriptor, 16) == 0)
        getsockname(descriptor, $0, &length)
      }
    }
    port = Int(UInt16(bigEndian: address.sin_port))
    // The thread sleeps in accept until the process ends, unless the test closes the peer.
    Thread {
      var number = 0
      while true {
        let accepted = accept(descriptor, nil, nil)
        guard accepted >= 0 else { return }
        script(Connection(socket: accepted), number)
        close(accepted)
        number += 1
      }
    }.start()
  }

  /// Nobody listens here any more.
  func stopListening() {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }
}
