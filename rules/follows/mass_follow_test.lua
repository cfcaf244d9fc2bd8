return tests "MassFollow" {
  case "the 75th follow within ten minutes" {
    every(seconds(2), 75, follow "user{n}"),
    hits = true, features = { FollowCount = 75 }, effects = { verdict = "review", label { "mass-follow", on = "did" } },
  },
  case "a starter pack" { every(seconds(1), 60, follow "user{n}"), silent = true },
  case "75 follows over an hour" { every(seconds(48), 75, follow "user{n}"), silent = true },
}
