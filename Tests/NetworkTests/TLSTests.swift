import Foundation
import Testing

@testable import Network

/// A certificate authority and a certificate for 127.0.0.1, made for one test by the `openssl` program.
private struct Certificates {
  static let openssl = ["/usr/bin/openssl", "/usr/local/bin/openssl"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  let folder: URL
  var authority: String { folder.appendingPathComponent("ca.pem").path }
  var certificate: String { folder.appendingPathComponent("cert.pem").path }
  var key: String { folder.appendingPathComponent("key.pem").path }

  init(for names: String) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("tls-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try "subjectAltName=\(names)".write(to: folder.appendingPathComponent("ext"), atomically: true, encoding: .utf8)
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    try run(
      ["req", "-x509", "-days", "2", "-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.pem"] + curve)
    try run(["req", "-subj", "/CN=test", "-keyout", "key.pem", "-out", "cert.csr"] + curve)
    try run([
      "x509", "-req", "-days", "2", "-in", "cert.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
      "-extfile",
      "ext", "-out", "cert.pem",
    ])
  }

  func remove() throws { try FileManager.default.removeItem(at: folder) }

  private func run(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Self.openssl ?? "")
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "openssl \(arguments.joined(separator: " "))")
  }
}

@Suite(.enabled(if: Certificates.openssl != nil, "needs the openssl program to make certificates"))
struct TLSTests {
  /// A server over TLS that sends `count` frames and then keeps quiet.
  private func server(_ certificates: Certificates, frames count: Int) throws -> (HTTPServer, String) {
    var configuration = HTTPServer.Configuration(listen: "127.0.0.1:0")
    configuration.certificateFile = certificates.certificate
    configuration.privateKeyFile = certificates.key
    let server = HTTPServer(
      configuration: configuration, respond: { _ in nil },
      upgrade: { _ in
        .accept { connection in
          for number in 0..<count {
            connection.send([UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 5400))
          }
        }
      })
    return (server, try server.start())
  }

  @Test func `frames arrive over TLS with a certificate of a trusted authority, also with refusals in between`() throws
  {
    let certificates = try Certificates(for: "IP:127.0.0.1")
    let (server, address) = try server(certificates, frames: 500)
    let recorder = Recorder()
    recorder.setRoom(100)
    let running = try RunningClient(["wss://\(address)"], recorder) { $0.trustRootsFile = certificates.authority }
    try recorder.wait(for: "a refusal") { $0.last == .refused }
    recorder.setRoom(.max)
    running.client.resume()
    try recorder.wait(for: "all frames") { _ in recorder.frames.count == 500 }
    #expect(recorder.frames.map { $0[0] } == (0..<500).map { UInt8(truncatingIfNeeded: $0) })
    running.client.stop()
    server.stop()
    try certificates.remove()
  }

  @Test(arguments: [("IP:127.0.0.1", false), ("IP:127.0.0.2", true), ("DNS:elsewhere.example", true)])
  func `a certificate of a stranger or for another name is refused`(names: String, trusted: Bool) throws {
    let certificates = try Certificates(for: names)
    let (server, address) = try server(certificates, frames: 1)
    let running = try RunningClient(["wss://\(address)"]) {
      if trusted { $0.trustRootsFile = certificates.authority }
    }
    try running.recorder.wait(for: "the refusal") { _ in !running.recorder.disconnects.isEmpty }
    running.client.stop()
    guard case .tls = running.recorder.disconnects[0] else {
      Issue.record("\(running.recorder.disconnects[0])")
      return
    }
    #expect(running.recorder.frames.isEmpty)
    server.stop()
    try certificates.remove()
  }

  @Test func `a certificate file that is none is told at the start`() {
    let events = Recorder().relayEvents
    #expect(throws: NetworkError.self) {
      var configuration = RelayClient.Configuration(hosts: ["wss://127.0.0.1:1"])
      configuration.trustRootsFile = "/nonexistent/ca.pem"
      _ = try RelayClient(configuration: configuration, events: events)
    }
  }
}
