/// What may happen besides everyday traffic. The raw values are the names in `campaigns.json` and in the ground truth.
package enum PlayKind: String, CaseIterable, Sendable {
  case linkFlood = "link_flood"
  case copyPaste = "copy_paste"
  case massFollow = "mass_follow"
  case mentionSpam = "mention_spam"
  case lookalike
  case replyFlood = "reply_flood"
  case hashtagStuffing = "hashtag_stuffing"
  case followChurn = "follow_churn"
  case scam
  case identityFlapping = "identity_flapping"
  case listAbuse = "list_abuse"
  case newsBot = "news_bot"
  case starterPack = "starter_pack"
  case meme
  case sharedQuote = "shared_quote"
  case conversation
  case fanAccount = "fan_account"
  case knownAccount = "known_account"
  case questionHour = "question_hour"
  case photographer
  case cleanUp = "clean_up"
  case scamTalk = "scam_talk"
  case rename
  case curator

  /// Whether its events belong into the ground truth; the others are honest and only look like abuse.
  package var isAbuse: Bool {
    switch self {
    case .linkFlood, .copyPaste, .massFollow, .mentionSpam, .lookalike, .replyFlood, .hashtagStuffing, .followChurn,
      .scam, .identityFlapping, .listAbuse:
      true
    case .newsBot, .starterPack, .meme, .sharedQuote, .conversation, .fanAccount, .knownAccount, .questionHour,
      .photographer, .cleanUp, .scamTalk, .rename, .curator:
      false
    }
  }
}
