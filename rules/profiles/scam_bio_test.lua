return tests "ScamBio" {
  case "a coach" { update(profile { description = "Crypto trader. 300% weekly profit. Telegram: @x" }), hits = true },
  case "recovery" { update(profile { description = "I can recover lost funds for you" }), hits = true },
  case "a gardener" { update(profile { description = "I trade seeds and recover old roses" }), silent = true },
}
