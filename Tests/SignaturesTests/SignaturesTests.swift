import Foundation
import Testing

@testable import Signatures

/// `../shared/data` beside the package; tests that need it are skipped where it is missing.
private let data = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared/data")
private let hasData = FileManager.default.fileExists(atPath: data.appendingPathComponent("interop/crypto").path)

private func bytes(_ path: String) throws -> [UInt8] {
  try [UInt8](Data(contentsOf: data.appendingPathComponent(path)))
}

private func base64(_ text: String) -> [UInt8] {
  let padded = text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
  return Data(base64Encoded: padded).map { [UInt8]($0) } ?? []
}

private func key(_ number: UInt8) throws -> SigningKey {
  try SigningKey(Digest(sha256: [number]))
}

@Suite struct KeyTests {
  @Test func `a key survives the way through did key and multikey`() throws {
    let key = try key(1).publicKey
    #expect(key.didKey.hasPrefix("did:key:zQ3s"))
    #expect(try PublicKey(didKey: key.didKey) == key)
    #expect(try PublicKey(multikey: key.multikey) == key)
  }

  @Test(arguments: [
    "", "z", "did:key:", "did:key:zz", "did:key:zQ3sh0", "zQ3shqwJEJyMBsBXCWyCBpUBMqxcon9oHB7mCvx4sSpMd",
  ])
  func `what is no key is refused`(_ text: String) {
    #expect(throws: SignatureError.badKey) { try PublicKey(didKey: text) }
    #expect(throws: SignatureError.badKey) { try PublicKey(multikey: text) }
  }

  @Test func `a very long text is refused at once`() {
    #expect(throws: SignatureError.badKey) { try PublicKey(multikey: "z" + String(repeating: "2", count: 1 << 20)) }
  }

  @Test func `a point off the curve is refused`() throws {
    for curve in PublicKey.Curve.allCases {
      let refused = (1...20).contains { number in
        guard let key = try? PublicKey(curve: curve, point: [2] + Digest(sha256: [UInt8(number)]).bytes) else {
          return false
        }
        return (try? VerifyingKey(key)) == nil
      }
      // Half of all numbers are no x of any point.
      #expect(refused)
    }
  }

  @Test func `a secret of zero or beyond the order is refused`() {
    #expect(throws: SignatureError.badSecret) { try SigningKey(Digest()) }
    let ones = [UInt8](repeating: 0xff, count: 32)
    #expect(throws: SignatureError.badSecret) { try SigningKey(ones.withUnsafeBytes { Digest(copying: $0) }) }
  }

  @Test(.enabled(if: hasData, "needs ../shared/data"))
  func `the interoperability did keys are understood and printed alike`() throws {
    for file in ["w3c_didkey_K256", "w3c_didkey_P256"] {
      let cases = try JSONSerialization.jsonObject(with: Data(bytes("interop/crypto/\(file).json"))) as? [[String: Any]]
      for fixture in try #require(cases) {
        let did = try #require(fixture["publicDidKey"] as? String)
        #expect(try PublicKey(didKey: did).didKey == did)
      }
    }
  }
}

@Suite struct VerificationTests {
  @Test func `signing is deterministic and verifies`() throws {
    let secret = try key(2)
    let digest = Digest(sha256: Array("hello".utf8))
    let signature = secret.sign(digest)
    #expect(signature == secret.sign(digest))
    let verifier = try VerifyingKey(secret.publicKey)
    try verifier.verify(signature, over: digest)
    #expect(throws: SignatureError.mismatch) { try verifier.verify(signature, over: Digest(sha256: [0])) }
    #expect(throws: SignatureError.mismatch) { try VerifyingKey(key(3).publicKey).verify(signature, over: digest) }
    #expect(throws: SignatureError.badSignature) { try verifier.verify(Array(signature.dropLast()), over: digest) }
  }

  @Test(.enabled(if: hasData, "needs ../shared/data"))
  func `the interoperability signatures are judged as they say`() throws {
    let cases = try JSONSerialization.jsonObject(with: Data(bytes("interop/crypto/signature-fixtures.json")))
    let fixtures = try #require(cases as? [[String: Any]])
    #expect(fixtures.count == 6)
    for fixture in fixtures {
      let message = base64(try #require(fixture["messageBase64"] as? String))
      let signature = base64(try #require(fixture["signatureBase64"] as? String))
      let isValid = try #require(fixture["validSignature"] as? Bool)
      let key = try PublicKey(didKey: #require(fixture["publicKeyDid"] as? String))
      let legacy = try PublicKey(
        legacyMultibase: #require(fixture["publicKeyMultibase"] as? String),
        suite: #require(fixture["didDocSuite"] as? String))
      #expect(key == legacy)
      let verifier = try VerifyingKey(key)
      let accepted = (try? verifier.verify(signature, over: Digest(sha256: message))) != nil
      #expect(accepted == isValid, "\(fixture["comment"] ?? "")")
    }
  }

  @Test(.enabled(if: hasData, "needs ../shared/data"))
  func `every commit of the real window is signed by its account`() throws {
    let documents = try JSONSerialization.jsonObject(with: Data(bytes("frames/did_docs_000_099.json")))
    let keys = try #require(documents as? [String: [String: Any]])
    let capture = try bytes("frames/frames_000_099.bin")
    var checker = CommitSignature()
    var offset = 0
    var verified = 0
    while offset < capture.count {
      let length = capture[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
      let frame = Array(capture[offset + 4..<offset + 4 + length])
      offset += 4 + length
      guard let (did, block) = commit(frame) else { continue }
      let methods = try #require(keys[did]?["verificationMethod"] as? [[String: Any]])
      let multikey = try #require(methods.first?["publicKeyMultibase"] as? String)
      let key = try VerifyingKey(PublicKey(multikey: multikey))
      try checker.verify(commit: block, with: key)
      var damaged = block
      damaged[10] ^= 1
      #expect(throws: SignatureError.self) { try checker.verify(commit: damaged, with: key) }
      verified += 1
    }
    #expect(verified >= 95)
  }

  /// The account and the commit block of a commit frame: the block whose CID the payload names.
  private func commit(_ frame: [UInt8]) -> (did: String, block: [UInt8])? {
    frame.withUnsafeBytes { bytes in
      var fields: [CBORScan.Entry] = []
      guard let end = CBORScan.skip(bytes, at: 0), CBORScan.map(bytes, at: end, into: &fields) != nil else {
        return nil
      }
      func value(_ key: String) -> Slice<UnsafeRawBufferPointer>? {
        fields.first { bytes[$0.key].elementsEqual(key.utf8) }.map { bytes[$0.value] }
      }
      guard let repo = value("repo"), let cid = value("commit")?.dropFirst(5), let blocks = value("blocks") else {
        return nil
      }
      let wanted = Array(cid)
      let car = Array(blocks)
      // The CAR names the CID in its header first; the commit object starts with a map of six after it.
      for start in car.indices.dropLast(36) where car[start] == 1 && car[start + 36] == 0xa6 {
        guard Array(car[start..<start + 36]) == wanted else { continue }
        let rest = Array(car[(start + 36)...])
        guard let end = rest.withUnsafeBytes({ CBORScan.skip($0, at: 0) }) else { return nil }
        return (String(decoding: repo.dropFirst(2), as: UTF8.self), Array(rest[..<end]))
      }
      return nil
    }
  }
}

@Suite struct CommitTests {
  private func signed(fields: [UInt8], count: UInt8, _ secret: SigningKey, sigFirst: Bool = false) -> [UInt8] {
    let unsigned = [0xa0 | count] + fields
    let signature = Array([0x63] + "sig".utf8) + [0x58, 0x40] + secret.sign(Digest(sha256: unsigned))
    return [0xa0 | (count + 1)] + (sigFirst ? signature + fields : fields + signature)
  }

  @Test func `the signature covers the other fields in canonical order`() throws {
    let secret = try key(4)
    let key = try VerifyingKey(secret.publicKey)
    let fields = Array([0x63] + "did".utf8) + [0x61, 0x78] + Array([0x67] + "version".utf8) + [0x03]
    var checker = CommitSignature()
    try checker.verify(commit: signed(fields: fields, count: 2, secret), with: key)
    try checker.verify(commit: signed(fields: fields, count: 2, secret, sigFirst: true), with: key)
  }

  @Test(
    arguments: [
      [], [0xa0], [0xa1, 0x63, 0x73, 0x69, 0x67, 0xf6], [0x80], [0xa1, 0x63, 0x73, 0x69], [0xbf, 0xff],
      [0xa1, 0x63, 0x73, 0x69, 0x67, 0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
      [0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0xa0, 0x00],
    ] as [[UInt8]])
  func `what is no commit is refused without reading past its end`(_ block: [UInt8]) throws {
    let key = try VerifyingKey(key(5).publicKey)
    var checker = CommitSignature()
    #expect(throws: SignatureError.badCommit) { try checker.verify(commit: block, with: key) }
  }
}
