/// Texts of the plays that came with version 2 of the plan.
extension PlayTexts {
  /// Reply flood: the pitch of an instance, and what stands before it.
  static let replyPitches = [
    "I paint portraits of pets from photos, see my profile", "come and see what my coach did for me, link in bio",
    "the best earnings are on my page, take a look", "I give readings for free today, write to me",
    "my new channel explains exactly this, follow for more", "we ship these shoes to you for half, see profile",
  ]
  static let replyOpenings = [
    "So true,", "Love this!", "Great post,", "Wow,", "Exactly what I thought,", "Well said,", "Nice one,", "Haha,",
    "Interesting,", "This is so cool,",
  ]

  /// Hashtag stuffing, and what a photographer writes.
  static let tagPitches = ["Follow me", "New drop is out", "Check this", "Good vibes only", "Best of the best"]
  static let popularTags = [
    "art", "music", "trending", "viral", "love", "news", "follow", "fyp", "crypto", "fashion", "cats", "dogs", "food",
    "travel", "gaming", "football", "books", "film", "photo", "style", "fitness", "beauty", "cars", "money", "sale",
    "anime", "kpop", "memes", "summer", "party",
  ]
  static let photoTags = [
    "photography", "landscape", "analog", "35mm", "goldenhour", "harbour", "birds", "macro", "longexposure", "film",
    "blackandwhite", "fog", "lighthouse", "street",
  ]

  /// Scams: a promise and a call to get in touch.
  static let scamPromises = [
    "Double your bitcoin in one day", "Guaranteed profit every week, no risk",
    "I turned 200 into 9000 with this broker",
    "Earn from home, no experience needed", "Your wallet was selected for the airdrop",
    "Recover your lost crypto with the help of an expert", "Free gift cards for the first 50 people",
    "Investment plan with 300% return", "Claim your inheritance fund today",
  ]
  static let scamCalls = [
    "DM me on Telegram", "Write to me on WhatsApp now", "Send me your seed phrase to verify",
    "Text my manager on Telegram", "Connect your wallet to claim", "Inbox me for details",
    "Message me on Signal to start",
  ]
  /// People who talk about such things, or use the same words for others.
  static let scamTalk = [
    "Never give your seed phrase to anybody, not even to support.", "The parliament debates crypto regulation again.",
    "My aunt got a message about an inheritance fund and laughed for a week.", "Is Telegram down for anybody else?",
    "Lost my wallet on the tram, it is brown and quite old.", "We moved the choir's chat from WhatsApp to Signal.",
    "The airdrop in last night's match decided everything.", "I have no experience with sourdough, tips needed!",
    "Found a gift card from 2009 in a book about Bitcoin.", "An expert on the radio explained how brokers earn money.",
    "DM me if you still need a tent for the weekend.", "Guaranteed rain at every single picnic of mine.",
    "They ask you to connect your wallet, then it is empty: please warn your parents.",
  ]

  /// Lists: walls of shame, and what curators make.
  static let wallNames = [
    "Clowns to laugh at", "Liars, all of them", "People who will regret it", "The wall", "Idiots of the week",
  ]
  static let curatedNames = [
    "Lighthouse keepers", "Soup people", "Birds of the north", "Botanists", "Tram drivers", "Poets who bake",
  ]

  /// Letters as censors meet them.
  static let substitutes: [UInt8: String] = [
    UInt8(ascii: "a"): "4", UInt8(ascii: "e"): "3", UInt8(ascii: "i"): "1", UInt8(ascii: "o"): "0",
    UInt8(ascii: "s"): "$",
  ]
}

extension Disguise {
  /// Words as people write them to get past lists: digits for letters, dots between letters, letters of other scripts.
  static func censored(_ text: String, _ random: inout Random) -> String {
    text.split(separator: " ", omittingEmptySubsequences: false).map { word in
      guard word.count > 4, random.chance(60) else { return String(word) }
      switch random.below(3) {
      case 0:
        return word.map { letter in
          guard let ascii = letter.asciiValue, let digit = PlayTexts.substitutes[ascii], random.chance(70) else {
            return String(letter)
          }
          return digit
        }.joined()
      case 1: return word.map(String.init).joined(separator: ".")
      default: return homoglyphs(String(word), share: 60, &random)
      }
    }.joined(separator: " ")
  }
}
