-- A starter pack makes its newcomers follow everybody in it. Somebody who makes five packs in an hour sells places in them.

return rule {
  name = "StarterPackPush",
  about = "Five starter packs made within an hour.",
  owner = "curation",
  actions = { "operation#create" },
  collections = { "app.bsky.graph.starterpack" },
  mode = "shadow",
  when = function(event)
    local packs = count("starter packs", event.did, hours(1))
    packs:add()
    return packs:crossed(5)
  end,
  effects = { verdict "review", flag "starter-pack-push" },
}
