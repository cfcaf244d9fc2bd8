return tests "PileOn" {
  case "thirty young accounts" {
    every(seconds(5), 30, reply { did = "user{n}", text = "no {n}", to = "at://did:plc:targetaaaaaaaaaaaaaaaaaa/app.bsky.feed.post/3ltest" }),
    account = { age = days(2) }, hits = true,
    features = { PileOnTarget = "did:plc:targetaaaaaaaaaaaaaaaaaa" }, effects = { escalate {}, flag = "pile-on" },
  },
  case "a popular post" {
    every(seconds(5), 30, reply { did = "user{n}", text = "yes {n}", to = "at://did:plc:targetaaaaaaaaaaaaaaaaaa/app.bsky.feed.post/3ltest" }),
    account = { age = days(200) }, silent = true,
  },
}
