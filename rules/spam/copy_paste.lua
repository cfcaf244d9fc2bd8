-- The same text from many accounts. Spam waves disguise the copies: Cyrillic letters that look Latin, invisible characters,
-- other capitals, doubled blanks, an emoji or a number at the end. `text.fold` undoes all of that but the ending, so only the
-- beginning is compared.
--
-- What must stay out: memes and greetings are short (the running jokes of a day have two dozen characters), and a line of a song
-- is shared by a handful of people. Hence at least 60 characters, and at least six accounts.

return rule {
  name = "CopyPasteWave",
  about = "The same longer text, disguised or not, from six or more accounts within five minutes.",
  owner = "spam",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  when = function(event)
    if text.len(event.text) < 60 then return false end
    local folded = text.fold(event.text)
    -- A folded text can be short: emoji joiners and marks are gone.
    if #folded < 50 then return false end
    local accounts = distinct("copies of a text", folded:sub(1, 64), minutes(5)):add(event.did)
    return accounts >= 6, { CopyAccounts = accounts }
  end,
  effects = {
    verdict "review",
    label { "spam", on = "uri", comment = "The same text from {CopyAccounts} accounts" },
    label { "spam", on = "did", expires = hours(24), comment = "Took part in a wave of copied posts" },
  },
}
