return tests "IdentityFlapping" {
  case "four handles" { every(seconds(9), 4, identity "name{n}.example"), hits = true, features = { HandleCount = 4 } },
  case "a typo, then a domain" { identity "alcie.example", identity "alice.example", identity "alice-writes.example", silent = true },
  case "nobody could look it up" { every(seconds(9), 9, identity "handle.invalid"), silent = true },
}
