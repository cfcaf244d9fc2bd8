-- A record no reader can read in full. Usually a broken client; now and then somebody who tries to get past moderation by being
-- malformed. `record_error` says what is wrong with it (docs/rules.md has the names).

return rule {
  name = "UndecodableRecord",
  about = "A record that is not what the protocol allows.",
  owner = "records",
  actions = { "operation#create", "operation#update" },
  -- What people read. Without this line every like would have to be asked.
  collections = { "app.bsky.feed.post", "app.bsky.actor.profile", "app.bsky.graph.list", "app.bsky.graph.starterpack" },
  when = function(event)
    return event.record_error ~= nil
  end,
  effects = { verdict "review" },
}
