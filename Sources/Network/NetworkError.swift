/// What can be wrong with an address or a certificate before anything is sent.
package enum NetworkError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Not an address; the text.
  case badAddress(String)
  /// A certificate or key file that cannot be used, and why.
  case badCertificate(String, cause: String)
  /// The address cannot be listened on, and why.
  case cannotListen(String, cause: String)

  package var description: String {
    switch self {
    case .badAddress(let text): "not an address: '\(text)'"
    case .badCertificate(let file, let cause): "certificate \(file): \(cause)"
    case .cannotListen(let address, let cause): "cannot listen on \(address): \(cause)"
    }
  }
}
