extension API {
  static let lua: [APIEntry] = base + strings + tables + numbers

  private static let base: [APIEntry] = [
    APIEntry(.lua, "type(value: any): string", "The type's name; a part of the record is a `table`."),
    APIEntry(.lua, "tostring(value: any): string", "The value as text; a table is `table`, never an address."),
    APIEntry(.lua, "tonumber(value: any, base: integer?): number?", "The number a text says, else nil."),
    APIEntry(
      .lua, "select(index: integer|string, ...: any): any", "The arguments from `index` on, or their count for `\"#\"`."
    ),
    APIEntry(.lua, "error(message: any, level: integer?)", "Ends the rule with a fault, which is counted and logged."),
    APIEntry(.lua, "assert(value: any, message: any?): any", "The value, or a fault where it is false or nil."),
    APIEntry(
      .lua, "pcall(f: function, ...: any): boolean, any",
      "Calls `f` and catches its errors, but not the end of a budget."),
    APIEntry(
      .lua, "ipairs(list: table?): function", "For loops over lists; nil is an empty one.",
      "for _, link in ipairs(event.links) do … end"),
    APIEntry(
      .lua, "pairs(map: table?): function",
      "For loops over tables and records, in a fixed order: numbers, texts, booleans.",
      "for key, value in pairs(event.record) do … end"),
  ]

  private static let strings: [APIEntry] = [
    APIEntry(.lua, "string.len(s: string): integer", "Bytes; `text.len` counts characters."),
    APIEntry(
      .lua, "string.sub(s: string, first: integer, last: integer?): string", "Bytes `first` to `last`.", "host:sub(5)"),
    APIEntry(.lua, "string.lower(s: string): string", "ASCII letters lower case; `text.fold` for all of Unicode."),
    APIEntry(.lua, "string.upper(s: string): string", "ASCII letters upper case."),
    APIEntry(.lua, "string.rep(s: string, n: integer, between: string?): string", "`n` copies, at most 256 KiB."),
    APIEntry(.lua, "string.reverse(s: string): string", "The bytes from last to first."),
    APIEntry(
      .lua, "string.byte(s: string, first: integer?, last: integer?): integer", "The bytes as numbers, at most 256."),
    APIEntry(.lua, "string.char(...: integer): string", "A text of these bytes."),
    APIEntry(
      .lua, "string.find(s: string, what: string, from: integer?): integer?, integer?",
      "Where the plain text `what` stands; there are no patterns.", "host:find(\".\", 1)"),
    APIEntry(
      .lua, "string.format(format: string, ...: any): string", "With `%d %i %x %X %f %g %e %s %%`.",
      "string.format(\"%d of %d\", n, #event.links)"),
  ]

  private static let tables: [APIEntry] = [
    APIEntry(
      .lua, "table.insert(list: table, position: any, value: any?)", "Appends a value, or inserts it at a position."),
    APIEntry(
      .lua, "table.remove(list: table, position: integer?): any", "Takes the last entry out, or the one at a position."),
    APIEntry(
      .lua, "table.concat(list: table, between: string?): string", "The texts joined.",
      "table.concat(event.tags, \" \")"),
    APIEntry(
      .lua, "table.unpack(list: table, first: integer?, last: integer?): any", "The entries as values, at most 250."),
    APIEntry(.lua, "table.sort(list: table, before: function?)", "Sorts in place; equals keep their order."),
  ]

  private static let numbers: [APIEntry] = [
    APIEntry(.lua, "math.floor(x: number): integer", "The whole number below."),
    APIEntry(.lua, "math.ceil(x: number): integer", "The whole number above."),
    APIEntry(.lua, "math.abs(x: number): number", "Without its sign."),
    APIEntry(.lua, "math.sqrt(x: number): number", "The square root."),
    APIEntry(.lua, "math.log(x: number, base: number?): number", "The logarithm, natural without a base."),
    APIEntry(.lua, "math.min(x: number, ...: number): number", "The smallest."),
    APIEntry(.lua, "math.max(x: number, ...: number): number", "The largest."),
    APIEntry(.lua, "math.tointeger(x: any): integer?", "The number as a whole one, nil where it is none."),
    APIEntry(.lua, "math.huge: number", "Infinity."),
    APIEntry(.lua, "math.maxinteger: integer", "The largest whole number."),
    APIEntry(.lua, "math.mininteger: integer", "The smallest whole number."),
  ]
}
