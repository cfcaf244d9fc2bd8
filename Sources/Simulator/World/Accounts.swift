import Signatures
import Synchronization

/// Handles that differ from the start. At most one per account.
final class HandleChanges: Sendable {
  let handles = Mutex<[Int: [UInt8]]>([:])
}

/// Who lives in the network: DIDs, handles, keys, ages. Everything follows from the seed and the account's number,
/// so an account costs 32 bytes until it acts.
struct Accounts: Sendable {
  /// The number ranges of the parts somebody plays.
  let everyday: Range<Int>
  let known: Range<Int>
  let newsrooms: Range<Int>
  let newcomers: Range<Int>
  let abusers: Range<Int>

  private let seed: UInt64
  private let startTime: UInt64
  private let knownAccounts: [CampaignPlan.KnownAccount]
  /// All DIDs, 32 bytes each.
  private let dids: [UInt8]
  /// Handles that identity events have changed since the start. Shared by all copies, so that whoever serves DID
  /// documents from another thread sees them.
  private let changedHandles = HandleChanges()

  static let didBytes = 32

  var count: Int { abusers.upperBound }

  init(_ configuration: SimulatorConfiguration) {
    seed = configuration.seed
    startTime = configuration.startTime
    knownAccounts = configuration.campaigns.knownAccounts
    everyday = 0..<configuration.accounts
    known = everyday.upperBound..<everyday.upperBound + knownAccounts.count
    newsrooms = known.upperBound..<known.upperBound + Newsrooms.count
    newcomers = newsrooms.upperBound..<newsrooms.upperBound + max(256, configuration.accounts / 10)
    abusers = newcomers.upperBound..<newcomers.upperBound + max(512, configuration.accounts / 5)
    var dids: [UInt8] = []
    dids.reserveCapacity(abusers.upperBound * Self.didBytes)
    for account in 0..<abusers.upperBound {
      if known.contains(account) {
        dids.append(contentsOf: knownAccounts[account - known.lowerBound].did.utf8)
      } else {
        dids.append(contentsOf: "did:plc:".utf8)
        TextFormat.appendBase32(Self.digest("did", configuration.seed, account), characters: 24, to: &dids)
      }
    }
    self.dids = dids
  }

  /// The DID's 32 bytes.
  func did(_ account: Int) -> ArraySlice<UInt8> {
    dids[account * Self.didBytes..<(account + 1) * Self.didBytes]
  }

  /// The account with this DID. Looks at all of them: for look-ups by people, not for the stream.
  func account(did: String) -> Int? {
    let wanted = Array(did.utf8)
    guard wanted.count == Self.didBytes else { return nil }
    return (0..<count).first { self.did($0).elementsEqual(wanted) }
  }

  /// The account's signing key.
  func signingKey(_ account: Int) -> SigningKey {
    do {
      return try SigningKey(Self.digest("key", seed, account))
    } catch {
      preconditionFailure("a hash outside the curve's order has never been seen and would show at once")
    }
  }

  /// An evenly spread number that belongs to this account and `purpose` for ever.
  func trait(_ purpose: UInt64, of account: Int) -> UInt64 {
    Random.mix(Random.mix(seed &+ purpose &* 0x9e37_79b9_7f4a_7c15) ^ UInt64(account))
  }

  /// The handle at present.
  func handle(_ account: Int) -> [UInt8] {
    if let changed = changedHandles.handles.withLock({ $0[account] }) { return changed }
    if known.contains(account) { return Array(knownAccounts[account - known.lowerBound].handle.utf8) }
    if newsrooms.contains(account) { return Array(Newsrooms.domain(account - newsrooms.lowerBound).utf8) }
    let trait = trait(1, of: account)
    let first = Names.first[Int(trait % UInt64(Names.first.count))]
    let second = Names.second[Int(trait >> 16 % UInt64(Names.second.count))]
    // The number is the account's own, so handles are never shared.
    return Array("\(first)\(second)\(account).\(trait >> 40 % 8 == 0 ? "garden.test" : "sim.test")".utf8)
  }

  /// Remembers what an identity event said.
  func setHandle(_ handle: [UInt8], of account: Int) {
    changedHandles.handles.withLock { $0[account] = handle }
  }

  /// The name shown in profiles.
  func displayName(_ account: Int) -> String {
    if known.contains(account) { return knownAccounts[account - known.lowerBound].name }
    if newsrooms.contains(account) { return Newsrooms.name(account - newsrooms.lowerBound) }
    let trait = trait(1, of: account)
    let first = Names.first[Int(trait % UInt64(Names.first.count))]
    let second = Names.second[Int(trait >> 16 % UInt64(Names.second.count))]
    let capital = first.prefix(1).uppercased() + first.dropFirst()
    return trait >> 50 % 3 == 0 ? capital : "\(capital) \(second.prefix(1).uppercased())\(second.dropFirst())"
  }

  /// The host that keeps the account's repository.
  func host(_ account: Int) -> String {
    let number = 1 + trait(2, of: account) % 12
    return "pds\(number < 10 ? "0" : "")\(number).sim.test"
  }

  /// Whether the account is days old: newcomers, one everyday account in 25, most abusers. A quarter of the abusers
  /// took over an old account.
  private func isYoung(_ account: Int) -> Bool {
    let trait = trait(3, of: account)
    if abusers.contains(account) { return trait >> 32 % 4 != 0 }
    return newcomers.contains(account) || everyday.contains(account) && trait >> 32 % 25 == 0
  }

  /// When the account was made, microseconds since 1970. Newcomers are hours old, young abusers and other young accounts
  /// days.
  func createdAt(_ account: Int) -> UInt64 {
    let hour: UInt64 = 3_600_000_000
    let trait = trait(3, of: account)
    let ageHours: UInt64
    if newcomers.contains(account) {
      ageHours = 1 + trait % 24
    } else if isYoung(account) {
      ageHours = 2 + trait % 94
    } else {
      ageHours = 24 * (30 + trait % 1_000)
    }
    return startTime - min(startTime, ageHours * hour + trait % hour)
  }

  /// Followers, follows and posts, as a directory would tell them at the start.
  func counts(_ account: Int) -> (followers: Int, follows: Int, posts: Int) {
    let trait = trait(4, of: account)
    let scale: UInt64
    if known.contains(account) || newsrooms.contains(account) {
      scale = 20_000
    } else if newcomers.contains(account) {
      scale = 4
    } else {
      scale = isYoung(account) ? 20 : 600
    }
    return (
      Int(trait % (scale * 2) + 1), Int(trait >> 20 % min(scale, 2_000)), Int(trait >> 40 % (scale * 3) + scale / 10)
    )
  }

  /// A digest that belongs to `purpose`, `seed` and `account`.
  private static func digest(_ purpose: StaticString, _ seed: UInt64, _ account: Int) -> Digest {
    var input = Array("osprey-feeder simulator ".utf8)
    input.append(contentsOf: UnsafeBufferPointer(start: purpose.utf8Start, count: purpose.utf8CodeUnitCount))
    for shift in stride(from: 56, through: 0, by: -8) { input.append(UInt8(truncatingIfNeeded: seed >> UInt64(shift))) }
    for shift in stride(from: 24, through: 0, by: -8) { input.append(UInt8(truncatingIfNeeded: account >> shift)) }
    return Digest(sha256: input)
  }
}
