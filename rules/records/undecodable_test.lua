return tests "UndecodableRecord" {
  case "too deep" { record { collection = "app.bsky.feed.post", error = "too_deep" }, hits = true },
  case "an ordinary post" { post "hello", silent = true },
}
