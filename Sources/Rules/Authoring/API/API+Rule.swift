extension API {
  static let rule: [APIEntry] = [
    APIEntry(
      .rule, "rule(definition: Rule): Rule", "Makes a rule. A file returns one, or a list of them.",
      "return rule { name = \"LinkFlood\", about = \"…\", when = function(event) … end }"),
    APIEntry(
      .rule, "rule.name: string",
      "PascalCase, unique in the set. It is a column of the verdicts for ever, so do not rename it.",
      "name = \"LinkFlood\""),
    APIEntry(
      .rule, "rule.about: string", "One sentence for whoever finds a hit in a queue.",
      "about = \"Many links in one post from a young account.\""),
    APIEntry(.rule, "rule.owner: string?", "Whom to ask about it.", "owner = \"spam\""),
    APIEntry(
      .rule, "rule.actions: string[]?",
      "Actions it is asked about, of `operation#create`, `operation#update`, `operation#delete`, `account`, `identity`, `info`, `sync`. Default: all.",
      "actions = { \"operation#create\" }"),
    APIEntry(
      .rule, "rule.collections: string[]?",
      "NSIDs, or their beginning and `.*`. Default: all, and events without one. Say it wherever you can: an event no rule is asked about costs next to nothing.",
      "collections = { \"app.bsky.feed.post\", \"app.bsky.graph.*\" }"),
    APIEntry(
      .rule, "rule.mode: \"live\"|\"shadow\"?",
      "A shadow rule runs and is counted, but its effects stand only in the verdict's notes. Default: live.",
      "mode = \"shadow\""),
    APIEntry(
      .rule, "rule.when: fun(event: Event): boolean?, table?",
      "The question. Returns true for a hit, false for none, nil where the rule does not apply; then perhaps a table of features (PascalCase names; texts, numbers, booleans, lists of texts; `_Name` stays out of the verdict).",
      "when = function(event) return #event.links > 8, { LinkCount = #event.links } end"),
    APIEntry(
      .rule, "rule.effects: Effect[]?", "What follows from a hit, at the end of the event.",
      "effects = { verdict \"review\", label { \"spam\", on = \"did\", expires = hours(24) } }"),
    APIEntry(
      .rule, "rule.quota: table?",
      "On how many events the rule may act per hour and per day of event time (UTC); past that it is shadow until the hour or day is over.",
      "quota = { hour = 100, day = 1000 }"),
  ]

  static let effects: [APIEntry] = [
    APIEntry(
      .effects, "verdict(value: string|EffectOptions): Effect", "Puts a word into the verdict, for the review queue.",
      "verdict \"review\""),
    APIEntry(
      .effects, "label(value: string|EffectOptions): Effect", "Labels the account or the record.",
      "label { \"spam\", on = \"uri\", expires = days(3), comment = \"{LinkCount} links\" }"),
    APIEntry(.effects, "unlabel(value: string|table): Effect", "Takes a label away again.", "unlabel \"spam\""),
    APIEntry(
      .effects, "tag(value: string|table): Effect", "Puts a tag on it that only moderators see.", "tag \"seen\""),
    APIEntry(
      .effects, "report(value: string|table): Effect",
      "Reports it for this reason; all rules together 10,000 times a day.",
      "report { \"reasonSpam\", comment = \"{LinkCount} links\" }"),
    APIEntry(
      .effects, "escalate(value: string|table): Effect",
      "Asks for a decision of somebody senior; together with `acknowledge` 2,000 times a day.",
      "escalate { on = \"uri\" }"),
    APIEntry(
      .effects, "acknowledge(value: string|table): Effect", "Closes what is open about it.",
      "acknowledge { on = \"uri\" }"),
    APIEntry(
      .effects, "comment(value: string|table): Effect", "Leaves a note for moderators; `{Name}` as in `comment = …`.",
      "comment \"{LinkCount} links in one post\""),
    APIEntry(
      .effects, "takedown(value: string|table): Effect",
      "Takes it down. All rules together 200 times a day; after that, rules that ask for one are shadow until the rules are loaded again.",
      "takedown { on = \"uri\", comment = \"{LinkCount} links\" }"),
    APIEntry(
      .effects, "list(value: string|table): Effect|list",
      "Puts the account on a list, with a table or an `at://` address. With any other name: the words, domains, dids or patterns of `lists/NAME.txt`, to be opened outside of `when`.",
      "list { \"at://did:plc:…/app.bsky.graph.list/…\" }"),
    APIEntry(
      .effects, "flag(value: string|table): Effect", "A private mark in the verdict, before there is a label for it.",
      "flag \"watch\""),
    APIEntry(
      .effects, "email(value: string|table): Effect", "Sends the account the mail of this template.",
      "email { \"warning\", comment = \"Please stop.\" }"),
    APIEntry(
      .effects, "effect.on: \"did\"|\"uri\"|table?",
      "What it is for: the account (the default), the record, or the entity that a feature names. The last form works for other "
        + "accounts (`UserId`) and records (`AtUri`) and for anything else, which then stands in `__effects` only.",
      "on = { \"Domain\", feature = \"LinkSite\" }"),
    APIEntry(
      .effects, "effect.expires: number?", "Seconds until it ends, from the event's time on. Default: it stays.",
      "expires = hours(24)"),
    APIEntry(
      .effects, "effect.dedupe: number?",
      "For how many seconds the same effect of the same rule on the same entity is not given again; 0: always give it. Default: a "
        + "day, for a verdict 0, and never longer than `expires`. A label given again after a removal always passes.",
      "dedupe = hours(1)"),
    APIEntry(
      .effects, "effect.comment: string?", "A note; `{Name}` is replaced by the feature of that name.",
      "comment = \"{LinkCount} links in one post\""),
  ]
}
