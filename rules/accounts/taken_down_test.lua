return tests "AccountTakenDown" {
  case "suspended" { account { active = false, status = "suspended" }, hits = true, features = { AccountStatus = "suspended" } },
  case "left by itself" { account { active = false, status = "deactivated" }, silent = true },
  case "back again" { account { active = true }, silent = true },
}
