return tests "YoungFollowBurst" {
  case "an hour old" { every(seconds(2), 50, follow "user{n}"), account = { age = hours(1) }, hits = true },
  case "years old" { every(seconds(2), 50, follow "user{n}"), account = { age = days(700) }, silent = true },
}
