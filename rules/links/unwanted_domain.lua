-- Sites that are not wanted, whoever links them. The list does the work; `domain` knows that `www.shop.example` lies below
-- `shop.example`, and returns the entry that was met.
--
-- The first rule to make live in a network of one's own, with a list of one's own in rules/local/lists/. The entries that come
-- with it do not exist.

local unwanted = list "unwanted_domains"

return rule {
  name = "UnwantedDomain",
  about = "A post links to a site of the list.",
  owner = "links",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  mode = "shadow",
  when = function(event)
    if #event.domains == 0 then return false end
    local site = unwanted:domain(event.domains)
    return site ~= nil, { UnwantedSite = site }
  end,
  effects = { verdict "review", label { "spam", on = "uri", comment = "Links to {UnwantedSite}" } },
}
