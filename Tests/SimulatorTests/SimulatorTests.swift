import ATProto
import Foundation
import Signatures
import Testing

@testable import Simulator

@Suite struct StreamTests {
  @Test func `the same seed gives the same bytes on every machine`() {
    var all: [UInt8] = []
    for frame in Sample.shared.frames { all += Digest(sha256: frame.bytes).bytes }
    let hex = Digest(sha256: all).bytes.map { String(format: "%02x", $0) }.joined()
    // Changes only when the simulator's output is meant to change; campaign numbers and texts count as output.
    #expect(hex == "5f9d5d048f8959a09159e3d52e424f624e5fbe69f5467766f7e4ae1aba4ec958")
  }

  @Test func `another seed gives another network`() {
    let other = World(SimulatorConfiguration(seed: 8, accounts: 400, repositoryPercent: 1))
    #expect(other.directory.did(0) != Sample.shared.directory.did(0))
    // Known accounts are the same everywhere, so that rules can list them.
    #expect(other.directory.did(400) == CampaignPlan.standard.knownAccounts[0].did)
  }

  @Test func `every frame of a healthy network decodes without a complaint, down to the last block`() {
    var options = DecodeOptions()
    options.verifyAllBlocks = true
    options.strictCBOR = true
    options.emitSync = true
    let decoder = FrameDecoder(options: options)
    var decoded = DecodedFrame()
    for frame in Sample.shared.frames {
      withBytes(frame.bytes) { decoder.decode($0, into: &decoded) }
      let isEmpty = decoded.outcome == .skip && decoded.skipped == .noOperations
      #expect(decoded.outcome == .accept || isEmpty, "\(frame.info.seq): \(String(describing: decoded.reason))")
      #expect(decoded.sequence == frame.info.seq)
      #expect(decoded.timeMs == Int64(frame.info.time / 1_000))
      #expect(decoded.defects == [])
      #expect(decoded.operations.allSatisfy { $0.dropped == nil && $0.recordError == nil })
    }
  }

  @Test func `every commit is signed by the key in its account's DID document`() throws {
    var keys: [String: VerifyingKey] = [:]
    var checker = CommitSignature()
    for frame in Sample.shared.frames where frame.info.kind == .commit || frame.info.kind == .sync {
      let payload = try #require(Payload(frame.bytes))
      let did = try #require(payload.text("repo") ?? payload.text("did"))
      let key = try keys[did] ?? VerifyingKey(multikey(of: did))
      keys[did] = key
      let blocks = carBlocks(frame.bytes[frame.info.blocks])
      let block = try #require(blocks.first { Payload($0.data, at: 0)?["sig"] != nil })
      #expect(payload.digest("commit") ?? block.digest == block.digest)
      try checker.verify(commit: block.data, with: key)
    }
  }

  private func multikey(of did: String) throws -> PublicKey {
    let document = try #require(Sample.shared.directory.document(did))
    let json = try #require(JSONSerialization.jsonObject(with: Data(document)) as? [String: Any])
    #expect(json["id"] as? String == did)
    let methods = try #require(json["verificationMethod"] as? [[String: Any]])
    return try PublicKey(multikey: #require(methods[0]["publicKeyMultibase"] as? String))
  }

  @Test func `each account's commits follow from each other, and undoing the operations gives the tree before`() throws
  {
    var last: [String: (rev: String, data: Digest)] = [:]
    for (number, frame) in Sample.shared.frames.enumerated()
    where frame.info.kind == .commit || frame.info.kind == .sync {
      let payload = try #require(Payload(frame.bytes))
      let did = try #require(payload.text("repo") ?? payload.text("did"))
      let rev = try #require(payload.text("rev"))
      let blocks = carBlocks(frame.bytes[frame.info.blocks])
      let commit = try #require(blocks.lazy.compactMap { Payload($0.data, at: 0) }.first { $0["sig"] != nil })
      let data = try #require(commit.digest("data"))
      #expect(commit.text("rev") == rev && commit.text("did") == did)
      if let before = last[did] {
        #expect(rev > before.rev)
        if frame.info.kind == .commit {
          #expect(payload.text("since") == before.rev)
          #expect(payload.digest("prevData") == before.data)
        }
      }
      last[did] = (rev, data)
      guard frame.info.kind == .commit, number % 5 == 0 || payload.maps("ops").count > 1 else { continue }
      let byDigest = Dictionary(blocks.map { ($0.digest, $0.data) }) { first, _ in first }
      var root = partialTree(data, layer: nil, byDigest)
      // An empty top node does not tell its layer; a single operation on such a tree is not sampled.
      if root.entries.isEmpty, root.left != nil { continue }
      for operation in payload.maps("ops").reversed() {
        let key = TreeKey(try #require(operation.text("path")))
        let isCreate = operation.text("action") == "create"
        root = isCreate ? root.removing(key) : root.setting(key, to: try #require(operation.digest("prev")))
      }
      #expect(sealed(root) == payload.digest("prevData"), "\(frame.info.seq)")
    }
  }

  @Test func `frames look like real ones`() throws {
    let commits = Sample.shared.frames.filter { $0.info.kind == .commit }
    let bytes = commits.reduce(0) { $0 + $1.bytes.count }
    let inBlocks = commits.reduce(0) { $0 + $1.info.blocks.count }
    let blockCount = commits.reduce(0) { $0 + carBlocks($1.bytes[$1.info.blocks]).count }
    // protocol.md §5: 5,458 bytes, 10.47 blocks, 93 % of the bytes inside `blocks`.
    #expect((4_900...6_000).contains(bytes / commits.count), "\(bytes / commits.count) bytes")
    let tenthsOfBlocks = blockCount * 10 / commits.count
    #expect((92...118).contains(tenthsOfBlocks), "\(tenthsOfBlocks) tenths of blocks")
    #expect((915...945).contains(inBlocks * 1_000 / bytes), "\(inBlocks * 1_000 / bytes) per mille")
  }

  @Test func `the mix of events is the real one`() throws {
    var collections: [String: Int] = [:]
    var actions: [String: Int] = [:]
    for frame in Sample.shared.frames where frame.info.kind == .commit && frame.info.play == nil {
      for operation in try #require(Payload(frame.bytes)).maps("ops") {
        collections[String(try #require(operation.text("path")).prefix { $0 != "/" }), default: 0] += 1
        actions[try #require(operation.text("action")), default: 0] += 1
      }
    }
    let total = actions.values.reduce(0, +)
    func perMille(_ count: Int?) -> Int { (count ?? 0) * 1_000 / total }
    #expect((660...760).contains(perMille(collections["app.bsky.feed.like"])), "\(collections)")
    #expect((90...140).contains(perMille(collections["app.bsky.feed.post"])), "\(collections)")
    #expect((80...130).contains(perMille(collections["app.bsky.feed.repost"])), "\(collections)")
    #expect((920...970).contains(perMille(actions["create"])), "\(actions)")
    #expect((25...60).contains(perMille(actions["delete"])), "\(actions)")
    #expect((4...30).contains(perMille(actions["update"])), "\(actions)")
    let kinds = Dictionary(grouping: Sample.shared.frames) { $0.info.kind }.mapValues(\.count)
    #expect((10...80).contains(kinds[.identity] ?? 0) && (5...60).contains(kinds[.account] ?? 0), "\(kinds)")
    #expect((1...30).contains(kinds[.sync] ?? 0), "\(kinds)")
  }
}

@Suite struct TruthTests {
  @Test func `each line of the truth names an operation of its own frame and DID`() throws {
    var campaigns: [String: Int] = [:]
    for frame in Sample.shared.frames {
      #expect(frame.info.truth.isEmpty == (frame.info.play?.isAbuse != true))
      guard !frame.info.truth.isEmpty else { continue }
      let payload = try #require(Payload(frame.bytes))
      let did = try #require(payload.text("repo") ?? payload.text("did"))
      let paths = try payload.maps("ops").map { "at://\(did)/\(try #require($0.text("path")))" }
      #expect(frame.info.truth.compactMap(\.uri) == paths)
      #expect(frame.info.truth.allSatisfy { $0.did == did && $0.seq == frame.info.seq })
      if frame.info.kind == .identity { #expect(frame.info.truth.map(\.uri) == [nil]) }
      for entry in frame.info.truth {
        campaigns[entry.campaign, default: 0] += 1
        let json = try JSONSerialization.jsonObject(with: Data(entry.json.utf8)) as? [String: Any]
        #expect(json?["did"] as? String == did)
      }
    }
    // Every campaign has begun by now.
    #expect(Set(campaigns.keys) == Set(PlayKind.allCases.filter(\.isAbuse).map(\.rawValue)), "\(campaigns)")
  }

  @Test func `hard negatives happen too and are not in the truth`() {
    let plays = Set(Sample.shared.frames.compactMap(\.info.play))
    #expect(plays == Set(PlayKind.allCases))
  }

  @Test func `abusers do nothing but abuse and others never do`() {
    let accounts = Sample.shared.directory.accounts
    for frame in Sample.shared.frames {
      #expect(accounts.abusers.contains(frame.info.account) == !frame.info.truth.isEmpty)
    }
  }

  @Test func `the directory has a line and a document for everybody`() throws {
    let directory = Sample.shared.directory
    var handles: Set<String> = []
    for number in 0..<directory.count {
      let line = try #require(JSONSerialization.jsonObject(with: Data(directory.line(number))) as? [String: Any])
      #expect(Set(line.keys) == ["did", "handle", "created_at", "pds", "followers", "follows", "posts"])
      let did = try #require(line["did"] as? String)
      handles.insert(try #require(line["handle"] as? String))
      guard number % 50 == 0 else { continue }
      let document = try #require(directory.document(did))
      let json = try #require(JSONSerialization.jsonObject(with: Data(document)) as? [String: Any])
      #expect(json["alsoKnownAs"] as? [String] == ["at://\(line["handle"] ?? "")"])
    }
    #expect(handles.count > directory.count - 20)
    #expect(directory.document("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa") == nil)
  }

  @Test func `facets point to the bytes they mean`() throws {
    var seen = 0
    for frame in Sample.shared.frames where frame.info.kind == .commit {
      for block in carBlocks(frame.bytes[frame.info.blocks]) {
        guard let record = Payload(block.data, at: 0), record.text("$type") == "app.bsky.feed.post" else { continue }
        let raw = try #require(record["text"])
        let text = Array(raw.dropFirst([0x78: 2, 0x79: 3][raw[0]] ?? 1))
        for facet in record.maps("facets") {
          let encoded = try #require(facet["index"])
          let index = try #require(Payload(encoded, at: 0))
          func number(_ key: String) throws -> Int {
            let item = try #require(index[key])
            return item.count == 1 ? Int(item[0]) : item.dropFirst().reduce(0) { $0 << 8 | Int($1) }
          }
          let shown = String(decoding: text[try number("byteStart")..<number("byteEnd")], as: UTF8.self)
          let feature = try #require(facet.maps("features").first)
          switch feature.text("$type") {
          case "app.bsky.richtext.facet#mention": #expect(shown.hasPrefix("@") && shown.contains(".test"))
          case "app.bsky.richtext.facet#tag": #expect(shown == "#\(feature.text("tag") ?? "")")
          default: #expect(feature.text("uri")?.hasSuffix(shown) == true || PlayTexts.anchors.contains(shown))
          }
          seen += 1
        }
      }
    }
    #expect(seen > 100)
  }
}

@Suite struct PlanTests {
  @Test func `the plan of the project is complete`() {
    let plan = CampaignPlan.standard
    for kind in PlayKind.allCases { #expect(plan.play(kind) != nil, "\(kind)") }
    #expect(plan.knownAccounts.count == 16)
  }

  @Test func `a plan that makes no sense is refused by name`() throws {
    let text = String(decoding: PackageResources.campaigns_json, as: UTF8.self)
    func parse(_ from: String, _ to: String) throws {
      _ = try CampaignPlan(json: Array(text.replacingOccurrences(of: from, with: to).utf8))
    }
    #expect(throws: CampaignPlan.Problem.unknownName("link_rain")) { try parse("\"link_flood\"", "\"link_rain\"") }
    #expect(throws: CampaignPlan.Problem.unknownName("link_flood")) { try parse("\"meme\"", "\"link_flood\"") }
    #expect(throws: CampaignPlan.Problem.badNumber(play: "mass_follow", member: "events_per_account")) {
      try parse("[120, 300]", "[300, 120]")
    }
    #expect(throws: CampaignPlan.Problem.badDID("did:plc:short")) {
      try parse("did:plc:aaoa2jc3picq6wxle3qr4cmn", "did:plc:short")
    }
    #expect {
      try CampaignPlan(json: [0x7b])
    } throws: { error in
      guard case .unreadable? = error as? CampaignPlan.Problem else { return false }
      return true
    }
  }
}
