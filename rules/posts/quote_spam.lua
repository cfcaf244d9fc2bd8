-- Quoting many people within minutes puts the quoting account into all their notifications. Commentators do it on a busy
-- evening, with a handful of people; fifteen in ten minutes leave no time to read what is quoted.

return rule {
  name = "QuoteSpam",
  about = "Fifteen different people quoted within ten minutes.",
  owner = "posts",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  mode = "shadow",
  when = function(event)
    local quote = event.quote
    if not quote then return false end
    local quoted = uri.did(quote)
    if not quoted or quoted == event.did then return false end
    local people = distinct("people quoted", event.did, minutes(10))
    people:add(quoted)
    return people:crossed(15)
  end,
  effects = { label { "spam", on = "did", expires = days(1), comment = "Fifteen people quoted within ten minutes" } },
}
