-- One account pushes one site: post after post with links to the same place.
--
-- Why a site and not a host: floods make up a new sub-domain for every post, and only what is registered stays the same.
-- Why nine: newsrooms post when the wire comes in, with one link each, up to eight posts a minute. They stay below.
-- Each post past the ninth is a hit of its own, because each of them carries links that have to go.

-- The last two labels of a host. Wrong for hosts such as `shop.example.co.uk`, which then count together as `co.uk`.
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
  name = "LinkFlood",
  about = "One account posts links to the same site more than eight times a minute.",
  owner = "spam",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  when = function(event)
    local most, busiest = 0, nil
    local seen = {}
    for _, host in ipairs(event.domains) do
      local name = site(host)
      if not seen[name] then
        seen[name] = true
        local posts = count("posts with links", event.did .. " " .. name, minutes(1)):add()
        if posts > most then most, busiest = posts, name end
      end
    end
    return most > 8, { LinkFloodPosts = most, LinkFloodSite = busiest }
  end,
  effects = {
    verdict "review",
    label { "spam", on = "uri", comment = "{LinkFloodPosts} posts a minute with links to {LinkFloodSite}" },
    label { "spam", on = "did", expires = days(3), comment = "Flood of links to {LinkFloodSite}" },
  },
}
