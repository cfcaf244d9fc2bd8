return tests "StatusFlapping" {
  case "five times in a day" { every(hours(1), 5, account { active = false, status = "deactivated" }), hits = true },
  case "taken down, again and again" { every(hours(1), 5, account { active = false, status = "takendown" }), silent = true },
}
