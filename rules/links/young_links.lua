-- A new account that posts links and nothing else. Newcomers write a first post, some with a link; five links in ten minutes
-- are not how one says hello. `young` is false where the age is not known, so without `--directory` this rule is silent.

return rule {
  name = "YoungAccountLinks",
  about = "An account of less than three days posts five links within ten minutes.",
  owner = "links",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  mode = "shadow",
  when = function(event)
    if #event.domains == 0 or not young(event, days(3)) then return false end
    local posts = count("links of a young account", event.did, minutes(10))
    posts:add()
    if not posts:crossed(5) then return false end
    return true, { AccountFollowers = event.followers }
  end,
  effects = { label { "spam", on = "did", expires = days(1), comment = "Five links from a new account" } },
}
