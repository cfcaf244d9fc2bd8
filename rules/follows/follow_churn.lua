-- Follow, wait for the follow back, unfollow, begin again. Seen from here: many deleted follows. Cleaning up one's list looks
-- the same, so this rule only watches, and asks for both sides: follows and unfollows within the hour.

return rule {
  name = "FollowChurn",
  about = "Many follows and many unfollows within an hour.",
  owner = "follows",
  actions = { "operation#create", "operation#delete" },
  collections = { "app.bsky.graph.follow" },
  mode = "shadow",
  when = function(event)
    local made = count("follows made", event.did, hours(1))
    local gone = count("follows deleted", event.did, hours(1))
    if event.operation == "delete" then gone:add() else made:add() end
    return made:get() >= 60 and gone:crossed(60), { FollowsMade = made:get(), FollowsDeleted = gone:get() }
  end,
  effects = { label { "follow-churn", on = "did", expires = days(7) } },
}
