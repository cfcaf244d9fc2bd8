local made = "at://did:plc:makeraaaaaaaaaaaaaaaaaaa/app.bsky.graph.list/3lwall"

return tests "ListFlood" {
  case "a wall of twenty-five" {
    list { did = "did:plc:makeraaaaaaaaaaaaaaaaaaa", rkey = "3lwall", name = "The wall", purpose = "modlist" },
    every(seconds(1), 25, listitem { did = "did:plc:makeraaaaaaaaaaaaaaaaaaa", list = made, subject = "user{n}" }),
    hits = true, features = { ListedPeople = 25, HostileList = made }, effects = { verdict = "review", report = "reasonRude", label = "hostile-list" },
  },
  case "a list to read" {
    list { did = "did:plc:makeraaaaaaaaaaaaaaaaaaa", rkey = "3lwall", name = "Lighthouse keepers" },
    every(seconds(1), 40, listitem { did = "did:plc:makeraaaaaaaaaaaaaaaaaaa", list = made, subject = "user{n}" }),
    silent = true,
  },
  case "an old list" { every(seconds(1), 40, listitem { did = "did:plc:makeraaaaaaaaaaaaaaaaaaa", list = made, subject = "user{n}" }), silent = true },
}
