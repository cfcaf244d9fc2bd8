/// What may happen besides everyday traffic. The raw values are the names in `campaigns.json` and in the ground truth.
package enum PlayKind: String, CaseIterable, Sendable {
  case linkFlood = "link_flood"
  case copyPaste = "copy_paste"
  case massFollow = "mass_follow"
  case mentionSpam = "mention_spam"
  case lookalike
  case newsBot = "news_bot"
  case starterPack = "starter_pack"
  case meme
  case sharedQuote = "shared_quote"
  case conversation
  case fanAccount = "fan_account"
  case knownAccount = "known_account"

  /// Whether its events belong into the ground truth; the others are honest and only look like abuse.
  package var isAbuse: Bool {
    switch self {
    case .linkFlood, .copyPaste, .massFollow, .mentionSpam, .lookalike: true
    case .newsBot, .starterPack, .meme, .sharedQuote, .conversation, .fanAccount, .knownAccount: false
    }
  }
}
