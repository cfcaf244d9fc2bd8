extension API {
  static let durations: [APIEntry] = [
    APIEntry(.durations, "seconds(n: number): number", "`n` seconds, from 0 to 1,000,000 of them.", "seconds(90)"),
    APIEntry(.durations, "minutes(n: number): number", "`n` minutes in seconds.", "minutes(10)"),
    APIEntry(.durations, "hours(n: number): number", "`n` hours in seconds.", "hours(24)"),
    APIEntry(.durations, "days(n: number): number", "`n` days in seconds.", "days(7)"),
  ]

  static let text: [APIEntry] = [
    APIEntry(
      .text, "text.fold(text: string?): string?",
      "The text with everything that disguises it removed: case, styled letters, accents, invisible characters, look-alikes. For comparing, not for reading.",
      "text.fold(\"С a s i n 0\")"),
    APIEntry(
      .text, "text.clean(text: string?): string?",
      "The text as a person would type it plainly: NFKC, case folded, without invisible characters and accents, blanks joined. Readable; look-alikes stay apart.",
      "text.clean(\"Ｆree   Ｍoney\")"),
    APIEntry(
      .text, "text.tokens(text: string?): string[]",
      "The words of the clean text: runs of letters and digits of any script; in scripts written without blanks each character is a word.",
      "#text.tokens(event.text)"),
    APIEntry(
      .text, "text.contains(text: string?, word: string|string[]): boolean|string?",
      "Whether `word` stands in `text` as a word or phrase of its own, both folded. With a list of words: the first of them that does, or nil.",
      "text.contains(event.text, { \"casino\", \"free money\" })"),
    APIEntry(
      .text, "text.count(text: string?, word: string): integer",
      "How often `word` stands in `text` as a word of its own, both folded.", "text.count(event.text, \"giveaway\") > 2"
    ),
    APIEntry(.text, "text.len(text: string?): integer", "Characters (code points).", "text.len(event.text) > 280"),
    APIEntry(
      .text, "text.emoji(text: string?): string[]", "The emoji, each a whole sequence: a family, a flag, a skin tone.",
      "#text.emoji(event.display_name) > 5"),
    APIEntry(
      .text, "text.similarity(a: string?, b: string?): number",
      "How alike two texts are, from 0 to 1, after folding: the share of runs of three bytes they have in common. Looks at the first 4 KiB.",
      "text.similarity(event.display_name, \"Bluesky Support\") > 0.8"),
  ]

  static let lists: [APIEntry] = [
    APIEntry(
      .lists, "list:contains(value: string|string[]?): string?",
      "The entry that equals the value, after folding (words), in lower case (domains) or as it is (dids); nil where there is none. Of a list of values, the first that is found; so for the other methods.",
      "local trusted = list \"trusted\" … trusted:contains(event.did)"),
    APIEntry(
      .lists, "list:any_word(text: string|string[]?): string?",
      "Lists of words: the entry that stands in the text as a word or phrase, both folded; the first in the text, the longest there.",
      "local word = slurs:any_word(event.text)"),
    APIEntry(
      .lists, "list:censored(text: string|string[]?, only: \"disguised\"?): string?, boolean?",
      "Lists of words: like `any_word`, but also behind digits and signs for letters, signs or blanks between letters, letters repeated, a plural's s. The second value says whether it was disguised; with `\"disguised\"`, plain words are passed over.",
      "local word, hidden = slurs:censored(event.text)"),
    APIEntry(
      .lists, "list:domain(host: string|string[]?): string?",
      "Lists of domains: the entry that is the host (or address) or a domain above it.",
      "local bad = shorteners:domain(event.domains)"),
    APIEntry(
      .lists, "list:match(text: string|string[]?): string?",
      "Lists of patterns: the first entry that matches. All of them are looked for at once.", "scams:match(event.text)"),
    APIEntry(
      .lists, "re(pattern: string, flags: string?): pattern",
      "A regular expression, made once outside of `when`; linear-time. Flag `\"i\"` ignores case. Written in `[[ ]]` its backslashes need no doubling. `\\w \\d \\s \\b` know all scripts; there are no back references and no looking around.",
      "local wallet = re[[\\b(bc1|0x)[0-9a-zA-Z]{25,60}\\b]]"),
    APIEntry(
      .lists, "pattern:match(text: string?): string|false",
      "What matched first, from the left; false where nothing does (nil would mean that the rule does not apply).",
      "return wallet:match(event.text)"),
    APIEntry(
      .lists, "pattern:find(text: string?): integer?, integer?",
      "Bytes at which the match begins and ends, for `string.sub`."),
    APIEntry(
      .lists, "pattern:captures(text: string?): string[]?",
      "What the groups matched, at most 9, `\"\"` for one that took no part; without groups the whole match.",
      "local found = price:captures(event.text)"),
    APIEntry(
      .lists, "pattern:count(text: string?): integer", "How many matches, without overlap.",
      "wallet:count(event.text) > 1"),
  ]

  static let state: [APIEntry] = [
    APIEntry(
      .state, "count(name: string, key: string?, window: number): counter",
      "The counter `name` of `key` over the last `window` seconds. All rules share it: same name, key and window, same counter. A nil key counts nothing.",
      "local posts = count(\"posts\", event.did, minutes(10))"),
    APIEntry(
      .state, "distinct(name: string, key: string?, window: number): counter",
      "Like `count`, but counts different values, at most 512.",
      "distinct(\"authors\", event.external, hours(1)):add(event.did)"),
    APIEntry(
      .state, "counter:add(value: integer|string?): integer",
      "Counts one (or `value`), or notes a value of a distinct counter; returns what the counter has now.",
      "count(\"posts\", event.did, hours(1)):add()"),
    APIEntry(
      .state, "counter:get(): integer", "What the counter has now.", "count(\"posts\", event.did, hours(1)):get()"),
    APIEntry(
      .state, "counter:crossed(threshold: integer): boolean",
      "True once when the counter has reached `threshold`, however far it jumped, and again only after it was seen below it.",
      "posts:crossed(75)"),
    APIEntry(
      .state, "cache.get(key: string?): string|number|boolean|nil",
      "What was kept under `key`; nil where nothing is, or not any more.",
      "cache.get(\"last \" .. event.did)"),
    APIEntry(
      .state, "cache.set(key: string?, value: string|number|boolean|nil, seconds: number?)",
      "Keeps a value for some time; texts have at most 512 bytes; nil takes it away. All rules share the keys.",
      "cache.set(\"last \" .. event.did, event.text, hours(6))"),
    APIEntry(
      .state, "entity.labels(id: string?, type: string?): string[]",
      "Labels that live rules have given and that have neither expired nor been removed, in the order of the alphabet. `id` is a DID, an AT URI or, with its `type`, what a feature named.",
      "#entity.labels(event.did) > 2"),
    APIEntry(
      .state, "entity.has(id: string?, label: string, type: string?): boolean", "Whether it has this label.",
      "entity.has(event.did, \"spam\")"),
    APIEntry(
      .state, "young(event: Event, seconds: number): boolean",
      "Whether the account's age is known and below `seconds`.", "young(event, days(7))"),
  ]

  static let addresses: [APIEntry] = [
    APIEntry(
      .addresses, "uri.did(uri: string?): string?", "The DID of an `at://` address, or of a DID; else nil.",
      "uri.did(event.reply_parent) == event.did"),
    APIEntry(.addresses, "uri.collection(uri: string?): string?", "The collection of an `at://` address."),
    APIEntry(.addresses, "uri.rkey(uri: string?): string?", "The record key of an `at://` address."),
    APIEntry(
      .addresses, "domain.of(address: string?): string?",
      "The host of an address, with or without scheme, in lower case and without `www.`.", "domain.of(event.external)"),
    APIEntry(
      .addresses, "domain.registrable(host: string?): string?",
      "The part of a host or address that somebody registered (public suffix list): `shop.co.uk` of `a.shop.co.uk`. nil for IP addresses and for suffixes themselves.",
      "domain.registrable(event.external)"),
    APIEntry(
      .addresses, "hash.of(text: string?): string?",
      "A short name for a text, the same for ever: the first half of its SHA-256, 32 hexadecimal digits.",
      "count(\"copies\", hash.of(text.fold(event.text)), hours(1)):add()"),
    APIEntry(.addresses, "hash.sha256(text: string?): string?", "The whole SHA-256, 64 hexadecimal digits."),
    APIEntry(
      .addresses, "time.hour(time: string|number?): integer?",
      "The hour in UTC, 0 to 23: of the event, or of RFC 3339 text, or of seconds since 1970.", "time.hour() < 6"),
    APIEntry(
      .addresses, "time.weekday(time: string|number?): integer?", "The day of the week in UTC, 1 (Monday) to 7."),
    APIEntry(
      .addresses, "time.unix(time: string|number?): integer?", "Seconds since 1970.",
      "time.unix(event.record.createdAt)"
    ),
    APIEntry(
      .addresses, "time.since(time: string|number?): number?",
      "Seconds from a time to the event; negative where it lies ahead, nil where it is no time.",
      "time.since(event.record.createdAt) > days(30)"),
  ]
  static let files: [APIEntry] = [
    APIEntry(
      .files, "use(file: string): any",
      "What a file of `lib/` returns: a table of functions, or one function. It runs once per load, and what it returns cannot be changed.",
      "local names = use \"lib/names\""),
    APIEntry(
      .files, "labels(definition: table): table",
      "In `labels.lua`: the labels that exist. With this file, a label that is not in it is an error, and so is one on what it is not for.",
      "return labels { spam = { on = { \"did\", \"uri\" }, about = \"Unwanted advertising.\" } }"),
    APIEntry(
      .files, "features(definition: table): table",
      "In `features.lua`: values worked out once per event, when a rule first asks for `features.PostWordCount`, shared by all rules and put into the verdict; one whose name begins with `_`, such as `_TextCore`, is not.",
      "return features { PostWordCount = function(event) return #event.tokens end }"),
    APIEntry(
      .files, "quotas(definition: table): table",
      "In `quotas.lua`: how many effects of a kind all rules together may give, per hour and day of event time.",
      "return quotas { takedown = { day = 50 }, label = { hour = 500 } }"),
  ]
}
