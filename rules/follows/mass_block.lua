-- Blocking is everybody's right and needs no reason. A hundred blocks in ten minutes are made by a tool, and the tool's list is
-- what a moderator may want to know about. Only a note, and only in shadow.

return rule {
  name = "MassBlock",
  about = "A hundred blocks within ten minutes.",
  owner = "follows",
  actions = { "operation#create" },
  collections = { "app.bsky.graph.block" },
  mode = "shadow",
  when = function(event)
    local blocks = count("blocks", event.did, minutes(10))
    blocks:add()
    return blocks:crossed(100)
  end,
  effects = { comment "A hundred blocks within ten minutes" },
}
