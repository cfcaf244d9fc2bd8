return tests "ReplyFlood" {
  case "the same pitch under six posts" {
    every(seconds(5), 6, reply { text = "So true {n}, come and see what my coach did for me", to = "at://did:plc:target{n}/app.bsky.feed.post/3ltest" }),
    hits = true, features = { PeopleToldTheSame = 6 },
  },
  case "a host answers in the host's own thread" {
    every(seconds(5), 20, reply {
      did = "did:plc:hostaaaaaaaaaaaaaaaaaaaa", text = "Thank you for the question, more about it tomorrow",
      to = "at://did:plc:target{n}/app.bsky.feed.post/3ltest", root = "at://did:plc:hostaaaaaaaaaaaaaaaaaaaa/app.bsky.feed.post/3ltest",
    }),
    silent = true,
  },
  case "short answers" { every(seconds(5), 20, reply { text = "thank you!", to = "at://did:plc:target{n}/app.bsky.feed.post/3ltest" }), silent = true },
  case "twenty posts under one" { every(seconds(5), 20, reply { text = "come and see what my coach did for me" }), silent = true },
}
