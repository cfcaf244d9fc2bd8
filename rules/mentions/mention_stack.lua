-- One post full of handles. There is one honest use, a list of thanks, and it is rarely longer than a dozen; a young account
-- that does it is hardly thanking anybody.

return rule {
  name = "MentionStack",
  about = "A post of a young account mentions more than twelve people.",
  owner = "mentions",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  mode = "shadow",
  when = function(event)
    local people = #event.mentions
    if people <= 12 or not young(event, days(7)) then return false end
    return true, { MentionCount = people }
  end,
  effects = { label { "spam", on = "uri", comment = "{MentionCount} people in one post" } },
}
