-- Several accounts push the same site at the same time. Each of them alone may stay under what LinkFlood asks for.
--
-- An account counts as pushing a site from its third post to it within a minute. A newsroom does that too, but alone: its site
-- is its own. Popular sites are linked by many accounts, but hardly ever three times a minute by the same one.

local function site(host)
  local last, before
  local from = 1
  while true do
    local dot = host:find(".", from)
    if not dot then break end
    before, last = last, dot
    from = dot + 1
  end
  return before and host:sub(before + 1) or host
end

return rule {
  name = "DomainPush",
  about = "Two or more accounts post the same site at least three times a minute each.",
  owner = "spam",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  when = function(event)
    local most, pushed = 0, nil
    for _, host in ipairs(event.domains) do
      local name = site(host)
      if count("posts to a site", event.did .. " " .. name, minutes(1)):add() >= 3 then
        local accounts = distinct("accounts pushing a site", name, minutes(5)):add(event.did)
        if accounts > most then most, pushed = accounts, name end
      end
    end
    return most >= 2, { PushedSite = pushed, PushingAccounts = most }
  end,
  effects = {
    verdict "review",
    label { "spam", on = "did", expires = days(3), comment = "{PushingAccounts} accounts push {PushedSite}" },
  },
}
