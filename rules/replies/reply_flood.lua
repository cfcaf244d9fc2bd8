-- One pitch, pasted under the posts of one stranger after the other. Openings change (`So true,`, `Great post,`), what is to be
-- sold stays: so the end of the text is compared, not its beginning.
--
-- People who answer many others in their own thread are hosts, and people who answer themselves are telling a story. Both stay
-- out. Whoever talks to many writes something different to each; the same words to six people are a script.

return rule {
  name = "ReplyFlood",
  about = "The same words in replies to six different people within ten minutes.",
  owner = "replies",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  when = function(event)
    local parent = uri.did(event.reply_parent)
    if not parent or parent == event.did or uri.did(event.reply_root) == event.did then return false end
    local core = features._TextCore
    -- `yes`, `thank you`, `same here`: everybody says that to six people.
    if #core < 24 then return false end
    local people = distinct("people told the same", event.did .. core:sub(-24), minutes(10)):add(parent)
    if people < 6 then return false end
    return true, { PeopleToldTheSame = people }
  end,
  effects = {
    verdict "review",
    label { "spam", on = "uri", comment = "The same reply to {PeopleToldTheSame} people" },
    label { "spam", on = "did", expires = days(3), comment = "The same reply to {PeopleToldTheSame} people" },
  },
}
