-- A link that shows something else than its address needs the whole facet.
local function shown(words, target)
  return post {
    text = words,
    with = { facets = { { index = { byteStart = 0, byteEnd = #words }, features = { { ["$type"] = "app.bsky.richtext.facet#link", uri = target } } } } },
  }
end

return tests "DeceptiveLink" {
  case "shows a bank" {
    shown("granitebank.example/login", "https://x7.evil.example/"),
    hits = true, features = { ShownSite = "granitebank.example", LinkedSite = "evil.example" },
  },
  case "a sub-domain is no deception" { shown("shop.example", "https://www.shop.example/a"), silent = true },
  case "words are no address" { shown("read here", "https://shop.example/a"), silent = true },
}
