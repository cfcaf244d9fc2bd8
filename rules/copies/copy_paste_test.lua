local text = "This one weird trick makes everybody rich by tomorrow, ask me how before they take it down for good"

return tests "CopyPasteWave" {
  case "six accounts, disguised" {
    post { did = "a", text = text },
    post { did = "b", text = "THIS ONE WEIRD TRICK makes everybody rich by tomorrow, ask me how before they take it down for good" },
    post { did = "c", text = "Τhis оne weird triсk mаkes everybody riсh by tomоrrow, ask me hоw befоre they take it dоwn for gооd" },
    post { did = "d", text = "This  one weird  trick makes everybody rich by tomorrow, ask me how before they  take it down for good 🚀" },
    post { did = "e", text = text .. " 22" },
    post { did = "f", text = text .. " pls share" },
    hits = true,
    features = { CopyAccounts = 6 },
    effects = { label { "spam", on = "uri" }, label { "spam", on = "did" }, label { "spam", on = { "AtUri" } }, label { "spam", on = { "UserId" } }, verdict = "review" },
  },
  case "five accounts share a line of a song" {
    every(seconds(9), 5, post { did = "user{n}", text = text }),
    silent = true,
  },
  case "one account repeats itself" {
    every(seconds(9), 20, post { text = text }),
    silent = true,
  },
  case "two quotes that begin alike are two quotes" {
    every(seconds(9), 5, post { did = "user{n}", text = text .. " — Ada, 1871" }),
    every(seconds(9), 5, post { did = "other{n}", text = text .. " — Noor, 1930" }),
    silent = true,
  },
  case "a short joke" {
    every(seconds(1), 50, post { did = "user{n}", text = "good morning everyone!" }),
    silent = true,
  },
}
