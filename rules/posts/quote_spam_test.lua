return tests "QuoteSpam" {
  case "fifteen people" { every(seconds(10), 15, post { text = "this", quote = "at://did:plc:author{n}/app.bsky.feed.post/3ltest" }), hits = true },
  case "one person's posts" { every(seconds(10), 15, post { text = "this", quote = "at://did:plc:author/app.bsky.feed.post/3ltest{n}" }), silent = true },
}
