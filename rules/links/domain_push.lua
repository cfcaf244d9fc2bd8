-- Several accounts push the same site at the same time. Each of them alone may stay under what LinkFlood asks for.
--
-- An account counts as pushing a site from its third post to it within a minute. A newsroom does that too, but alone: its site
-- is its own. Popular sites are linked by many accounts, a few of them often; so at least half of those who link the site must
-- be pushing it.
--
-- Three counters of different things: posts of an account to a site, accounts that push it, accounts that link it at all. And a
-- cache that remembers the answer: for ten minutes the second post of an account within a minute is enough.

return rule {
  name = "DomainPush",
  about = "Two or more accounts post the same site at least three times a minute each, and few others link it.",
  owner = "links",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  when = function(event)
    -- Nine posts in ten have no link. Leaving early is what makes a rule cheap.
    if #event.domains == 0 then return false end
    for _, site in ipairs(features.LinkSites) do
      local linking = distinct("accounts linking a site", site, minutes(10)):add(event.did)
      local posts = count("posts to a site", event.did .. " " .. site, minutes(1)):add()
      if posts >= 3 then
        local pushing = distinct("accounts pushing a site", site, minutes(5)):add(event.did)
        if pushing >= 2 and pushing * 2 >= linking then
          cache.set("pushed " .. site, pushing, minutes(10))
          return true, { PushedSite = site, PushingAccounts = pushing }
        end
      elseif posts == 2 then
        local pushing = cache.get("pushed " .. site)
        if pushing then return true, { PushedSite = site, PushingAccounts = pushing } end
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
