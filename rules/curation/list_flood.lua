-- A moderation list says `block these people`, and everybody on it can see that they are. Made in anger and filled by a script,
-- it is a way to shout at fifty strangers at once.
--
-- A record of the list says what the list is for, a record of each entry says only which list it belongs to. So the cache keeps
-- the first for the second: an entry counts if its list was made today and for moderation. Lists of reading tips stay out, and
-- so do old lists somebody keeps with care.

return rule {
  name = "ListFlood",
  about = "Twenty-five people put on a new moderation list within ten minutes.",
  owner = "curation",
  actions = { "operation#create" },
  collections = { "app.bsky.graph.list", "app.bsky.graph.listitem" },
  when = function(event)
    if event.collection == "app.bsky.graph.list" then
      if event.record.purpose == "app.bsky.graph.defs#modlist" then cache.set("modlist " .. event.uri, true, days(1)) end
      return
    end
    local list = event.record.list
    if type(list) ~= "string" or #list > 500 or not cache.get("modlist " .. list) then return false end
    local entries = distinct("entries of a list", list, minutes(10))
    entries:add(uri.did(event.record.subject))
    if not entries:crossed(25) then return false end
    return true, { ListedPeople = entries:get(), HostileList = list }
  end,
  effects = {
    verdict "review",
    report { "reasonRude", on = "did", comment = "{ListedPeople} people put on {HostileList} within ten minutes" },
    label { "hostile-list", on = "did", expires = days(7) },
  },
}
