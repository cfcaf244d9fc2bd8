-- The text says `granitebank.example`, the link behind it leads elsewhere. That is how passwords are stolen. Only texts that
-- look like a host are compared, by what somebody registered: `www.` and sub-domains are no deception.
--
-- The rule walks the facets itself, because it needs both what is shown and where it leads; `byteStart` counts from 0.

local host = re[[^(https?://)?([a-z0-9-]+\.)+[a-z]{2,}(/\S*)?$]]

return rule {
  name = "DeceptiveLink",
  about = "A link shows one site and leads to another.",
  owner = "links",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  mode = "shadow",
  when = function(event)
    if #event.links == 0 then return false end
    for index, facet in ipairs(event.facets) do
      if index > 10 then break end
      local target = facet.features[1].uri
      local from, to = facet.index.byteStart, facet.index.byteEnd
      if target and from and to then
        local shown = event.text:sub(from + 1, to):lower()
        if host:match(shown) then
          local seen, meant = domain.registrable(shown), domain.registrable(target)
          if seen and meant and seen ~= meant then return true, { ShownSite = seen, LinkedSite = meant } end
        end
      end
    end
    return false
  end,
  effects = {
    verdict "review",
    label { "link-in-question", on = "uri", comment = "Shows {ShownSite}, leads to {LinkedSite}" },
  },
}
