return tests "PostFromTheFuture" {
  case "next year" { post { text = "hello", created_at = "2027-01-01T00:00:00Z" }, account = { age = days(2) }, hits = true },
  case "a wrong clock" { post { text = "hello", created_at = "2026-07-04T12:30:00Z" }, account = { age = days(2) }, silent = true },
  case "an old text" { post { text = "hello", created_at = "2016-07-04T12:30:00Z" }, account = { age = days(2) }, silent = true },
  case "no time at all" { post { text = "hello", created_at = "yesterday" }, account = { age = days(2) }, silent = true },
}
