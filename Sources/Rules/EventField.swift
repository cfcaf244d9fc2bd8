/// The fields of `event`, in the order of their numbers. This list is what the host knows, what "did you mean" offers and what
/// docs/rules.md documents.
package enum EventField: Int32, CaseIterable, Sendable {
  case did, action, id, time, seq, collection, rkey, uri, cid, path, operation, record, recordError, rev, handle, active
  case status, text, langs, links, domains, mentions, tags, isReply, replyRoot, replyParent, quote, external, images
  case displayName, description, textClean, tokens, emoji, facets, altTexts
  case accountAge, pdsHost, followers, follows, posts, profile

  /// The name in Lua.
  package var name: String {
    switch self {
    case .recordError: "record_error"
    case .isReply: "is_reply"
    case .replyRoot: "reply_root"
    case .replyParent: "reply_parent"
    case .displayName: "display_name"
    case .textClean: "text_clean"
    case .altTexts: "alt_texts"
    case .accountAge: "account_age"
    case .pdsHost: "pds_host"
    default: "\(self)"
    }
  }
}
