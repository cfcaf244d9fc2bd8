import Glibc
import Synchronization
import Testing

@testable import Kafka

extension KafkaTests {
  @Suite(.serialized) struct BrokerTests {
    @Test(arguments: [
      ("ping", BrokerCommand.ping),
      ("topic actions 12", .topic(name: "actions", partitions: 12)),
      ("errors produce 2 NOT_LEADER_FOR_PARTITION", .errors(.produce, [6, 6].map(KafkaErrorCode.init(rawValue:)))),
      ("errors fetch 1 -195", .errors(.fetch, [KafkaErrorCode(rawValue: -195)])),
      ("clear init-producer-id", .clear(.initProducerID)),
      ("down", .down(broker: nil)), ("down 2", .down(broker: 2)), ("up", .up(broker: nil)), ("up 1", .up(broker: 1)),
      ("rtt 250", .roundTrip(broker: nil, milliseconds: 250)),
      ("  rtt\t0 3 \r", .roundTrip(broker: 3, milliseconds: 0)),
      ("leader t 4 2", .leader(topic: "t", partition: 4, broker: 2)),
      ("leader t 4 none", .leader(topic: "t", partition: 4, broker: nil)),
    ])
    func `a control line becomes its command`(line: String, command: BrokerCommand) throws {
      #expect(try BrokerCommand(line: line) == command)
    }

    @Test(arguments: [
      "", "   ", "explode", "ping pong", "topic", "topic t", "topic t 0", "topic t -1", "topic t 1001", "topic t x",
      "errors", "errors produce", "errors produce 1", "errors produce 0 6", "errors produce 100001 6",
      "errors juggle 1 6", "errors produce 1 NO_SUCH", "errors produce 1 0", "errors produce 1 NO_ERROR", "down 0",
      "down 17", "down 1 2", "up x", "rtt", "rtt -1", "rtt 600001", "rtt 1 2 3", "leader t 0", "leader t -1 1",
      "leader t 0 0", "clear", "clear everything", "errors produce 99999999999999999999 6",
    ])
    func `a line that is no command is refused with a reason`(line: String) {
      let error = #expect(throws: BrokerCommand.ParseError.self) { try BrokerCommand(line: line) }
      #expect(error?.reason.isEmpty == false)
      #expect(error?.reason.contains("\n") == false)
    }

    @Test func `the control channel answers every line and acts on it`() throws {
      let bench = try Bench()
      let path = "/tmp/osprey-control-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock"
      let control = try BrokerControl(path: path, broker: bench.broker)
      let one = try LineClient(path)
      let two = try LineClient(path)
      #expect(one.ask("ping") == "ok")
      #expect(two.ask("topic made 3") == "ok")
      #expect(try TopicAdmin(bench.configuration()).describe("made", timeoutMs: 5_000)?.partitions == 3)
      #expect(one.ask("topic made 3").hasPrefix("error "))
      #expect(one.ask("down 9").hasPrefix("error "))
      #expect(one.ask("nonsense").hasPrefix("error unknown command 'nonsense'"))
      // Two commands in one packet, then one in two.
      #expect(one.ask("rtt 0\nping", answers: 2) == "ok\nok")
      one.write("pi")
      #expect(one.ask("ng") == "ok")
      one.write(String(repeating: "x", count: BrokerControl.lineBytesMax + 2))
      #expect(one.readLine().hasPrefix("error a line has at most"))
      #expect(two.ask("ping") == "ok")
      control.close()
      #expect(two.readLine() == "")
      #expect(access(path, F_OK) != 0)
      control.close()
    }

    @Test func `a leftover socket is replaced, a living one and a file are not`() throws {
      let path = "/tmp/osprey-control-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock"
      let ignore: @Sendable (BrokerCommand) throws(KafkaError) -> Void = { _ in }
      let first = try BrokerControl(path: path, execute: ignore)
      #expect(throws: KafkaError.self) { try BrokerControl(path: path, execute: ignore) }
      #expect(try LineClient(path).ask("ping") == "ok")
      // What a killed process leaves behind: a second name for the socket file survives the close.
      let leftover = path + ".left"
      #expect(link(path, leftover) == 0)
      first.close()
      let second = try BrokerControl(path: leftover, execute: ignore)
      #expect(try LineClient(leftover).ask("ping") == "ok")
      second.close()

      let file = open(path, O_CREAT | O_WRONLY, 0o600)
      close(file)
      #expect(throws: KafkaError.self) { try BrokerControl(path: path, execute: ignore) }
      #expect(access(path, F_OK) == 0)
      unlink(path)
      #expect(throws: KafkaError.self) {
        try BrokerControl(path: "/tmp/" + String(repeating: "x", count: 200), execute: ignore)
      }
    }

    @Test func `a partition that moves to another broker loses nothing`() throws {
      let bench = try Bench(brokers: 2)
      let producer = try Producer(bench.configuration(["retry.backoff.ms": "10"]))
      let topic = try producer.topic("t")
      for token in 0..<400 as Range<UInt64> {
        if token % 100 == 0 { try bench.control("leader t 0 \(token / 100 % 2 + 1)") }
        #expect(producer.send(topic, "k", "\(token)", token: token) == .queued)
        if token % 10 == 0 { producer.waitForDeliveries(timeoutMs: 1) { _ in } }
      }
      _ = producer.drain()
      #expect(try bench.readAll("t").map(\.value) == (0..<400).map { "\($0)" })
    }

    @Test func `an impossible broker is refused and frees everything`() {
      let ledger = HandleLedger()
      #expect(throws: KafkaError.self) { try EmbeddedBroker(brokers: 0, ledger: ledger) }
      #expect(throws: KafkaError.self) { try EmbeddedBroker(topics: [("t", 0)], ledger: ledger) }
      #expect(throws: KafkaError.self) { try EmbeddedBroker(topics: [("t", 1), ("t", 1)], ledger: ledger) }
      #expect(ledger.live == 0)
    }
  }
}

/// The other end of a control channel.
final class LineClient {
  private let descriptor: Int32

  init(_ path: String) throws {
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    let code = withUnsafePointer(to: address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(code == 0)
  }

  deinit { close(descriptor) }

  func write(_ text: String) {
    let bytes = Array(text.utf8)
    #expect(send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
  }

  /// One line without its newline; "" at the end of the connection.
  func readLine() -> String {
    var line: [UInt8] = []
    var byte: UInt8 = 0
    while read(descriptor, &byte, 1) == 1, byte != UInt8(ascii: "\n") { line.append(byte) }
    return String(decoding: line, as: UTF8.self)
  }

  func ask(_ line: String, answers: Int = 1) -> String {
    write(line + "\n")
    return (0..<answers).map { _ in readLine() }.joined(separator: "\n")
  }
}
