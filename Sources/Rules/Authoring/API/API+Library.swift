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
      .text, "text.contains(text: string?, word: string): boolean",
      "Whether `word` stands in `text` as a word, both folded.", "text.contains(event.text, \"casino\")"),
    APIEntry(.text, "text.len(text: string?): integer", "Characters (code points).", "text.len(event.text) > 280"),
  ]

  static let lists: [APIEntry] = []

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
  ]

  static let addresses: [APIEntry] = []
  static let files: [APIEntry] = []
  static let tests: [APIEntry] = []
}
