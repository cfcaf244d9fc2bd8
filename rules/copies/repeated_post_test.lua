return tests "RepeatedPost" {
  case "ten copies" {
    every(seconds(20), 10, post { text = "My shop has everything you ever wanted, so come in and have a look" }),
    hits = true,
  },
  case "the eleventh adds nothing" {
    every(seconds(20), 10, post { text = "My shop has everything you ever wanted, so come in and have a look" }, { hits = true }),
    every(seconds(20), 1, post { text = "My shop has everything you ever wanted, so come in and have a look" }, { features = {}, effects = {} }),
    hits = {}, effects = {},
  },
  case "greetings" { every(seconds(20), 12, post { text = "good morning!" }), silent = true },
  case "the weather" { every(seconds(20), 12, post { text = "It is {n} degrees at the harbour and the wind comes from the west today" }), silent = true },
}
