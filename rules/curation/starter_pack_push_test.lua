return tests "StarterPackPush" {
  case "five" { every(minutes(5), 5, starterpack { name = "Pack {n}" }), hits = true },
  case "two" { every(minutes(5), 2, starterpack { name = "Pack {n}" }), silent = true },
}
