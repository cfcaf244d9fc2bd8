local crowd = { "a1", "b1", "c1", "d1", "e1", "f1", "g1", "h1", "i1", "j1", "k1", "l1", "m1" }

return tests "MentionStack" {
  case "a new account" { post { mentions = crowd }, account = { age = days(1) }, hits = true, features = { MentionCount = 13 } },
  case "a list of thanks" { post { mentions = crowd }, account = { age = days(500) }, silent = true },
}
