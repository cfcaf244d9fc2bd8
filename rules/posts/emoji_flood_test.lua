return tests "EmojiFlood" {
  case "ten walls" { every(seconds(20), 10, post { text = "🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥" }), hits = true },
  case "a mood" { every(seconds(20), 10, post { text = "so happy today, thank you all 🎉🎉🎉" }), silent = true },
}
