-- The same description on one profile after the other: accounts made by a program. People who join together copy each other's
-- jokes, three or four of them; short ones (`she/her`) are shared by thousands and do not count.

return rule {
  name = "CopiedProfile",
  about = "Six accounts with the same longer description within an hour.",
  owner = "profiles",
  actions = { "operation#create", "operation#update" },
  collections = { "app.bsky.actor.profile" },
  mode = "shadow",
  when = function(event)
    if text.len(event.description) < 60 then return false end
    local accounts = distinct("profiles with a text", text.fold(event.description):sub(1, 2000), hours(1)):add(event.did)
    if accounts < 6 then return false end
    return true, { ProfileCopies = accounts }
  end,
  effects = { label { "spam", on = "did", expires = days(7), comment = "{ProfileCopies} profiles with the same text" } },
}
