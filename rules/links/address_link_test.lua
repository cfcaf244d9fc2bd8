return tests "AddressLink" {
  case "a number" { post { links = { "http://203.0.113.7/x" } }, hits = true, features = { AddressLinked = "203.0.113.7" } },
  case "a name" { post { links = { "https://shop.example/7" } }, silent = true },
}
