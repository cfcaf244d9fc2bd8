import Glibc

/// The embedded broker's control channel: a unix socket that takes one `BrokerCommand` per line and answers each with
/// one line, `ok` or `error REASON`.
///
/// One thread of its own serves up to 16 connections. Whoever may open the socket file may hurt the broker, so the
/// file is made for its owner only.
///
/// Unchecked: after `init` only the serving thread touches the descriptors, until `close` has joined it; `close`
/// belongs to the owner.
package final class BrokerControl: @unchecked Sendable {
  /// Connections at a time; more are refused.
  package static let connectionsMax = 16
  /// Bytes of a line; a longer one ends its connection.
  package static let lineBytesMax = 4_096

  /// Where the socket stands.
  package let path: String
  private let execute: @Sendable (BrokerCommand) throws(KafkaError) -> Void
  private let listener: Int32
  private let stopRead: Int32
  private let stopWrite: Int32
  private var thread = pthread_t()
  private var connections: [Connection] = []
  private var isClosed = false

  private struct Connection {
    let descriptor: Int32
    var unread: [UInt8] = []
  }

  /// Opens the socket at `path` and starts serving. A socket file nobody listens on is replaced; anything else there
  /// is an error, and so is a path over 107 bytes (unix(7)).
  package convenience init(path: String, broker: EmbeddedBroker) throws(KafkaError) {
    try self.init(path: path) { command throws(KafkaError) in try broker.execute(command) }
  }

  /// The same with any executor, for tests.
  init(
    path: String, execute: @escaping @Sendable (BrokerCommand) throws(KafkaError) -> Void
  ) throws(KafkaError) {
    self.path = path
    self.execute = execute
    listener = try Self.listen(at: path)
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      let reason = Self.lastError()
      Glibc.close(listener)
      unlink(path)
      throw Self.failure(path, reason)
    }
    (stopRead, stopWrite) = (ends[0], ends[1])
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let code = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<BrokerControl>.fromOpaque(context).takeUnretainedValue().serve()
        return nil
      }, Unmanaged.passUnretained(self).toOpaque())
    guard code == 0 else {
      isClosed = true
      for descriptor in [listener, stopRead, stopWrite] { Glibc.close(descriptor) }
      unlink(path)
      throw Self.failure(path, String(cString: strerror(code)))
    }
  }

  deinit { close() }

  /// Ends the thread, closes every connection and removes the socket file. A second call does nothing.
  package func close() {
    guard !isClosed else { return }
    isClosed = true
    Glibc.close(stopWrite)  // the serving thread sees the end of the pipe
    pthread_join(thread, nil)
    for connection in connections { Glibc.close(connection.descriptor) }
    Glibc.close(listener)
    Glibc.close(stopRead)
    unlink(path)
  }

  /// The answer to one line, without its newline.
  func answer(to line: String) -> String {
    do throws(BrokerCommand.ParseError) {
      let command = try BrokerCommand(line: line)
      do throws(KafkaError) {
        try execute(command)
        return "ok"
      } catch {
        return "error \(error)"
      }
    } catch {
      return "error \(error.reason)"
    }
  }

  private func serve() {
    while true {
      var watched = [
        pollfd(fd: stopRead, events: Int16(POLLIN), revents: 0),
        pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
      ]
      watched += connections.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
      guard poll(&watched, nfds_t(watched.count), -1) >= 0 || errno == EINTR else { return }
      if watched[0].revents != 0 { return }
      // From the back, so that removing one does not move those still to be looked at.
      for index in connections.indices.reversed() where watched[index + 2].revents != 0 {
        if !read(index) {
          Glibc.close(connections[index].descriptor)
          connections.remove(at: index)
        }
      }
      if watched[1].revents != 0 { accept() }
    }
  }

  private func accept() {
    let descriptor = Glibc.accept(listener, nil, nil)
    guard descriptor >= 0 else { return }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    guard connections.count < Self.connectionsMax else {
      _ = Self.write("error too many connections\n", to: descriptor)
      Glibc.close(descriptor)
      return
    }
    connections.append(Connection(descriptor: descriptor))
  }

  /// Reads what is there and answers its complete lines; false where the connection is over.
  private func read(_ index: Int) -> Bool {
    var chunk = [UInt8](repeating: 0, count: 1_024)
    let count = Glibc.read(connections[index].descriptor, &chunk, chunk.count)
    guard count > 0 else { return count < 0 && errno == EINTR }
    connections[index].unread += chunk[..<count]
    while let end = connections[index].unread.firstIndex(of: UInt8(ascii: "\n")) {
      let line = String(decoding: connections[index].unread[..<end], as: UTF8.self)
      connections[index].unread.removeSubrange(...end)
      guard Self.write(answer(to: line) + "\n", to: connections[index].descriptor) else { return false }
    }
    guard connections[index].unread.count <= Self.lineBytesMax else {
      _ = Self.write("error a line has at most \(Self.lineBytesMax) bytes\n", to: connections[index].descriptor)
      return false
    }
    return true
  }

  /// Sends all of `text`; false where the other side is gone. Never raises SIGPIPE.
  private static func write(_ text: String, to descriptor: Int32) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let sent = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      if sent < 0 && errno == EINTR { continue }
      guard sent > 0 else { return false }
      rest = rest.dropFirst(sent)
    }
    return true
  }

  private static func listen(at path: String) throws(KafkaError) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    let room = MemoryLayout.size(ofValue: address.sun_path) - 1
    guard !bytes.isEmpty, bytes.count <= room else { throw failure(path, "the path must have 1 to \(room) bytes") }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw failure(path, lastError()) }
    let length = socklen_t(MemoryLayout<sockaddr_un>.size)
    if isLeftover(path, address, length) { unlink(path) }
    let opened = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
    }
    guard opened == 0, chmod(path, 0o600) == 0, Glibc.listen(descriptor, 8) == 0 else {
      let reason = lastError()
      Glibc.close(descriptor)
      if opened == 0 { unlink(path) }
      throw failure(path, reason)
    }
    return descriptor
  }

  /// True for the socket file of a process that is gone: it is a socket and nobody answers.
  private static func isLeftover(_ path: String, _ address: sockaddr_un, _ length: socklen_t) -> Bool {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return false }
    let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard probe >= 0 else { return false }
    defer { Glibc.close(probe) }
    let connected = withUnsafePointer(to: address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(probe, $0, length) }
    }
    return connected != 0 && errno == ECONNREFUSED
  }

  private static func lastError() -> String { String(cString: strerror(errno)) }

  private static func failure(_ path: String, _ reason: String) -> KafkaError {
    .invalidConfiguration(property: "--control", reason: "'\(path)': \(reason)")
  }
}
