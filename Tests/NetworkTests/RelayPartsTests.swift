import Testing

@testable import Network

@Suite struct RelayPartsTests {
  @Test func `the wait's ceiling doubles to its longest, the wait lies under it, and a frame starts it over`() {
    var backoff = Backoff(first: .seconds(1), longest: .seconds(30))
    var ceilings: [Duration] = []
    for _ in 0..<8 {
      ceilings.append(backoff.ceiling)
      #expect(backoff.next(fraction: 0.5) == ceilings.last! * 0.5)
    }
    #expect(ceilings == [1, 2, 4, 8, 16, 30, 30, 30].map { .seconds($0) })
    for _ in 0..<10_000 { _ = backoff.next(fraction: 0) }
    #expect(backoff.ceiling == .seconds(30) && backoff.next(fraction: 0) == .zero)
    backoff.reset()
    #expect(backoff.ceiling == .seconds(1))
  }

  @Test(arguments: [
    ("wss://bsky.network", "wss://bsky.network/xrpc/com.atproto.sync.subscribeRepos", "bsky.network"),
    ("bsky.network", "wss://bsky.network/xrpc/com.atproto.sync.subscribeRepos", "bsky.network"),
    ("https://Relay.Example:443/", "wss://relay.example/xrpc/com.atproto.sync.subscribeRepos", "relay.example"),
    ("http://localhost:2470", "ws://localhost:2470/xrpc/com.atproto.sync.subscribeRepos", "localhost:2470"),
    ("ws://[::1]:80/a/b?x=1&cursor=5&y#z", "ws://[::1]/a/b?x=1&y", "[::1]"),
    ("wss://relay.example:80", "wss://relay.example:80/xrpc/com.atproto.sync.subscribeRepos", "relay.example:80"),
  ])
  func `an address is read as a URL and named by its host`(text: String, url: String, name: String) throws {
    let address = try #require(RelayAddress(text))
    #expect(address.url == url)
    #expect(address.name == name)
  }

  @Test(arguments: [
    "", "ftp://host", "ws://", "ws://:80", "ws://host:0", "ws://host:70000", "ws://host:x", "ws://user@host",
    "ws://ho st", "ws://host/\r\nX: y", "ws://[::1", "ws://[::1]x", "ws://hôst/é",
  ])
  func `what is no address is refused`(text: String) {
    #expect(RelayAddress(text) == nil)
  }

  @Test func `a redirect keeps to TLS and to absolute addresses`() throws {
    let address = try #require(RelayAddress("wss://a.example"))
    #expect(address.redirected(to: "https://b.example/p?q=1")?.url == "wss://b.example/p?q=1")
    #expect(address.redirected(to: "//b.example/p")?.url == "wss://b.example/p")
    #expect(address.redirected(to: "/p")?.url == "wss://a.example/p")
    #expect(address.redirected(to: "http://b.example/p") == nil)
    #expect(address.redirected(to: "p") == nil)
    let plain = try #require(RelayAddress("ws://a.example:1"))
    #expect(plain.redirected(to: "wss://b.example/p")?.url == "wss://b.example/p")
    #expect(plain.redirected(to: "/p")?.url == "ws://a.example:1/p")
    #expect(plain.target(cursor: nil) == RelayAddress.streamPath)
  }

  @Test func `Retry-After is read as seconds or as a date`() {
    #expect(RetryAfter.parse("120", now: 0) == .seconds(120))
    #expect(RetryAfter.parse("Sun, 06 Nov 1994 08:49:37 GMT", now: 784_111_777 - 60) == .seconds(60))
    #expect(RetryAfter.parse("Sun, 06 Nov 1994 08:49:37 GMT", now: 784_111_777 + 60) == .zero)
    #expect(RetryAfter.parse("-1", now: 0) == nil)
    #expect(RetryAfter.parse("soon", now: 0) == nil)
  }

  @Test func `a quiet stream may gather, a busy one not, and it becomes quiet again`() {
    var now: UInt64 = 5_000_000_000
    var pacer = ReadPacer(now: now)
    // 1,000 frames of 5.4 KB a second, read ten times a second; and a burst of 750 KB among them.
    for number in 0..<50 {
      now += 100_000_000
      let mayGather = pacer.gathers(afterReading: number == 30 ? 750_000 : 540_000, now: now)
      #expect(mayGather)
    }
    // 5 KB every 50 µs are 100 MB/s. The rate is known after 100 ms.
    for _ in 0..<2000 {
      now += 50_000
      _ = pacer.gathers(afterReading: 5000, now: now)
    }
    for _ in 0..<3000 {
      now += 50_000
      let mayGather = pacer.gathers(afterReading: 5000, now: now)
      #expect(!mayGather)
    }
    for _ in 0..<200 {
      now += 1_000_000
      _ = pacer.gathers(afterReading: 8000, now: now)
    }
    let isQuiet = pacer.gathers(afterReading: 8000, now: now)
    #expect(isQuiet)
    // A silence of an hour, such as a stall, is a quiet stream.
    now += 3_600_000_000_000
    let staysQuiet = pacer.gathers(afterReading: 768 << 10, now: now)
    #expect(staysQuiet)
  }
}
