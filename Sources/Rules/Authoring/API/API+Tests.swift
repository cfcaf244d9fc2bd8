extension API {
  static let tests: [APIEntry] = [
    APIEntry(
      .tests, "tests(rule: string): function",
      "The tests of a rule: `tests \"Name\" { case …, case … }`. A file returns one, or a list of them.",
      "return tests \"LinkFlood\" { case \"two links\" { post { links = { … } }, silent = true } }"),
    APIEntry(
      .tests, "case(name: string): function",
      "One case: an event or several, then what is expected of the last: `hits` and `silent` (true for the rule itself, a name, or a list), `features`, `effects`; "
        + "`silent` holds for all events of the case. Also `account = { age = days(1), handle = …, pds_host = …, followers = …, follows = …, posts = …, profile = { … } }` for what is known of the events' accounts, `accounts = { alice = { … } }` by name, and `time = \"2026-07-04T03:00:00Z\"` for when it begins.",
      "case \"many links\" { post { … }, hits = true, features = { LinkCount = 9 }, effects = { label = \"spam\" } }"),
    APIEntry(
      .tests, "sequence(events: table): table",
      "Events one after the other, a second apart unless `at` and `every` say otherwise.",
      "sequence { follow \"a\", follow \"b\", every(seconds(2), 20, follow \"user{n}\") }"),
    APIEntry(
      .tests, "at(seconds: number, event: table, expected: table?): table",
      "An event so long after the start, and perhaps what is expected of it.",
      "at(minutes(5), post { … }, { silent = true })"),
    APIEntry(
      .tests, "every(seconds: number, times: integer, event: table, expected: table?): table",
      "The event so many times; `{n}` in its texts is the number. What is expected is so of the last.",
      "every(seconds(2), 20, post { text = \"buy {n}\", did = \"user{n}\" })"),
    APIEntry(
      .tests, "post(fields: table|string): table",
      "A post: `text links domains mentions tags langs reply_to root quote external images created_at`. Links, domains, mentions and tags become facets. "
        + "All events take `did` (`alice` stands for a DID of hers) and `rkey`, all records `with` for members that have no short field.",
      "post { text = \"see https://a.example\", links = { \"https://a.example\" }, did = \"alice\" }"),
    APIEntry(.tests, "reply(fields: table|string): table", "A post that answers another: `to`, and what a post has."),
    APIEntry(
      .tests, "like(fields: table|string): table", "A like of `subject`.",
      "like \"at://did:plc:…/app.bsky.feed.post/…\""),
    APIEntry(.tests, "repost(fields: table|string): table", "A repost of `subject`."),
    APIEntry(
      .tests, "follow(fields: table|string): table", "Following `subject`.",
      "follow { subject = \"bob\", did = \"alice\" }"),
    APIEntry(.tests, "block(fields: table|string): table", "Blocking `subject`."),
    APIEntry(
      .tests, "profile(fields: table): table", "A profile: `display_name description avatar banner`.",
      "update(profile { display_name = \"…\" })"),
    APIEntry(
      .tests, "listitem(fields: table): table",
      "Putting `subject` on `list`. A list itself is `list { name = …, purpose = …, description = … }`."),
    APIEntry(.tests, "starterpack(fields: table): table", "A starter pack: `name description list feeds`."),
    APIEntry(.tests, "identity(fields: table|string): table", "A new `handle`.", "identity \"alice.example\""),
    APIEntry(
      .tests, "account(fields: table): table", "An account's state: `active status`.",
      "account { status = \"takendown\" }"),
    APIEntry(.tests, "update(event: table): table", "The record changed instead of made."),
    APIEntry(
      .tests, "delete(event: table): table", "The record deleted: of an event, or `collection` and `rkey`.",
      "delete(follow \"bob\")"),
    APIEntry(
      .tests, "record(fields: table): table", "A whole record, with its `$type`; or one that nobody can read.",
      "record { collection = \"app.bsky.feed.post\", error = \"too_deep\" }"),
    APIEntry(
      .tests, "blob(fields: table|string): table", "In a record: a blob of this `mime` type, `size` and `ref`.",
      "blob { mime = \"image/png\", size = 1000 }"),
    APIEntry(.tests, "bytes(bytes: string): table", "In a record: bytes."),
    APIEntry(.tests, "link(cid: string): table", "In a record: a link to a CID."),
  ]
}
