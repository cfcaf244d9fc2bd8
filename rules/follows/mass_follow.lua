-- Hundreds of follows in a few minutes: to be followed back, and to be seen in notifications.
--
-- Somebody new who opens a starter pack follows 30 to 60 people in under a minute, and that is what starter packs are for. So
-- the line is at 75. `crossed` is true once, however far a commit with several follows jumps over the line: one label is enough.

return rule {
  name = "MassFollow",
  about = "75 follows or more within ten minutes.",
  owner = "follows",
  actions = { "operation#create" },
  collections = { "app.bsky.graph.follow" },
  when = function(event)
    local made = features._RecentFollows
    if made < 75 or not count("follows", event.did, minutes(10)):crossed(75) then return false end
    return true, { FollowCount = made }
  end,
  effects = {
    verdict "review",
    label { "mass-follow", on = "did", expires = days(7), comment = "{FollowCount} follows in ten minutes" },
  },
}
