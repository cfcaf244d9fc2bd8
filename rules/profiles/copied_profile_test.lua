return tests "CopiedProfile" {
  case "six" { every(minutes(5), 6, profile { did = "user{n}", description = "Dreamer, traveller, coffee lover. Here to share the best deals with all of you." }), hits = true, features = { ProfileCopies = 6 } },
  case "short ones" { every(minutes(5), 20, profile { did = "user{n}", description = "she/her" }), silent = true },
}
