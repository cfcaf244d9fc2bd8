import Synchronization
import Testing

@testable import Network

/// A server that is stopped when the test ends.
private final class RunningServer {
  let server: HTTPServer
  let address: String

  init(
    _ adjust: (inout HTTPServer.Configuration) -> Void = { _ in }, upgrade: @escaping HTTPServer.Upgrade = { _ in nil }
  ) throws {
    var configuration = HTTPServer.Configuration(listen: "127.0.0.1:0")
    adjust(&configuration)
    server = HTTPServer(
      configuration: configuration,
      respond: { request in
        switch request.path {
        case "/echo": .text(200, "\(request.method) \(request.query ?? "-") \(request.parameter("a") ?? "-")")
        case "/big": HTTPResponse(status: 200, contentType: "text/plain", body: .init(repeating: 65, count: 1 << 20))
        case "/did:plc:x": .json(200, Array("{}".utf8))
        default: nil
        }
      }, upgrade: upgrade)
    address = try server.start()
  }

  deinit { server.stop() }
}

@Suite struct HTTPServerTests {
  @Test func `many requests on one connection are answered in order, also when sent at once`() throws {
    let running = try RunningServer()
    let client = try ScriptedClient(running.address)
    for number in 0..<300 { #expect(client.get("/echo?a=\(number)")?.body == "GET a=\(number) \(number)\n") }
    client.connection.write(
      (0..<50).map { "GET /echo?a=\($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined())
    for number in 0..<50 { #expect(client.answer()?.body == "GET a=\(number) \(number)\n") }
  }

  @Test func `paths are unescaped, HEAD has no body, unknown is 404, other methods are 405, nonsense is 400`() throws {
    let running = try RunningServer()
    let client = try ScriptedClient(running.address)
    #expect(client.get("/did%3Aplc:x")?.body == "{}")
    #expect(client.get("/echo?a=%41%20b")?.body == "GET a=%41%20b A b\n")
    let head = client.request("HEAD /echo HTTP/1.1\r\nHost: x\r\n\r\n", head: true)
    #expect(head?.status == 200 && head?.headers["content-length"] == "9")
    #expect(client.get("/nothing")?.status == 404)
    let post = client.request("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
    #expect(post?.status == 405 && post?.headers["allow"] == "GET, HEAD")
    #expect(client.get("/echo")?.status == 200)
    #expect(client.get("/%zz")?.status == 400)
    #expect(client.isClosedByServer)
    let other = try ScriptedClient(running.address)
    #expect(other.request("nonsense\r\n\r\n")?.status == 400)
    #expect(other.isClosedByServer)
  }

  @Test(arguments: [
    ("GET /echo HTTP/1.1\r\nHost: x\r\nX: \(String(repeating: "y", count: 20_000))\r\n\r\n", 431),
    ("GET /echo HTTP/1.1\r\n\(String(repeating: "X: y\r\n", count: 6000))\r\n", 431),
    ("GET /\(String(repeating: "y", count: 9000)) HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    ("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n\(String(repeating: "y", count: 100_000))", 413),
  ])
  func `an oversized request is refused and the connection closed`(request: String, status: Int) throws {
    let running = try RunningServer()
    let client = try ScriptedClient(running.address)
    #expect(client.request(request)?.status == status)
    #expect(client.isClosedByServer)
  }

  @Test func `a request that comes drop by drop is cut off, however alive it looks`() throws {
    let running = try RunningServer { $0.requestTimeout = .milliseconds(200) }
    let client = try ScriptedClient(running.address)
    client.connection.write("GET /echo HTTP/1.1\r\nX: ")
    var drops = 0
    while !client.isClosed(within: 5), drops < 2000 {
      client.connection.write("y")
      drops += 1
    }
    #expect(drops > 0 && drops < 2000)
    let silent = try ScriptedClient(running.address)
    #expect(silent.isClosed(within: 30_000))
  }

  @Test func `a kept connection without requests is closed`() throws {
    let running = try RunningServer { $0.idleTimeout = .milliseconds(100) }
    let client = try ScriptedClient(running.address)
    #expect(client.get("/echo")?.status == 200)
    #expect(client.isClosed(within: 30_000))
  }

  @Test func `one connection more than allowed is closed, and a place comes free`() throws {
    let running = try RunningServer { $0.connectionsMax = 2 }
    var first: ScriptedClient? = try ScriptedClient(running.address)
    let second = try ScriptedClient(running.address)
    #expect(first?.get("/echo")?.status == 200)
    #expect(second.get("/echo")?.status == 200)
    #expect(try ScriptedClient(running.address).get("/echo") == nil)
    #expect(first?.request("GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?.status == 200)
    #expect(first?.isClosedByServer == true)
    first = nil
    var answered = false
    // The server learns of the close a moment later.
    for _ in 0..<1000 where !answered { answered = try ScriptedClient(running.address).get("/echo")?.status == 200 }
    #expect(answered)
  }

  @Test func `a client that takes no answers is let go`() throws {
    let running = try RunningServer { $0.requestTimeout = .milliseconds(300) }
    let client = try ScriptedClient(running.address)
    let start = ContinuousClock.now
    // Never reads: ends when the server has closed, long before our own thirty seconds of patience.
    while client.connection.write("GET /big HTTP/1.1\r\nHost: x\r\n\r\n") {
      try #require(ContinuousClock.now - start < .seconds(20))
    }
    #expect(ContinuousClock.now - start < .seconds(20))
  }

  @Test func `addresses that cannot be listened on say so`() throws {
    #expect(throws: NetworkError.badAddress("here")) {
      try HTTPServer(configuration: .init(listen: "here"), respond: { _ in nil }).start()
    }
    let running = try RunningServer()
    #expect(throws: NetworkError.cannotListen(running.address, cause: "Address already in use")) {
      let second = HTTPServer(configuration: .init(listen: running.address), respond: { _ in nil })
      defer { second.stop() }
      _ = try second.start()
    }
  }

  @Test func `a WebSocket gets its frames, its pings answered and its close returned`() throws {
    let running = try RunningServer(upgrade: { request in
      guard request.path == "/stream" else { return nil }
      if request.parameter("no") != nil { return .refuse(.text(409, "no")) }
      return .accept { connection in
        connection.send([1, 2, 3])
        connection.send([UInt8](repeating: 9, count: 70_000))
      }
    })
    let client = try ScriptedClient(running.address)
    #expect(client.upgrade("/stream"))
    #expect(client.readFrame()?.payload == [1, 2, 3])
    #expect(client.readFrame()?.payload == [UInt8](repeating: 9, count: 70_000))
    client.connection.write(Wire.frame(9, [7, 7], mask: [1, 2, 3, 4]) + Wire.frame(2, [0], mask: [1, 2, 3, 4]))
    let pong = client.readFrame()
    #expect(pong?.opcode == 10 && pong?.payload == [7, 7])
    client.connection.write(Wire.frame(8, [3, 0xE8], mask: [4, 3, 2, 1]))
    let close = client.readFrame()
    #expect(close?.opcode == 8 && close?.payload == [3, 0xE8])
    #expect(client.isClosedByServer)

    let plain = try ScriptedClient(running.address)
    #expect(plain.get("/stream")?.status == 426)
    #expect(try ScriptedClient(running.address).get("/stream?no=1")?.status == 409)
  }

  @Test func `a WebSocket client is pinged when silent, and given up when it stays so`() throws {
    let closed = Mutex(0)
    let running = try RunningServer(
      {
        $0.pingAfter = .milliseconds(50)
        $0.deadAfter = .milliseconds(200)
      }, upgrade: { _ in .accept { connection in connection.onClose = { closed.withLock { $0 += 1 } } } })
    let client = try ScriptedClient(running.address)
    #expect(client.upgrade("/"))
    #expect(client.readFrame()?.opcode == 9)
    while client.readFrame()?.opcode == 9 {}
    running.server.stop()
    #expect(closed.withLock { $0 } == 1)
  }

  @Test func `an unmasked frame of a client closes its WebSocket with a protocol error`() throws {
    let running = try RunningServer(upgrade: { _ in .accept { _ in } })
    let client = try ScriptedClient(running.address)
    #expect(client.upgrade("/"))
    client.connection.write(Wire.binary([1]))
    let close = client.readFrame()
    #expect(close?.opcode == 8 && close?.payload.prefix(2) == [0x03, 0xEA])
  }
}
