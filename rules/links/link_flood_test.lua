return tests "LinkFlood" {
  case "nine posts a minute with links to one site" {
    every(seconds(3), 9, post { text = "read here {n}", links = { "https://s{n}.flood.example/{n}" } }),
    hits = true,
    features = { LinkFloodPosts = 9, LinkFloodSite = "flood.example" },
    effects = { verdict = "review", label = { "spam", "spam" } },
  },
  case "a newsroom when the wire comes in" {
    every(seconds(8), 8, post { text = "Headline {n}", links = { "https://news.example/{n}" } }),
    silent = true,
  },
  case "nine posts, but to nine sites" {
    every(seconds(3), 9, post { links = { "https://site{n}.example/" } }),
    silent = true,
  },
  case "nine posts over nine minutes" {
    every(minutes(1), 9, post { links = { "https://s{n}.flood.example/{n}" } }),
    silent = true,
  },
}
