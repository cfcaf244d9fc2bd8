return tests "DomainPush" {
  case "two accounts, three posts each within a minute" {
    every(seconds(4), 3, post { did = "one", links = { "https://a{n}.push.example/" } }),
    every(seconds(4), 3, post { did = "two", links = { "https://b{n}.push.example/" } }),
    hits = true,
    features = { PushedSite = "push.example", PushingAccounts = 2 },
  },
  case "once a site is known, the second post is enough" {
    every(seconds(4), 3, post { did = "one", links = { "https://push.example/{n}" } }),
    every(seconds(4), 3, post { did = "two", links = { "https://push.example/{n}" } }),
    every(seconds(4), 2, post { did = "three", links = { "https://push.example/{n}" } }),
    hits = true,
  },
  case "one account alone" {
    every(seconds(4), 8, post { links = { "https://push.example/{n}" } }),
    silent = true,
  },
  case "many accounts, one post each" {
    every(seconds(1), 30, post { did = "user{n}", links = { "https://popular.example/{n}" } }),
    silent = true,
  },
}
