import NIOSSL

/// TLS towards relays: certificates are verified, name and all, against the system's authorities or those of a file.
/// Reading these takes tens of milliseconds and some megabytes, so it is done once, and only where TLS is used.
///
/// @unchecked Sendable: used by the client's initializer, then only on the client's loop.
final class RelayTLS: @unchecked Sendable {
  private let trustRootsFile: String?
  private var made: NIOSSLContext?

  init(trustRootsFile: String?) { self.trustRootsFile = trustRootsFile }

  func context() throws(NetworkError) -> NIOSSLContext {
    if let made { return made }
    do {
      var settings = TLSConfiguration.makeClientConfiguration()
      if let trustRootsFile { settings.trustRoots = .file(trustRootsFile) }
      let context = try NIOSSLContext(configuration: settings)
      made = context
      return context
    } catch {
      throw .badCertificate(trustRootsFile ?? "the system's certificates", cause: "\(error)")
    }
  }
}
