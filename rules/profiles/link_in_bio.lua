-- A profile made today with a link in it. Newcomers with a blog do that. What tells spam apart is how often the same site comes
-- up: the fifth new profile with it is not a coincidence. So it is the *site* that is counted, over different accounts.
--
-- Addresses in a description have no facets; the pattern finds them, and `domain.registrable` reduces them.

local address = re[[(https?://)?([a-z0-9-]+\.)+[a-z]{2,}(/\S*)?]]

return rule {
  name = "LinkInBio",
  about = "Five young accounts with the same site in their profiles within a day.",
  owner = "profiles",
  actions = { "operation#create", "operation#update" },
  collections = { "app.bsky.actor.profile" },
  mode = "shadow",
  when = function(event)
    if not event.description or not young(event, days(7)) then return false end
    local link = address:match(event.description:lower())
    local site = link and domain.registrable(link)
    if not site then return false end
    local accounts = distinct("young profiles with a site", site, days(1)):add(event.did)
    if accounts < 5 then return false end
    return true, { ProfileSite = site, ProfilesWithSite = accounts }
  end,
  effects = { label { "spam", on = "did", expires = days(7), comment = "{ProfilesWithSite} new profiles point to {ProfileSite}" } },
}
