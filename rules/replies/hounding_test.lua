local one, other = "did:plc:oneaaaaaaaaaaaaaaaaaaaaa", "did:plc:otheraaaaaaaaaaaaaaaaaaa"

return tests "Hounding" {
  case "nobody answers" {
    every(minutes(1), 25, reply { did = one, text = "well? {n}", to = "at://" .. other .. "/app.bsky.feed.post/3ltest" }),
    hits = true, features = { HoundedAccount = other },
  },
  case "a conversation" {
    every(minutes(1), 12, reply { did = one, text = "well? {n}", to = "at://" .. other .. "/app.bsky.feed.post/3ltest" }),
    reply { did = other, text = "well!", to = "at://" .. one .. "/app.bsky.feed.post/3ltest" },
    every(minutes(1), 20, reply { did = one, text = "well? {n}", to = "at://" .. other .. "/app.bsky.feed.post/3ltest" }),
    silent = true,
  },
}
