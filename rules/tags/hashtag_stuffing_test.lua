return tests "HashtagStuffing" {
  case "twelve" { post { text = "New drop", tags = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l" } }, hits = true, features = { TagCount = 12 }, effects = { verdict = "review", label { "tag-stuffing", on = "uri" } } },
  case "a photographer" { post { text = "Fog at the harbour", tags = { "a", "b", "c", "d", "e", "f", "g", "h", "i" } }, silent = true },
}
