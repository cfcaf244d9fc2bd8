-- One account pushes one site: post after post with links to the same place.
--
-- Why a site and not a host: floods make up a new sub-domain for every post, and only what is registered stays the same.
-- `features.LinkSites` (rules/features.lua) has the sites, worked out once for all rules that ask.
-- Why nine: newsrooms post when the wire comes in, with one link each, up to eight posts a minute. They stay below.
-- Why at most eight accounts: a site that more of them link is popular, and who posts it often is a fan. What a larger crowd
-- pushes on purpose is for DomainPush, whose counter of accounts is read here.
-- Each post past the eighth is a hit of its own, because each of them carries links that have to go. The label on the account
-- is given once a day all the same: effects are not repeated within their `dedupe`.

return rule {
  name = "LinkFlood",
  about = "One account posts links to the same little-known site more than eight times a minute.",
  owner = "links",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  when = function(event)
    if #event.domains == 0 then return false end
    for _, site in ipairs(features.LinkSites) do
      local posts = count("posts with links", event.did .. " " .. site, minutes(1)):add()
      if posts > 8 and distinct("accounts linking a site", site, minutes(10)):get() <= 8 then
        return true, { LinkFloodPosts = posts, LinkFloodSite = site }
      end
    end
    return false
  end,
  effects = {
    verdict "review",
    label { "spam", on = "uri", comment = "{LinkFloodPosts} posts a minute with links to {LinkFloodSite}" },
    label { "spam", on = "did", expires = days(3), comment = "Flood of links to {LinkFloodSite}" },
  },
}
