extension API {
  static let event: [APIEntry] = [
    APIEntry(
      .event, "event.did: string?", "The account. nil only for `info`.", "count(\"posts\", event.did, hours(1))"),
    APIEntry(
      .event, "event.handle: string?",
      "The account's handle: what an identity event announces, else the one that is known."),
    APIEntry(.event, "event.action: string", "What happened.", "event.action == \"operation#create\""),
    APIEntry(.event, "event.operation: string?", "`create`, `update` or `delete`; nil outside operations."),
    APIEntry(.event, "event.id: integer", "The action id, the same on every replay."),
    APIEntry(.event, "event.seq: integer", "The number the relay gave the frame."),
    APIEntry(.event, "event.rev: string?", "The repository's revision; commits only."),
    APIEntry(.event, "event.time: string?", "The event's own time as it was sent, `2026-07-04T14:38:07.918Z`."),
    APIEntry(
      .event, "event.collection: string?", "The record's collection.", "event.collection == \"app.bsky.feed.post\""),
    APIEntry(.event, "event.rkey: string?", "The record's key."),
    APIEntry(.event, "event.path: string?", "`collection/rkey`."),
    APIEntry(.event, "event.uri: string?", "The record's address, `at://did/collection/rkey`."),
    APIEntry(.event, "event.cid: string?", "The record's CID; nil on delete."),
    APIEntry(
      .event, "event.record: table?", "The record itself; any member, however deep, without guards. nil on delete.",
      "event.record.embed.external.uri"),
    APIEntry(
      .event, "event.record_error: string?", "Why the record cannot be read, else nil.",
      "event.record_error == \"too_deep\""),
    APIEntry(.event, "event.active: boolean?", "Account events: whether the account is active."),
    APIEntry(.event, "event.status: string?", "Account events: why it is not (`takendown`, `deactivated`, …)."),
    APIEntry(.event, "event.text: string?", "The post's text."),
    APIEntry(.event, "event.text_clean: string?", "`text.clean` of the text, made once for all rules."),
    APIEntry(
      .event, "event.tokens: string[]", "`text.tokens` of the text, made once for all rules.", "#event.tokens < 3"),
    APIEntry(
      .event, "event.emoji: string[]", "`text.emoji` of the text, made once for all rules.", "#event.emoji > 10"),
    APIEntry(
      .event, "event.alt_texts: string[]",
      "What pictures and videos show, in the words of who posted them; empty ones left out."),
    APIEntry(
      .event, "event.facets: table?", "The post's facets as they stand in the record.",
      "event.facets[1].features[1].uri"),
    APIEntry(.event, "event.langs: string[]", "The languages the post claims."),
    APIEntry(
      .event, "event.links: string[]",
      "Addresses of facets and of the link card; where no facet has one, those in the text.", "#event.links > 8"),
    APIEntry(
      .event, "event.domains: string[]",
      "Hosts of the links and of addresses in the text, also those without scheme (`example.com/x`); lower case, without `www.`, each once."
    ),
    APIEntry(.event, "event.mentions: string[]", "DIDs that facets mention."),
    APIEntry(.event, "event.tags: string[]", "Hashtags of the facets and of the post, without `#`."),
    APIEntry(.event, "event.is_reply: boolean", "Whether the record answers another."),
    APIEntry(.event, "event.reply_root: string?", "Address of the thread's first post."),
    APIEntry(.event, "event.reply_parent: string?", "Address of the post it answers."),
    APIEntry(.event, "event.quote: string?", "Address of the quoted record."),
    APIEntry(.event, "event.external: string?", "Address on the link card."),
    APIEntry(.event, "event.images: integer", "How many pictures."),
    APIEntry(.event, "event.display_name: string?", "A profile's name."),
    APIEntry(.event, "event.description: string?", "A profile's (or list's) description."),
    APIEntry(
      .event, "event.account_age: number?",
      "Seconds between the account's creation and the event; nil where it is not known.",
      "event.account_age < days(7)"),
    APIEntry(.event, "event.pds_host: string?", "Host of the account's server, where it is known."),
    APIEntry(.event, "event.followers: integer?", "How many follow the account, where it is known."),
    APIEntry(.event, "event.follows: integer?", "How many the account follows, where it is known."),
    APIEntry(.event, "event.posts: integer?", "How many posts the account has, where it is known."),
    APIEntry(
      .event, "event.profile: table?", "The account's profile, where it is known; any member, without guards.",
      "event.profile.displayName"),
  ]
}
