return tests "HiddenLinks" {
  case "nine posts with nothing but `read here`" {
    every(seconds(5), 9, post { text = "read here {n}", links = { "https://a.example/{n}" } }),
    hits = true,
  },
  case "nine posts that show the address" {
    every(seconds(5), 9, post { text = "a.example/{n}", links = { "https://a.example/{n}" } }),
    silent = true,
  },
}
