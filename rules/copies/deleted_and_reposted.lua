-- Post, delete, post again: to stand on top of every feed, or to get rid of the replies. Seen from here a delete has no text,
-- so the rule joins the two by the account: how often it deleted, and how often it repeated itself.
--
-- In shadow: people who correct a typo delete and repost too, twice or three times. Five within ten minutes is a guess.

return rule {
  name = "DeletedAndReposted",
  about = "An account deletes posts and posts the same text again, five times within ten minutes.",
  owner = "copies",
  actions = { "operation#create", "operation#delete" },
  collections = { "app.bsky.feed.post" },
  mode = "shadow",
  when = function(event)
    -- Whoever deletes nothing is done here, before any text is touched.
    local gone = features._RecentDeletions
    if gone < 5 or not event.text then return false end
    local again = count("text again", event.did .. features._TextCore, minutes(10)):add()
    if again < 5 then return false end
    return true, { DeletedPosts = gone }
  end,
  effects = { label { "spam", on = "did", expires = hours(12), comment = "Deletes and reposts the same text" } },
}
