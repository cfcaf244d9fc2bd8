-- One account replies to one other again and again. Friends do that too, so the other must not be answering: one reply in the
-- other direction within the hour, and it is a conversation. Both directions are the same counter under two keys.

return rule {
  name = "Hounding",
  about = "Twenty-five replies to one person within an hour, none of them answered.",
  owner = "replies",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  mode = "shadow",
  when = function(event)
    local target = uri.did(event.reply_parent)
    if not target or target == event.did then return false end
    local replies = count("replies to one person", event.did .. target, hours(1))
    if replies:add() < 25 then return false end
    if count("replies to one person", target .. event.did, hours(1)):get() > 0 or not replies:crossed(25) then return false end
    return true, { HoundedAccount = target }
  end,
  effects = { label { "harassment", on = "did", expires = days(3), comment = "25 unanswered replies to {HoundedAccount} within an hour" } },
}
