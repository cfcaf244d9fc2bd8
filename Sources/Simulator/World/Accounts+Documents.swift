import Signatures

extension Accounts {
  /// The DID document, JSON as plc.directory serves it.
  func document(_ account: Int) -> [UInt8] {
    let did = String(decoding: did(account), as: UTF8.self)
    let handle = String(decoding: handle(account), as: UTF8.self)
    let key = signingKey(account).publicKey.multikey
    return Array(
      """
      {"@context":["https://www.w3.org/ns/did/v1","https://w3id.org/security/multikey/v1",\
      "https://w3id.org/security/suites/secp256k1-2019/v1"],"id":"\(did)","alsoKnownAs":["at://\(handle)"],\
      "verificationMethod":[{"id":"\(did)#atproto","type":"Multikey","controller":"\(did)",\
      "publicKeyMultibase":"\(key)"}],"service":[{"id":"#atproto_pds","type":"AtprotoPersonalDataServer",\
      "serviceEndpoint":"https://\(host(account))"}]}
      """.utf8)
  }

  /// One line of the directory, JSON without a newline. No value in it needs escaping: all are ours.
  func directoryLine(_ account: Int) -> [UInt8] {
    var created: [UInt8] = []
    TextFormat.appendTime(microseconds: createdAt(account), to: &created)
    let counts = counts(account)
    return Array(
      """
      {"did":"\(String(decoding: did(account), as: UTF8.self))",\
      "handle":"\(String(decoding: handle(account), as: UTF8.self))",\
      "created_at":"\(String(decoding: created, as: UTF8.self))","pds":"https://\(host(account))",\
      "followers":\(counts.followers),"follows":\(counts.follows),"posts":\(counts.posts)}
      """.utf8)
  }
}
