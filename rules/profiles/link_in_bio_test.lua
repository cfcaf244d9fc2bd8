return tests "LinkInBio" {
  case "the fifth new profile" { every(minutes(9), 5, update(profile { did = "user{n}", description = "more on my.pics-now.example/u{n}" })), account = { age = days(2) }, hits = true, features = { ProfileSite = "pics-now.example", ProfilesWithSite = 5 } },
  case "a blog" { update(profile { description = "I write at quietgarden.example" }), account = { age = days(2) }, silent = true },
  case "old members of a club" { every(minutes(9), 9, update(profile { did = "user{n}", description = "rowing.example" })), account = { age = days(900) }, silent = true },
}
