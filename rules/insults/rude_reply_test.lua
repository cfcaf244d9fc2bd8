return tests "RudeReply" {
  case "plain" { reply { text = "you idiot" }, account = { age = days(3) }, hits = true, features = { RudeWord = "idiot", RudeWordHidden = false } },
  case "hidden" { reply { text = "you m.o.r.o.n" }, account = { age = days(3) }, hits = true, features = { RudeWord = "moron", RudeWordHidden = true } },
  case "about oneself" { post { text = "what an idiot I was" }, silent = true },
  case "a longer word" { reply { text = "oxymorons are fun" }, account = { age = days(3) }, silent = true },
  case "old acquaintances" { reply { text = "you idiot" }, account = { age = days(900) }, silent = true },
}
