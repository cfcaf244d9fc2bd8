-- A list is shown to everybody who is on it. A name that insults is meant for them. `event.record` has every field of the
-- record, also of record types that have no short fields; what is missing is nil.

local words = list "rude_words"

return rule {
  name = "InsultingList",
  about = "A list whose name insults the people on it.",
  owner = "curation",
  actions = { "operation#create", "operation#update" },
  collections = { "app.bsky.graph.list", "app.bsky.graph.starterpack" },
  mode = "shadow",
  when = function(event)
    local word = words:censored { event.record.name or "", event.record.description or "" }
    return word ~= nil, { RudeWord = word }
  end,
  effects = { verdict "review", label { "rude", on = "uri", comment = "{RudeWord} in the name of a list" } },
}
