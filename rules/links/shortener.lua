-- A shortened link says nothing about where it leads. In a feed with link cards there is hardly a reason for one. Newspapers'
-- tools use them all the same, so this only watches, and only young accounts.

local shorteners = list "shorteners"

return rule {
  name = "ShortenedLink",
  about = "A young account posts a link through a shortener.",
  owner = "links",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  mode = "shadow",
  when = function(event)
    if #event.domains == 0 or not young(event, days(7)) then return false end
    local service = shorteners:domain(event.domains)
    return service ~= nil, { Shortener = service }
  end,
  effects = { label { "link-in-question", on = "uri", comment = "Leads through {Shortener}" } },
}
