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
      "The question. Returns true for a hit, false for none, nil where the rule does not apply; then perhaps a table of features (PascalCase names; texts, numbers, booleans, lists of texts).",
      "when = function(event) return #event.links > 8, { LinkCount = #event.links } end"),
    APIEntry(
      .rule, "rule.effects: Effect[]?", "What follows from a hit, at the end of the event.",
      "effects = { verdict \"review\", label { \"spam\", on = \"did\", expires = hours(24) } }"),
  ]

  static let effects: [APIEntry] = [
    APIEntry(
      .effects, "verdict(value: string|EffectOptions): Effect", "Puts a word into the verdict, for the review queue.",
      "verdict \"review\""),
    APIEntry(
      .effects, "label(value: string|EffectOptions): Effect", "Labels the account or the record.",
      "label { \"spam\", on = \"uri\", expires = days(3), comment = \"{LinkCount} links\" }"),
    APIEntry(
      .effects, "effect.on: \"did\"|\"uri\"?", "What it is about: the account (the default) or the record.",
      "on = \"uri\""),
    APIEntry(
      .effects, "effect.expires: number?", "Seconds until it ends, from the event's time on. Default: it stays.",
      "expires = hours(24)"),
    APIEntry(
      .effects, "effect.comment: string?", "A note; `{Name}` is replaced by the feature of that name.",
      "comment = \"{LinkCount} links in one post\""),
  ]
}
