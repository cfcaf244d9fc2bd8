import Synchronization
import Testing

@testable import Network

@Suite struct RelayHandshakeTests {
  @Test(arguments: [301, 302, 303, 307, 308])
  func `a redirect is followed, and the cursor is the one of the host it leads to`(status: Int) throws {
    let requests = Mutex<[String]>([])
    let target = ScriptedPeer { connection, _ in
      let request = connection.upgrade()
      requests.withLock { $0.append(request) }
      connection.write(Wire.binary([1]))
      connection.readToEnd()
    }
    let location = "http://\(target.name)/elsewhere?cursor=1&x=2"
    let first = ScriptedPeer { connection, _ in
      _ = connection.readRequest()
      connection.write("HTTP/1.1 \(status) Moved\r\nLocation: \(location)\r\nContent-Length: 0\r\n\r\n")
    }
    let recorder = Recorder()
    recorder.setCursor(7, for: first.name)
    recorder.setCursor(9, for: target.name)
    let running = try RunningClient([first.url], recorder)
    try recorder.wait(for: "a frame") { $0.last == .frame([1]) }
    withExtendedLifetime(running) {
      #expect(
        recorder.states == [.connecting(host: first.name), .connected(host: first.name, effectiveHost: target.name)])
      #expect(requests.withLock { $0[0] }.hasPrefix("GET /elsewhere?x=2&cursor=9 HTTP/1.1\r\n"))
    }
  }

  @Test func `a sixth redirect is not followed`() throws {
    let count = Mutex(0)
    let peer = ScriptedPeer { connection, _ in
      _ = connection.readRequest()
      count.withLock { $0 += 1 }
      connection.write("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")
    }
    let running = try RunningClient([peer.url]) {
      $0.backoffFirst = .seconds(100)
      $0.backoffLongest = .seconds(100)
    }
    try running.recorder.wait(for: "the end") { _ in !running.recorder.disconnects.isEmpty }
    #expect(running.recorder.disconnects == [.tooManyRedirects])
    #expect(count.withLock { $0 } == 6)
  }

  @Test func `an HTTP error is told with its status and the first bytes of its body`() throws {
    let peer = ScriptedPeer { connection, _ in
      _ = connection.readRequest()
      connection.write("HTTP/1.1 429 Slow down\r\nRetry-After: 2\r\nTransfer-Encoding: chunked\r\n\r\n")
      connection.write("5\r\nhello\r\n400\r\n\(String(repeating: "x", count: 1024))\r\n0\r\n\r\n")
      connection.readToEnd()
    }
    let running = try RunningClient([peer.url])
    try running.recorder.wait(for: "the refusal") { _ in !running.recorder.disconnects.isEmpty }
    guard case .disconnected(_, let reason, let retryIn?) = running.recorder.states[1] else {
      Issue.record("not disconnected")
      return
    }
    let body = "hello" + String(repeating: "x", count: 507)
    #expect(reason == .refused(status: 429, body: body, retryAfter: .seconds(2)))
    #expect(retryIn > .milliseconds(1900) && retryIn <= .seconds(2))
  }

  @Test func `a host that asks for time is passed over for the others`() throws {
    let busy = ScriptedPeer { connection, _ in
      _ = connection.readRequest()
      connection.write("HTTP/1.1 429 Slow down\r\nRetry-After: 300\r\nContent-Length: 0\r\n\r\n")
    }
    let failing = ScriptedPeer { connection, _ in
      _ = connection.readRequest()
      connection.write("HTTP/1.1 500 Sorry\r\nContent-Length: 0\r\n\r\n")
    }
    let running = try RunningClient([busy.url, failing.url])
    try running.recorder.wait(for: "four attempts") { _ in running.recorder.disconnects.count >= 4 }
    let hosts = running.recorder.states.compactMap { if case .connecting(let host) = $0 { host } else { nil } }
    #expect(hosts.prefix(4) == [busy.name, failing.name, failing.name, failing.name])
  }

  @Test func `hosts are tried in turn, and one that gave frames is tried again first`() throws {
    let good = ScriptedPeer { connection, number in
      connection.upgrade()
      // The third connection gives nothing and so counts as a failure.
      if number < 2 { connection.write(Wire.binary([UInt8(number)])) }
    }
    let bad = ScriptedPeer { connection, _ in _ = connection.readRequest() }
    let running = try RunningClient([bad.url, good.url])
    try running.recorder.wait(for: "five attempts") { events in
      events.count { if case .state(.connecting) = $0 { true } else { false } } >= 5
    }
    let hosts = running.recorder.states.compactMap { if case .connecting(let host) = $0 { host } else { nil } }
    #expect(hosts.prefix(5) == [bad.name, good.name, good.name, good.name, bad.name])
  }

  @Test(arguments: [
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: bm9wZQ==\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n", "nonsense\r\n\r\n", "",
  ])
  func `what is not an upgrade to our key is a bad handshake`(answer: String) throws {
    let peer = ScriptedPeer { connection, _ in
      _ = connection.readRequest()
      connection.write(answer)
    }
    let running = try RunningClient([peer.url])
    try running.recorder.wait(for: "the end") { _ in !running.recorder.disconnects.isEmpty }
    guard case .badHandshake = running.recorder.disconnects[0] else {
      Issue.record("\(running.recorder.disconnects[0])")
      return
    }
  }

  @Test func `a relay that accepts and never answers is given up`() throws {
    let peer = ScriptedPeer { connection, _ in connection.readToEnd() }
    let running = try RunningClient([peer.url]) { $0.handshakeTimeout = .milliseconds(50) }
    try running.recorder.wait(for: "the end") { _ in !running.recorder.disconnects.isEmpty }
    guard case .badHandshake = running.recorder.disconnects[0] else {
      Issue.record("\(running.recorder.disconnects[0])")
      return
    }
  }

  @Test func `nobody listening is unreachable`() throws {
    // A port that was free a moment ago: its peer is gone.
    let peer = ScriptedPeer { _, _ in }
    peer.stopListening()
    let running = try RunningClient([peer.url])
    try running.recorder.wait(for: "the end") { _ in !running.recorder.disconnects.isEmpty }
    #expect(running.recorder.disconnects[0] == .unreachable("Connection refused"))
  }

  @Test func `a wrong host list is refused at the start`() {
    let events = Recorder().relayEvents
    #expect(throws: NetworkError.badAddress("no relay host")) {
      try RelayClient(configuration: .init(hosts: []), events: events)
    }
    #expect(throws: NetworkError.badAddress("ftp://x")) {
      try RelayClient(configuration: .init(hosts: ["ftp://x"]), events: events)
    }
  }

  @Test func `a relay that answers with nothing but an error frame counts as failing`() throws {
    let error: [UInt8] = [0xA1, 0x62, 0x6F, 0x70, 0x20, 0xA0]
    let refusing = ScriptedPeer { connection, _ in
      connection.upgrade()
      connection.write(Wire.binary(error))
    }
    let good = ScriptedPeer { connection, _ in
      connection.upgrade()
      connection.write(Wire.binary([1]))
      connection.readToEnd()
    }
    let running = try RunningClient([refusing.url, good.url])
    try running.recorder.wait(for: "the other relay") { $0.last == .frame([1]) }
    // On a starved machine the good relay's handshake may time out once; the first two attempts still tell.
    #expect(
      running.recorder.asked.prefix(2).elementsEqual([refusing.url, good.url].compactMap { RelayAddress($0)?.name }))
    #expect(running.recorder.frames.dropLast().allSatisfy { $0 == error })
  }
}
