-- The same text from many accounts. Spam waves disguise the copies: Cyrillic letters that look Latin, invisible characters,
-- other capitals, doubled blanks, an emoji or a number at the end. `text.fold` undoes all of that but the ending, and
-- rules/lib/endings.lua takes that off. What is left is compared whole: two quotes from the same song begin alike and are two
-- quotes.
--
-- What must stay out: memes and greetings are short (the running jokes of a day have two dozen characters), and a line of a song
-- is shared by a handful of people. Hence at least 60 characters, and at least six accounts.
--
-- Nobody can know the first five of a wave for what they are. So each of the next accounts names one that came before it: the
-- cache holds the address of the second to fifth copy, and `on = { …, feature = … }` labels that one too.

local first_hit = 6

return rule {
  name = "CopyPasteWave",
  about = "The same longer text, disguised or not, from six or more accounts within five minutes.",
  owner = "copies",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  when = function(event)
    local accounts = features._CopyAccounts
    -- One account alone is what nearly all texts are. Nothing is kept for them.
    if not accounts or accounts < 2 then return false end
    local core = features._TextCore
    if accounts < first_hit then
      local place = "copy " .. accounts .. hash.of(core)
      if not cache.get(place) then cache.set(place, event.uri, minutes(10)) end
      return false
    end
    local earlier = cache.get("copy " .. (accounts - first_hit + 2) .. hash.of(core))
    return true, { CopyAccounts = accounts, EarlierCopy = earlier, EarlierCopyAccount = uri.did(earlier) }
  end,
  effects = {
    verdict "review",
    label { "spam", on = "uri", comment = "The same text from {CopyAccounts} accounts" },
    label { "spam", on = "did", expires = hours(24), comment = "Took part in a wave of copied posts" },
    label { "spam", on = { "AtUri", feature = "EarlierCopy" }, comment = "The same text from {CopyAccounts} accounts" },
    label { "spam", on = { "UserId", feature = "EarlierCopyAccount" }, expires = hours(24), comment = "Took part in a wave of copied posts" },
  },
}
