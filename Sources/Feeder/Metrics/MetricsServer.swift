import Kafka
import Network

/// `/metrics`, `/healthz`, `/readyz` and `/rules`.
package final class MetricsServer: Sendable {
  /// `/readyz` says no above this lag.
  static let lagSecondsMax = 60.0

  private let http: HTTPServer

  /// Listens on `address` (HOST:PORT; port 0 picks one).
  package init(address: String, pipeline: Pipeline) {
    http = HTTPServer(
      configuration: HTTPServer.Configuration(listen: address),
      respond: { request in Self.respond(request, pipeline) }, upgrade: { _ in nil })
  }

  /// Binds and listens; returns the address.
  package func start() throws(NetworkError) -> String { try http.start() }

  package func stop() { http.stop() }

  private static func respond(_ request: HTTPRequest, _ pipeline: Pipeline) -> HTTPResponse? {
    switch request.path {
    case "/metrics":
      let page = Exposition.page(
        pipeline.metrics, pipeline.status, rules: pipeline.ruleStatus.rules,
        candidate: pipeline.candidateStatus?.differences)
      return HTTPResponse(status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8", body: page)
    case "/healthz": return .text(200, "ok\n")
    case "/readyz":
      let missing = notReady(pipeline)
      return missing.isEmpty ? .text(200, "ready\n") : .text(503, missing.joined(separator: "\n") + "\n")
    case "/rules":
      return .json(200, RuleSetStatus.page(pipeline.ruleStatus, candidate: pipeline.candidateStatus))
    default: return nil
    }
  }

  private static func notReady(_ pipeline: Pipeline) -> [String] {
    let status = pipeline.status
    var missing: [String] = []
    if !status.isConnected { missing.append("not connected to the source") }
    if status.broker.isDown { missing.append("no Kafka broker answers") }
    if let lag = pipeline.metrics.lagSeconds, lag > lagSecondsMax, pipeline.isLive {
      missing.append("\(Int(lag)) s behind the source")
    }
    return missing
  }
}
