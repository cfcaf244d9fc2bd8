-- Several accounts push the same site at the same time. Each of them alone may stay under what LinkFlood asks for.
--
-- An account counts as pushing a site from its third post to it within a minute. A newsroom does that too, but alone: its site
-- is its own. Popular sites are linked by many accounts, but hardly ever three times a minute by the same one.
--
-- A counter that feeds a distinct set, and a cache that remembers the answer: once two accounts were seen, the site is known to
-- be pushed for half an hour, and from then on the second post of an account within a minute is enough.

return rule {
  name = "DomainPush",
  about = "Two or more accounts post the same site at least three times a minute each.",
  owner = "links",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  when = function(event)
    if #event.domains == 0 then return false end
    for _, site in ipairs(features.LinkSites) do
      local posts = count("posts to a site", event.did .. " " .. site, minutes(1)):add()
      if posts >= 3 then
        local accounts = distinct("accounts pushing a site", site, minutes(5)):add(event.did)
        if accounts >= 2 then
          cache.set("pushed " .. site, accounts, minutes(30))
          return true, { PushedSite = site, PushingAccounts = accounts }
        end
      elseif posts == 2 then
        local accounts = cache.get("pushed " .. site)
        if accounts then return true, { PushedSite = site, PushingAccounts = accounts } end
      end
    end
    return false
  end,
  effects = {
    verdict "review",
    label { "spam", on = "uri", comment = "One of {PushingAccounts} accounts that push {PushedSite}" },
    label { "spam", on = "did", expires = days(3), comment = "{PushingAccounts} accounts push {PushedSite}" },
  },
}
