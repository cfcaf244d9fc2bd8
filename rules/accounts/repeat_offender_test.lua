-- What other rules did before is made by events that they hit.
return tests "RepeatOffender" {
  case "a scam and a flood" {
    post { text = "Double your bitcoin today, DM me on Telegram" },
    every(seconds(3), 9, post { text = "read here {n}", links = { "https://s{n}.flood.example/{n}" } }),
    update(profile { display_name = "A new name" }),
    hits = true, features = { LabelsSoFar = "scam spam" }, effects = { escalate {} },
  },
  case "one label" { post { text = "Double your bitcoin today, DM me on Telegram" }, update(profile { display_name = "A new name" }), silent = true },
}
