import Foundation
import Glibc
import Synchronization
import Testing

/// As much of a Kafka broker as topic creation and logins need, to show the clients what librdkafka's mock cannot:
/// CreateTopics and its refusals, topics a login may not see, SASL. Wire formats: Kafka protocol guide, the versions
/// announced in `versions` (none of them "flexible").
final class FakeBroker: Sendable {
  struct Behaviour: Sendable {
    /// Partitions of the topics that exist.
    var topics: [String: Int32] = [:]
    /// Topics that exist but are left out of "all topics", and refused with TOPIC_AUTHORIZATION_FAILED by name.
    var hidden: Set<String> = []
    /// What CreateTopics answers; 0 creates.
    var createError: Int16 = 0
    var createMessage: String?
    /// What SaslAuthenticate answers.
    var loginError: Int16 = 0
    var loginMessage: String?
  }

  let port: UInt16
  private let listener: Int32
  private let behaviour: Mutex<Behaviour>
  private let created = Mutex<[String]>([])
  private let connections = Mutex<[Int32]>([])
  private let versions: [(key: Int16, low: Int16, high: Int16)] = [
    (3, 0, 1), (17, 0, 1), (18, 0, 0), (19, 0, 4), (36, 0, 0),
  ]

  init(_ behaviour: Behaviour) throws {
    self.behaviour = Mutex(behaviour)
    (listener, port) = try boundSocket()
    try #require(listen(listener, 8) == 0)
    let listener = self.listener
    Thread.detachNewThread { [weak self] in
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { return }
        guard let broker = self else {
          Glibc.close(connection)
          return
        }
        broker.connections.withLock { $0.append(connection) }
        Thread.detachNewThread { broker.serve(connection) }
      }
    }
  }

  /// Each CreateTopics seen: `name partitions replication key=value…`.
  var requests: [String] { created.withLock { $0 } }

  func close() {
    shutdown(listener, Int32(SHUT_RDWR))
    Glibc.close(listener)
    connections.withLock { descriptors in
      for descriptor in descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }
  }

  private func serve(_ connection: Int32) {
    defer {
      connections.withLock { $0.removeAll { $0 == connection } }
      Glibc.close(connection)
    }
    while var request = Wire(frameFrom: connection) {
      let (key, version, correlation) = (request.int16(), request.int16(), request.int32())
      _ = request.string()
      var answer = Wire()
      answer.put(correlation)
      switch key {
      case 18: apiVersions(version, &answer)
      case 3: metadata(&request, &answer)
      case 19: createTopics(&request, &answer)
      case 17: handshake(&answer)
      case 36: login(&answer)
      default: return
      }
      guard answer.send(to: connection) else { return }
    }
  }

  private func apiVersions(_ version: Int16, _ answer: inout Wire) {
    // KIP-511: a version we do not know is answered in version 0 with UNSUPPORTED_VERSION; the client asks again.
    answer.put(Int16(version == 0 ? 0 : 35))
    answer.put(Int32(versions.count))
    for entry in versions { for number in [entry.key, entry.low, entry.high] { answer.put(number) } }
  }

  private func metadata(_ request: inout Wire, _ answer: inout Wire) {
    let behaviour = self.behaviour.withLock { $0 }
    let count = request.int32()
    let named = (0..<max(0, count)).map { _ in request.string() ?? "" }
    answer.put(Int32(1))
    answer.put(Int32(1))
    answer.put("127.0.0.1")
    answer.put(Int32(port))
    answer.put(String?.none)
    answer.put(Int32(1))
    let wanted = count < 0 ? behaviour.topics.keys.sorted().filter { !behaviour.hidden.contains($0) } : named
    answer.put(Int32(wanted.count))
    for name in wanted {
      let partitions = behaviour.topics[name]
      answer.put(Int16(behaviour.hidden.contains(name) ? 29 : partitions == nil ? 3 : 0))
      answer.put(name)
      answer.bytes.append(0)
      let shown = behaviour.hidden.contains(name) ? 0 : partitions ?? 0
      answer.put(shown)
      for partition in 0..<shown {
        answer.put(Int16(0))
        for number in [partition, 1, 1, 1, 1, 1] { answer.put(number) }
      }
    }
  }

  private func createTopics(_ request: inout Wire, _ answer: inout Wire) {
    answer.put(Int32(0))
    let count = request.int32()
    answer.put(count)
    for _ in 0..<count {
      let name = request.string() ?? ""
      let partitions = request.int32()
      var seen = "\(name) \(partitions) \(request.int16())"
      for _ in 0..<request.int32() {
        _ = request.int32()
        for _ in 0..<request.int32() { _ = request.int32() }
      }
      for _ in 0..<request.int32() { seen += " \(request.string() ?? "")=\(request.string() ?? "")" }
      created.withLock { $0.append(seen) }
      let (code, message) = behaviour.withLock { behaviour in
        if behaviour.createError == 0 { behaviour.topics[name] = partitions }
        return (behaviour.createError, behaviour.createMessage)
      }
      answer.put(name)
      answer.put(code)
      answer.put(message)
    }
  }

  private func handshake(_ answer: inout Wire) {
    answer.put(Int16(0))
    answer.put(Int32(1))
    answer.put("PLAIN")
  }

  private func login(_ answer: inout Wire) {
    let (code, message) = behaviour.withLock { ($0.loginError, $0.loginMessage) }
    answer.put(code)
    answer.put(message)
    answer.put(Int32(0))
  }
}

/// Big-endian reading and writing of one Kafka frame.
struct Wire {
  var bytes: [UInt8] = []
  private var next = 0

  init() {}

  /// Reads one length-prefixed frame; nil at the end of the connection.
  init?(frameFrom descriptor: Int32) {
    func read(_ count: Int) -> [UInt8]? {
      var chunk = [UInt8](repeating: 0, count: count)
      guard count == 0 || recv(descriptor, &chunk, count, Int32(MSG_WAITALL)) == count else { return nil }
      return chunk
    }
    guard let head = read(4) else { return nil }
    guard let body = read(head.reduce(0) { $0 << 8 | Int($1) } & 0xff_ffff) else { return nil }
    bytes = body
  }

  mutating func int16() -> Int16 { Int16(truncatingIfNeeded: number(2)) }
  mutating func int32() -> Int32 { Int32(truncatingIfNeeded: number(4)) }

  mutating func string() -> String? {
    let count = Int(int16())
    guard count >= 0, next + count <= bytes.count else { return nil }
    defer { next += count }
    return String(decoding: bytes[next..<next + count], as: UTF8.self)
  }

  private mutating func number(_ width: Int) -> Int {
    guard next + width <= bytes.count else { return 0 }
    defer { next += width }
    return bytes[next..<next + width].reduce(0) { $0 << 8 | Int($1) }
  }

  mutating func put<Number: FixedWidthInteger>(_ number: Number) {
    withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func put(_ string: String?) {
    put(Int16(string?.utf8.count ?? -1))
    bytes += Array((string ?? "").utf8)
  }

  func send(to descriptor: Int32) -> Bool {
    var frame = Wire()
    frame.put(Int32(bytes.count))
    frame.bytes += bytes
    return Glibc.send(descriptor, frame.bytes, frame.bytes.count, Int32(MSG_NOSIGNAL)) == frame.bytes.count
  }
}

/// A socket bound to a free loopback port.
func boundSocket() throws -> (descriptor: Int32, port: UInt16) {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
  var length = socklen_t(MemoryLayout<sockaddr_in>.size)
  let code = withUnsafeMutablePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
      bind(descriptor, address, length) == 0 ? getsockname(descriptor, address, &length) : -1
    }
  }
  try #require(code == 0)
  return (descriptor, UInt16(bigEndian: address.sin_port))
}
