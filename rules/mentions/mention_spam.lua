-- Posts that call out to strangers. Counting mentions would hit every lively thread: friends who talk mention each other again
-- and again. So it is *different* people who count: seven friends are seven people, however long they talk.

return rule {
  name = "MentionSpam",
  about = "One account mentions 18 or more different people within ten minutes.",
  owner = "mentions",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  when = function(event)
    local mentions = event.mentions
    local called = #mentions
    if called == 0 then return false end
    local people = distinct("people mentioned", event.did, minutes(10))
    for index, did in ipairs(mentions) do
      if index > 20 then break end
      people:add(did)
    end
    local different = people:get()
    -- The post itself has to call out to several: an answer to one of them is not spam.
    if different < 18 or called < 3 then return false end
    return true, { MentionedPeople = different }
  end,
  effects = {
    verdict "review",
    label { "spam", on = "uri", comment = "One of many posts to strangers" },
    label { "spam", on = "did", expires = days(3), comment = "{MentionedPeople} different people mentioned in ten minutes" },
  },
}
