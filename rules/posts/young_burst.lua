-- A new account that writes thirty posts in ten minutes, to nobody in particular. Replies do not count: who comes to talk may
-- talk. Imports of an old blog look like this, with posts that say they are years old, so those stay out as well.

return rule {
  name = "YoungAccountBurst",
  about = "An account of less than three days writes thirty posts within ten minutes.",
  owner = "posts",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  mode = "shadow",
  when = function(event)
    if not young(event, days(3)) or event.is_reply then return false end
    if time.since(event.record.createdAt) > days(2) then return false end
    local posts = count("posts of a young account", event.did, minutes(10))
    posts:add()
    if not posts:crossed(30) then return false end
    return true, { AccountFollowers = event.followers }
  end,
  effects = { label { "spam", on = "did", expires = days(1), comment = "Thirty posts within ten minutes from a new account" } },
}
