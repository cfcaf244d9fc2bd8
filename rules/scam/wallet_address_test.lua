return tests "WalletAddress" {
  case "a new account" { post { text = "send it to bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq please" }, account = { age = days(1) }, hits = true },
  case "an artist" { post { text = "tips: bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq" }, account = { age = days(400) }, silent = true },
  case "a commit" { post { text = "fixed in 0xdeadbeef" }, account = { age = days(1) }, silent = true },
}
