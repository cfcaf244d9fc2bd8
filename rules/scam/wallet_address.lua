-- An address to send money to, from an account that is days old. Artists and charities ask for tips as well, but from accounts
-- that have been somewhere before.
--
-- A pattern in `[[ ]]` needs no doubled backslashes. `match` returns what was found.

local wallet = re[[\b(bc1[0-9a-z]{25,60}|0x[0-9a-fA-F]{40})\b]]

return rule {
  name = "WalletAddress",
  about = "A young account posts a wallet address.",
  owner = "scam",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  mode = "shadow",
  when = function(event)
    if not young(event, days(7)) then return false end
    local address = wallet:match(event.text)
    if not address then return false end
    return true, { PostedWallet = address }
  end,
  effects = { label { "scam", on = "uri", comment = "Asks for money to {PostedWallet}" } },
}
