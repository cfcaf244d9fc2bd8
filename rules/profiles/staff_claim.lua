-- `Moderation Team` in a display name. Staff have accounts that are old and followed; a name like that on an account with fewer
-- than a hundred followers is somebody fishing for passwords. `event.followers` is nil where it is not known, and ordering
-- against nil is false: an unknown number is not a small one.

local claims = list "staff_claims"

return rule {
  name = "StaffClaim",
  about = "An account with few followers calls itself staff.",
  owner = "profiles",
  actions = { "operation#create", "operation#update" },
  collections = { "app.bsky.actor.profile" },
  mode = "shadow",
  when = function(event)
    if not (event.followers < 100) then return false end
    local claim = claims:any_word(event.display_name)
    return claim ~= nil, { ClaimedRole = claim }
  end,
  effects = { verdict "review", label { "impersonation", on = "did", comment = "Calls itself {ClaimedRole}" } },
}
