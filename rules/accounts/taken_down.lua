-- An account that its host has taken down or suspended. Nothing follows from it here, but the column is worth having: who looks
-- at labels can see what became of an account. And it takes away our own label for spam, which is done with.

return rule {
  name = "AccountTakenDown",
  about = "The account's host says it is taken down or suspended.",
  owner = "accounts",
  actions = { "account" },
  mode = "shadow",
  when = function(event)
    if event.active then return false end
    return event.status == "takendown" or event.status == "suspended", { AccountStatus = event.status }
  end,
  effects = { acknowledge { on = "did", comment = "Its host says {AccountStatus}" }, unlabel "spam" },
}
