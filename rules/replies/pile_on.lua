-- Thirty accounts answer one person within five minutes, and all of those accounts are young. A popular post gets thirty answers
-- too, but from accounts of every age; that is why only young ones are counted.
--
-- The one to look after is not the author of the event: `on = { "UserId", feature = … }` names another account. A flag is a
-- private mark, seen by moderators only.

return rule {
  name = "PileOn",
  about = "Thirty young accounts reply to one person within five minutes.",
  owner = "replies",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  mode = "shadow",
  when = function(event)
    if not event.is_reply or not young(event, days(7)) then return false end
    local target = uri.did(event.reply_parent)
    local crowd = distinct("young accounts replying", target, minutes(5))
    crowd:add(event.did)
    if not crowd:crossed(30) then return false end
    return true, { PileOnTarget = target }
  end,
  effects = {
    escalate { on = { "UserId", feature = "PileOnTarget" }, comment = "Thirty young accounts reply at once" },
    flag { "pile-on", on = { "UserId", feature = "PileOnTarget" }, expires = hours(12) },
  },
}
