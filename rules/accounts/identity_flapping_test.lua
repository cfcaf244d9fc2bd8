return tests "IdentityFlapping" {
  case "five handles" { every(seconds(9), 5, identity "name{n}.example"), hits = true, features = { HandleCount = 5 } },
  case "a typo, then a domain" { identity "alcie.example", identity "alice.example", identity "alice-writes.example", silent = true },
  case "nobody could look it up" { every(seconds(9), 9, identity "handle.invalid"), silent = true },
}
