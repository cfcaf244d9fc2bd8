-- Insults in a reply, plain or censored. A word list judges nothing by itself: people quote, joke and complain with the same
-- words, most of all those who know each other. So this rule stays in shadow, asks for replies to others by accounts of less
-- than a month, and says in its features whether the word was hidden; a hidden insult is meant.

local words = list "rude_words"

return rule {
  name = "RudeReply",
  about = "A reply of a young account to somebody else with a word of the list.",
  owner = "insults",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  mode = "shadow",
  when = function(event)
    if not event.is_reply or not young(event, days(30)) or uri.did(event.reply_parent) == event.did then return false end
    local word, hidden = words:censored(event.text)
    if not word then return false end
    return true, { RudeWord = word, RudeWordHidden = hidden }
  end,
  effects = { label { "rude", on = "uri", comment = "{RudeWord}" } },
}
