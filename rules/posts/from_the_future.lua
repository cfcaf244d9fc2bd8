-- `createdAt` is what the author's program says. A post that claims to be years old does not show up in feeds by date, and one
-- from the future stands on top of them. Importers write old dates in good faith, so the past is left alone here.
--
-- Old accounts have old programs with wrong clocks, and are known; so only young ones are asked.
-- `time.since` is negative for what lies ahead; an hour of it is a clock that is wrong, a day is no accident.

return rule {
  name = "PostFromTheFuture",
  about = "A post of a young account that says it was written more than a day from now.",
  owner = "posts",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  mode = "shadow",
  when = function(event)
    if not young(event, days(30)) then return false end
    local created = event.record.createdAt
    -- As texts first: what is not behind the event's own time there is no day ahead of it, whatever the time zone.
    if type(created) ~= "string" or created <= event.time then return false end
    local age = time.since(created)
    if not (age < -days(1)) then return false end
    return true, { CreatedSecondsAgo = age }
  end,
  effects = { verdict "review" },
}
