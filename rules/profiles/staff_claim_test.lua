return tests "StaffClaim" {
  case "few followers" { update(profile { display_name = "Bsky Moderation Team" }), account = { followers = 3 }, hits = true, features = { ClaimedRole = "moderation team" } },
  case "staff" { update(profile { display_name = "Moderation Team" }), account = { followers = 90000 }, silent = true },
  case "nobody knows" { update(profile { display_name = "Moderation Team" }), silent = true },
}
