return tests "DisguisedText" {
  case "Cyrillic letters in English words" { post { text = "Frее Bіtсoin fоr еvеrybody" }, hits = true },
  case "a formula" { post { text = "Here kβ is the constant" }, silent = true },
  case "two languages side by side" { post { text = "спасибо means thank you, добрый день means good day, хлеб means bread" }, silent = true },
}
