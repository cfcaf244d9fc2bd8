-- A post that is mostly hashtags, to turn up in every feed there is. In shadow until somebody has looked at a week of its hits:
-- photographers and poets like hashtags too.

return rule {
  name = "HashtagStuffing",
  about = "More than ten hashtags in one post.",
  owner = "tags",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  mode = "shadow",
  when = function(event)
    local tags = #event.tags
    return tags > 10, { TagCount = tags }
  end,
  effects = { label { "tag-stuffing", on = "uri", comment = "{TagCount} hashtags" } },
}
