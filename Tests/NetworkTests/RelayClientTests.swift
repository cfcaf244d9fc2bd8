import Synchronization
import Testing

@testable import Network

private let payloads: [[UInt8]] = [0, 1, 125, 126, 5400, 65_536, 300_000].map { size in
  (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ size) }
}

@Suite struct RelayClientTests {
  @Test func `frames arrive byte-equal and in order through any cut of the stream`() throws {
    let peer = ScriptedPeer { connection, _ in
      connection.upgrade()
      var generator = SeededGenerator(seed: 5)
      var stream: [UInt8] = []
      for payload in payloads {
        let cut = Int.random(in: 0...payload.count, using: &generator)
        stream += Wire.frame(2, Array(payload[..<cut]), final: false) + Wire.frame(9, [1])
        stream += Wire.frame(0, Array(payload[cut...])) + Wire.binary(payload)
      }
      var rest = stream[...]
      while !rest.isEmpty {
        let count = Int.random(in: 1...40_000, using: &generator)
        connection.write(Array(rest.prefix(count)))
        rest = rest.dropFirst(count)
      }
      connection.readToEnd()
    }
    let running = try RunningClient([peer.url])
    try running.recorder.wait(for: "all frames") { _ in running.recorder.frames.count == payloads.count * 2 }
    #expect(running.recorder.frames == payloads.flatMap { [$0, $0] })
  }

  @Test func `the request names path, host and agent, and the cursor only when there is one`() throws {
    let requests = Mutex<[String]>([])
    let peer = ScriptedPeer { connection, _ in
      let request = connection.upgrade()
      requests.withLock { $0.append(request) }
      connection.write(Wire.binary([1]))
    }
    let recorder = Recorder()
    recorder.setCursor(42, for: peer.name)
    let running = try RunningClient([peer.url], recorder) { $0.userAgent = "osprey-feeder/test" }
    try recorder.wait(for: "a first connection") { _ in recorder.frames.count >= 1 }
    recorder.setCursor(nil, for: peer.name)
    // The second connection may have begun before the cursor went; the third has not.
    try recorder.wait(for: "a third connection") { _ in recorder.frames.count >= 3 }
    running.client.stop()
    let seen = requests.withLock { $0 }
    #expect(seen[0].hasPrefix("GET /xrpc/com.atproto.sync.subscribeRepos?cursor=42 HTTP/1.1\r\n"))
    #expect(seen[2].hasPrefix("GET /xrpc/com.atproto.sync.subscribeRepos HTTP/1.1\r\n"))
    let lines = seen[0].split(separator: "\r\n").map { $0.lowercased() }
    #expect(lines.contains("host: \(peer.name)") && lines.contains("user-agent: osprey-feeder/test"))
    #expect(lines.contains("sec-websocket-version: 13") && lines.contains("upgrade: websocket"))
  }

  @Test func `an oversized message is reported with its announced size and the next frame arrives`() throws {
    let peer = ScriptedPeer { connection, _ in
      connection.upgrade()
      connection.write(Wire.binary([1]) + Wire.announcement(of: 6_000_000))
      for _ in 0..<60 { connection.write([UInt8](repeating: 0, count: 100_000)) }
      connection.write(Wire.binary([2]))
      connection.readToEnd()
    }
    let running = try RunningClient([peer.url])
    try running.recorder.wait(for: "the frame after") { $0.last == .frame([2]) }
    let told = running.recorder.events.filter { if case .state = $0 { false } else { true } }
    #expect(told == [.frame([1]), .oversized(6_000_000), .frame([2])])
  }

  @Test(arguments: [Duration.zero, .milliseconds(5)])
  func `nothing that was told stays unannounced when the stream falls silent`(readPause: Duration) throws {
    let peer = ScriptedPeer { connection, _ in
      connection.upgrade()
      for number in 1...20 { connection.write(Wire.binary([UInt8(number)])) }
      connection.readToEnd()
    }
    let recorder = Recorder()
    let running = try RunningClient([peer.url], recorder) { $0.readPause = readPause }
    try running.recorder.wait(for: "the last frame, announced") { events in
      events.last == .frame([20]) && recorder.gathered == events.count
    }
  }

  @Test func `a burst is read at once, however long the pause is`() throws {
    let (frames, frameBytes) = (4000, 5000)
    let peer = ScriptedPeer { connection, _ in
      connection.upgrade()
      for _ in 0..<frames { connection.write(Wire.binary([UInt8](repeating: 7, count: frameBytes))) }
      connection.readToEnd()
    }
    let running = try RunningClient([peer.url]) { $0.readPause = .seconds(600) }
    // What is left when the peer falls silent may wait for more.
    let left = ReadPacer.bytesWanted / frameBytes + 1
    try running.recorder.wait(for: "all but what may gather") { $0.count >= frames - left }
  }

  @Test func `text messages are told apart`() throws {
    let peer = ScriptedPeer { connection, _ in
      connection.upgrade()
      connection.write(Wire.frame(1, Array("hello".utf8)) + Wire.binary([2]))
      connection.readToEnd()
    }
    let running = try RunningClient([peer.url])
    try running.recorder.wait(for: "both") { $0.suffix(2) == [.text(Array("hello".utf8)), .frame([2])] }
  }

  @Test func `a ping is answered with the same payload`() throws {
    let answers = Mutex<[[UInt8]]>([])
    let peer = ScriptedPeer { connection, _ in
      connection.upgrade()
      connection.write(Wire.frame(9, [1, 2, 3]) + Wire.frame(9, []))
      for _ in 0..<2 {
        if let frame = connection.readFrame(), frame.opcode == 10 { answers.withLock { $0.append(frame.payload) } }
      }
      connection.write(Wire.binary([1]))
      connection.readToEnd()
    }
    let running = try RunningClient([peer.url])
    try running.recorder.wait(for: "the end") { $0.last == .frame([1]) }
    #expect(answers.withLock { $0 } == [[1, 2, 3], []])
  }

  @Test func `silence brings a ping, then the end, then a new connection that asks for the cursor again`() throws {
    let opcodes = Mutex<[UInt8]>([])
    let peer = ScriptedPeer { connection, number in
      connection.upgrade()
      guard number == 0 else {
        connection.write(Wire.binary([2]))
        return connection.readToEnd()
      }
      connection.write(Wire.binary([1]))
      while let frame = connection.readFrame() { opcodes.withLock { $0.append(frame.opcode) } }
    }
    let running = try RunningClient([peer.url]) {
      $0.pingAfter = .milliseconds(60)
      $0.deadAfter = .milliseconds(200)
    }
    try running.recorder.wait(for: "a second connection") { $0.contains(.frame([2])) }
    #expect(running.recorder.disconnects.first == .silent(.milliseconds(200)))
    #expect(eventually { opcodes.withLock { $0 }.first == 9 })
    #expect(running.recorder.asked == [peer.name, peer.name])
  }

  @Test func `pongs keep a quiet connection alive`() throws {
    let peer = ScriptedPeer { connection, _ in
      connection.upgrade()
      connection.write(Wire.binary([1]))
      for _ in 0..<8 {
        guard let frame = connection.readFrame() else { return }
        connection.write(Wire.frame(10, frame.payload))
      }
      connection.write(Wire.binary([2]))
      connection.readToEnd()
    }
    let running = try RunningClient([peer.url]) {
      // Eight pings last longer than the patience, and a pause of the machine does not.
      $0.pingAfter = .milliseconds(250)
      $0.deadAfter = .milliseconds(1_800)
    }
    try running.recorder.wait(for: "the second frame") { $0.contains(.frame([2])) }
    #expect(running.recorder.disconnects.isEmpty)
  }

  @Test func `a frame without room stops the reading and comes again after resume, nothing lost or repeated`() throws {
    let count = 3000
    let peer = ScriptedPeer { connection, _ in
      connection.upgrade()
      for number in 0..<count {
        connection.write(Wire.binary([UInt8(number >> 8), UInt8(number & 0xFF)] + [UInt8](repeating: 1, count: 3000)))
      }
      connection.readToEnd()
    }
    let recorder = Recorder()
    recorder.setRoom(10)
    let running = try RunningClient([peer.url], recorder)
    for round in 1...6 {
      try recorder.wait(for: "a refusal") { $0.last == .refused && recorder.frames.count == round * 10 }
      recorder.setRoom(10)
      running.client.resume()
    }
    try recorder.wait(for: "another refusal") { $0.last == .refused && recorder.frames.count == 70 }
    recorder.setRoom(.max)
    running.client.resume()
    try recorder.wait(for: "all frames") { _ in recorder.frames.count == count }
    #expect(recorder.frames.map { Int($0[0]) << 8 | Int($0[1]) } == Array(0..<count))
    #expect(recorder.disconnects.isEmpty)
  }

  @Test func `frames received before the relay hung up are delivered although there was no room then`() throws {
    let peer = ScriptedPeer { connection, number in
      connection.upgrade()
      guard number == 0 else { return connection.readToEnd() }
      for byte in 0..<20 { connection.write(Wire.binary([UInt8(byte)])) }
      connection.write(Wire.frame(8, [0x03, 0xE8] + Array("bye".utf8)))
    }
    let recorder = Recorder()
    recorder.setRoom(3)
    let running = try RunningClient([peer.url], recorder)
    try recorder.wait(for: "a refusal") { $0.last == .refused }
    recorder.setRoom(.max)
    running.client.resume()
    try recorder.wait(for: "the end of the connection") { _ in !recorder.disconnects.isEmpty }
    #expect(recorder.frames == (0..<20).map { [UInt8($0)] })
    #expect(recorder.disconnects.first == .closed(code: 1000, reason: "bye"))
  }

  @Test func `connected precedes the first frame of each connection, disconnected follows its last`() throws {
    let peer = ScriptedPeer { connection, number in
      connection.upgrade()
      connection.write(Wire.binary([UInt8(number)]))
    }
    let running = try RunningClient([peer.url])
    try running.recorder.wait(for: "two connections") { $0.contains(.frame([1])) }
    let words = running.recorder.events.prefix(6).map { event in
      switch event {
      case .state(.connecting): "connecting"
      case .state(.connected(let host, let effective)): host == effective ? "connected" : "?"
      case .state(.disconnected): "disconnected"
      default: "frame"
      }
    }
    #expect(words == ["connecting", "connected", "frame", "disconnected", "connecting", "connected"])
  }

  @Test func `a broken frame ends the connection with a close code and the next one follows`() throws {
    let closes = Mutex<[[UInt8]]>([])
    let peer = ScriptedPeer { connection, number in
      connection.upgrade()
      connection.write(Wire.binary([UInt8(number)]) + [0xFF, 0x00])
      if let frame = connection.readFrame(), frame.opcode == 8 {
        closes.withLock { $0.append(Array(frame.payload.prefix(2))) }
      }
    }
    let running = try RunningClient([peer.url])
    try running.recorder.wait(for: "a second connection") { $0.contains(.frame([1])) }
    #expect(running.recorder.disconnects.first == .protocolError(.reservedBits))
    #expect(eventually { closes.withLock { $0 }.first == [0x03, 0xEA] })
  }

  @Test(arguments: [false, true])
  func `stop returns promptly while connecting and while waiting, and nothing is told after it`(waiting: Bool) throws {
    let peer = ScriptedPeer { connection, _ in
      _ = connection.readRequest()
      if waiting { connection.write("HTTP/1.1 503 Later\r\nRetry-After: 100\r\nContent-Length: 0\r\n\r\n") }
      connection.readToEnd()
    }
    let running = try RunningClient([peer.url])
    try running.recorder.wait(for: "the attempt") { events in
      waiting ? !running.recorder.disconnects.isEmpty : !events.isEmpty
    }
    let clock = ContinuousClock()
    let before = clock.now
    running.client.stop()
    #expect(clock.now - before < .seconds(20), "the relay's answer asks for a hundred seconds")
    let told = running.recorder.events.count
    running.client.stop()
    running.client.resume()
    #expect(running.recorder.events.count == told)
  }

  @Test func `clients can be started and stopped again and again, at any moment`() throws {
    let peer = ScriptedPeer { connection, _ in
      connection.upgrade()
      connection.write(Wire.binary([1]))
      connection.readToEnd()
    }
    for round in 0..<100 {
      let running = try RunningClient([round % 10 == 9 ? "ws://localhost:\(peer.port)" : peer.url])
      // At once, somewhere inside the handshake, or with the stream open.
      if round % 4 == 0 { try running.recorder.wait(for: "a frame") { $0.last == .frame([1]) } }
      running.client.stop()
      let told = running.recorder.events.count
      #expect(running.recorder.events.count == told)
    }
  }
}
