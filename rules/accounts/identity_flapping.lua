-- A new handle every few seconds, so that nobody knows whom to block or report. Who renames in earnest tries two or three: a
-- typo, then a domain of their own.
--
-- `handle.invalid` is what a relay says when it could not look the handle up. It is nobody's handle and does not count.

return rule {
  name = "IdentityFlapping",
  about = "Five different handles within an hour.",
  owner = "accounts",
  actions = { "identity" },
  when = function(event)
    local handle = event.handle
    if not handle or handle == "handle.invalid" then return end
    local handles = distinct("handles", event.did, hours(1)):add(handle)
    if handles < 5 then return false end
    return true, { HandleCount = handles }
  end,
  effects = {
    verdict "review",
    label { "handle-flapping", on = "did", expires = days(7), comment = "{HandleCount} handles within an hour" },
  },
}
