-- MassFollow has to leave room for starter packs. An account that is an hour old and has followed fifty people one by one,
-- without a pack, is worth watching long before it reaches 75.
--
-- The counter is the one that MassFollow looks at: same name, key and window, same counter. rules/features.lua feeds it.
-- `young` is false where the age is not known: an unknown age is not a young age. Needs `--directory`.
-- In shadow, and it should stay there until somebody has seen how many newcomers it meets on a day with a popular pack.

return rule {
  name = "YoungFollowBurst",
  about = "An account of less than a day follows fifty people within ten minutes.",
  owner = "follows",
  actions = { "operation#create" },
  collections = { "app.bsky.graph.follow" },
  mode = "shadow",
  when = function(event)
    if not young(event, days(1)) or features._RecentFollows < 50 then return false end
    return count("follows", event.did, minutes(10)):crossed(50)
  end,
  effects = { flag { "young-follow-burst", expires = days(7) } },
}
