return tests "UnwantedDomain" {
  case "a host below the entry" { post { links = { "https://eu.wallet-verify.test/x" } }, hits = true, features = { UnwantedSite = "wallet-verify.test" } },
  case "a host that only ends alike" { post { links = { "https://my-wallet-verify.test/x" } }, silent = true },
}
