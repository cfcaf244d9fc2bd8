-- Follow, wait for the follow back, unfollow, begin again. Seen from here: follows and deleted follows by the same account.
--
-- Each half alone is honest: a newcomer follows the 60 accounts of a starter pack, and whoever cleans up an old account takes
-- back hundreds of follows in an hour. A newcomer also thinks twice and takes back a dozen of the sixty. So it takes twenty of
-- each, and at least half of what was made must be gone again.

return rule {
  name = "FollowChurn",
  about = "Twenty unfollows within an hour, and follows of which at least half are gone again.",
  owner = "follows",
  actions = { "operation#create", "operation#delete" },
  collections = { "app.bsky.graph.follow" },
  when = function(event)
    local deleted = features._RecentUnfollows
    if deleted < 20 or event.operation == "create" then return false end
    local follows = count("follows made", event.did, hours(1)):get()
    -- `crossed` comes last: it is true once only, and that once must not be spent before the rest holds.
    if follows < 20 or deleted * 2 < follows or not count("follows deleted", event.did, hours(1)):crossed(20) then return false end
    return true, { FollowsMade = follows, FollowsDeleted = deleted }
  end,
  effects = {
    verdict "review",
    label { "follow-churn", on = "did", expires = days(7), comment = "{FollowsMade} follows and {FollowsDeleted} unfollows within an hour" },
  },
}
