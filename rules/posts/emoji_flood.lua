-- Nothing but emoji, line after line. One such post is a mood; ten within ten minutes are a wall.
--
-- `event.emoji` has whole sequences: a family is one emoji, a flag is one, a hand with a skin tone is one.

return rule {
  name = "EmojiFlood",
  about = "Ten posts of emoji only, with twenty emoji or more, within ten minutes.",
  owner = "posts",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  mode = "shadow",
  when = function(event)
    if #event.emoji < 20 or #event.tokens > 0 then return false end
    local posts = count("emoji posts", event.did, minutes(10))
    posts:add()
    return posts:crossed(10)
  end,
  effects = { label { "spam", on = "did", expires = hours(12), comment = "Ten posts of emoji only" } },
}
