-- A link to a bare number, `http://203.0.113.7/x`. Sites have names; what has none was set up in a hurry.
-- `domain.registrable` is nil for addresses, and for a host that is nothing but a public suffix.

return rule {
  name = "AddressLink",
  about = "A link to an address without a name.",
  owner = "links",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  mode = "shadow",
  when = function(event)
    if #event.links == 0 then return false end
    for _, link in ipairs(event.links) do
      local host = domain.of(link)
      if host and not domain.registrable(host) and tonumber(host:sub(-1)) then return true, { AddressLinked = host } end
    end
    return false
  end,
  effects = { label { "link-in-question", on = "uri", comment = "Leads to {AddressLinked}" } },
}
