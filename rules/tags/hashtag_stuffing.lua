-- A post that is mostly hashtags, to turn up in every feed there is. Photographers and poets like hashtags too: four to nine of
-- them, behind a sentence. From twelve on nobody reads them any more.
--
-- The shortest useful rule: one field, one number.

return rule {
  name = "HashtagStuffing",
  about = "Twelve hashtags or more in one post.",
  owner = "tags",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  when = function(event)
    local tags = #event.tags
    if tags < 12 then return false end
    return true, { TagCount = tags }
  end,
  effects = { verdict "review", label { "tag-stuffing", on = "uri", comment = "{TagCount} hashtags" } },
}
