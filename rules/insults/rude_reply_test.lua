return tests "RudeReply" {
  case "plain" { reply { text = "you idiot" }, hits = true, features = { RudeWord = "idiot", RudeWordHidden = false } },
  case "hidden" { reply { text = "you m.o.r.o.n" }, hits = true, features = { RudeWord = "moron", RudeWordHidden = true } },
  case "about oneself" { post { text = "what an idiot I was" }, silent = true },
  case "a longer word" { reply { text = "oxymorons are fun" }, silent = true },
}
