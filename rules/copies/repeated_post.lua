-- One account writes the same thing over and over. Greetings are repeated by everybody, so short texts do not count; bots that
-- post the weather write other numbers each time, and the numbers inside a text are not taken off.
--
-- `crossed` is true once, when the count reaches eight: the tenth post is worth a look, the eleventh adds nothing.
-- In shadow: the waves of CopyPasteWave are the proven case; this one has to show first that it does not meet the bots people
-- like.

return rule {
  name = "RepeatedPost",
  about = "One account posts the same longer text ten times within ten minutes.",
  owner = "copies",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  mode = "shadow",
  when = function(event)
    -- Most accounts write less than three posts in ten minutes. For them no text is touched.
    if features._RecentPosts < 3 or text.len(event.text) < 30 then return false end
    local copies = count("same text", event.did .. features._TextCore, minutes(10))
    copies:add()
    return copies:crossed(8)
  end,
  effects = { verdict "review", label { "spam", on = "did", expires = hours(12), comment = "The same post ten times" } },
}
