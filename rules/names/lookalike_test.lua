local osei = "did:plc:aaoa2jc3picq6wxle3qr4cmn"

return {
  tests "LookalikeName" {
    case "letters of another script" { update(profile { display_name = "Amarа Osei" }), hits = true, features = { ImitatedName = "Amara Osei" }, effects = { verdict = "review", label = "impersonation" } },
    case "a claim behind it" { profile { display_name = "Granite Bank Help Desk" }, hits = true },
    case "a check mark" { profile { display_name = "Yuki Tanabe ✅" }, hits = true },
    case "the account itself" { update(profile { did = osei, display_name = "Amara Osei Official" }), silent = true },
    case "a namesake" { profile { display_name = "amara osei" }, silent = true },
    case "a fan" { profile { display_name = "Amara Osei fan club" }, silent = true },
    case "an honest parody" { profile { display_name = "Omar Haddad (parody)" }, silent = true },
  },
  tests "LookalikeHandle" {
    case "digits for letters" { identity "amara0se1.test", hits = true, features = { ImitatedHandle = "amaraosei" } },
    case "rn for m" { identity "arnaraosei.test", hits = true },
    case "support" { identity "riversidefc-support.test", hits = true },
    case "the account itself" { identity { did = osei, handle = "amaraosei.test" }, silent = true },
    case "fans" { identity "riversidefc-fans.test", silent = true },
  },
}
