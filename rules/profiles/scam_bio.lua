-- What scam accounts say of themselves. The patterns stand in rules/lists/scam_bios.txt; all of them are looked for in one pass,
-- so ten more cost nothing to speak of.

local bios = list "scam_bios"

return rule {
  name = "ScamBio",
  about = "The profile reads like that of a scam account.",
  owner = "profiles",
  actions = { "operation#create", "operation#update" },
  collections = { "app.bsky.actor.profile" },
  mode = "shadow",
  when = function(event)
    local found = bios:match(event.description)
    return found ~= nil, { ScamBioPattern = found }
  end,
  effects = { verdict "review", label { "scam", on = "did", expires = days(7), comment = "Profile" } },
}
