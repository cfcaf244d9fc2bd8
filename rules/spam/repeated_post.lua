-- One account writes the same thing over and over. Greetings are repeated by everybody, so short texts do not count; bots that
-- report the weather repeat a frame with other numbers, so ten times in ten minutes is the line.

return rule {
  name = "RepeatedPost",
  about = "One account posts the same text ten times within ten minutes.",
  owner = "spam",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  when = function(event)
    if text.len(event.text) < 30 then return false end
    local copies = count("same text", event.did .. " " .. text.fold(event.text):sub(1, 64), minutes(10))
    copies:add()
    return copies:crossed(10)
  end,
  effects = { verdict "review", label { "spam", on = "did", expires = hours(12), comment = "The same post ten times" } },
}
