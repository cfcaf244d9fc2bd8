return tests "YoungAccountLinks" {
  case "five links on the first day" {
    every(minutes(1), 5, post { links = { "https://a.example/{n}" } }),
    account = { age = hours(5), followers = 2 }, hits = true, features = { AccountFollowers = 2 },
  },
  case "a first post with a link" { post { links = { "https://my-blog.example" } }, account = { age = hours(5) }, silent = true },
  case "five links from an old account" { every(minutes(1), 5, post { links = { "https://a.example/{n}" } }), account = { age = days(90) }, silent = true },
}
