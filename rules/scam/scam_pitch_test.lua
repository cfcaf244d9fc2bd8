return tests "ScamPitch" {
  case "plain" { post { text = "Double your bitcoin in one day. DM me on Telegram" }, hits = true, features = { ScamPromise = "double your bitcoin", ScamCall = "dm me" }, effects = { verdict = "review", label = { "scam", "scam" } } },
  case "digits for letters" { post { text = "D0uble your b1tco1n in one day. DM me on T3legram" }, hits = true },
  case "dots between letters" { post { text = "Double your b.i.t.c.o.i.n today. W.r.i.t.e to me on WhatsApp" }, hits = true },
  case "letters of another script" { post { text = "Guаrаnteed prоfit every week. Cоnnect yоur wаllet" }, hits = true },
  case "a warning" { post { text = "They ask you to connect your wallet, then it is empty: please warn your parents." }, silent = true },
  case "a tent" { post { text = "DM me if you still need a tent for the weekend." }, silent = true },
  case "a laugh" { post { text = "My aunt got a message about an inheritance fund and laughed for a week." }, silent = true },
}
