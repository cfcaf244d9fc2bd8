-- Deactivate, come back, deactivate: a way to make replies and reports go nowhere. The event says whether the account is active
-- and, if not, why; only what the owner does (`deactivated`) counts, not what a service does to the account.

return rule {
  name = "StatusFlapping",
  about = "An account deactivates itself five times within a day.",
  owner = "accounts",
  actions = { "account" },
  mode = "shadow",
  when = function(event)
    if event.active or event.status ~= "deactivated" then return false end
    local times = count("deactivations", event.did, days(1))
    times:add()
    return times:crossed(5)
  end,
  effects = { verdict "review" },
}
