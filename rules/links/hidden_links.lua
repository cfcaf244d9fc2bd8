-- The reader sees `read here`, the link stands in the facet only. One such post is normal; a stream of them is how floods hide
-- from everybody who reads `text`.
--
-- In shadow: it finds much of what LinkFlood finds, and it first has to show that it finds something else as well.

return rule {
  name = "HiddenLinks",
  about = "An account posts many links whose addresses do not show in the text.",
  owner = "links",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  mode = "shadow",
  when = function(event)
    if #event.domains == 0 then return false end
    local shown = (event.text or ""):lower()
    local hidden = 0
    for _, host in ipairs(event.domains) do
      if not shown:find(host) then hidden = hidden + 1 end
    end
    if hidden == 0 then return false end
    local posts = count("posts with hidden links", event.did, minutes(2)):add()
    if posts < 9 then return false end
    return true, { HiddenLinkCount = hidden }
  end,
  effects = { label { "spam", on = "did", expires = days(1), comment = "Links hidden behind words" } },
}
