-- Rules that look at one thing each cannot see that an account does three. `entity.labels` has the labels that the live rules
-- of this set have given and that have not run out. Whoever has two different ones and now changes the profile is about to
-- begin again under another name, and gets a person's eyes.
--
-- Why not at every post: that would ask for the labels of everybody who writes, a hundred times as often.
--
-- One label is the everyday case and what expiry is for. An escalation is dear: it is given once a week for an account.

return rule {
  name = "RepeatOffender",
  about = "An account with two or more labels of this feeder changes its profile.",
  owner = "accounts",
  actions = { "operation#create", "operation#update" },
  collections = { "app.bsky.actor.profile" },
  mode = "shadow",
  when = function(event)
    local labels = entity.labels(event.did)
    if #labels < 2 then return false end
    return true, { LabelsSoFar = table.concat(labels, " ") }
  end,
  effects = { escalate { on = "did", dedupe = days(7), comment = "Labels so far: {LabelsSoFar}" } },
}
