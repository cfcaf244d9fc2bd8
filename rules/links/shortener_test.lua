return tests "ShortenedLink" {
  case "a new account" { post { links = { "https://bit.ly/x" } }, account = { age = days(1) }, hits = true, features = { Shortener = "bit.ly" } },
  case "an old account" { post { links = { "https://bit.ly/x" } }, account = { age = days(300) }, silent = true },
  case "nobody knows the age" { post { links = { "https://bit.ly/x" } }, silent = true },
  case "a whole link" { post { links = { "https://habit.lyon.example/x" } }, account = { age = days(1) }, silent = true },
}
