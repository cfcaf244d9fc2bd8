-- Follow, wait for the follow back, unfollow, begin again. Seen from here: follows and deleted follows by the same account.
--
-- Each half alone is honest: a newcomer follows the 60 accounts of a starter pack, and whoever cleans up an old account takes
-- back hundreds of follows in an hour. Both together, thirty and thirty, is not: the newcomer has nothing to take back, and who
-- cleans up does not follow thirty others.

return rule {
  name = "FollowChurn",
  about = "Thirty follows and thirty unfollows within an hour.",
  owner = "follows",
  actions = { "operation#create", "operation#delete" },
  collections = { "app.bsky.graph.follow" },
  when = function(event)
    local made = count("follows made", event.did, hours(1))
    if event.operation == "create" then
      made:add()
      return false
    end
    local gone = count("follows deleted", event.did, hours(1))
    local deleted = gone:add()
    -- `made` first: `crossed` is true once only, and that once must not be spent before the other half is there.
    return deleted >= 30 and made:get() >= 30 and gone:crossed(30), { FollowsMade = made:get(), FollowsDeleted = deleted }
  end,
  effects = {
    verdict "review",
    label { "follow-churn", on = "did", expires = days(7), comment = "{FollowsMade} follows and {FollowsDeleted} unfollows within an hour" },
  },
}
