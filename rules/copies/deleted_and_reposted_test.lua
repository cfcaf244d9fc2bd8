return tests "DeletedAndReposted" {
  case "five times the same" {
    every(seconds(5), 5, delete(post { text = "x", rkey = "3ltest{n}" })),
    every(seconds(5), 5, post { text = "Now open: the shop everybody talks about" }),
    hits = true, features = { DeletedPosts = 5 },
  },
  case "a typo" { post { text = "Now opne" }, delete(post { text = "x" }), post { text = "Now open" }, silent = true },
}
