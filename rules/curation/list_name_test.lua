return tests "InsultingList" {
  case "censored" { list { name = "1d10ts of the week" }, hits = true, features = { RudeWord = "idiot" } },
  case "a name" { list { name = "Poets who bake" }, silent = true },
}
