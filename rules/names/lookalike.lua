-- Accounts that dress up as somebody else: the name in look-alike letters, with invisible characters, or with words such as
-- `Official` or `Support` behind it; a handle with 0 for o, 1 for i, rn for m.
--
-- `text.fold` makes all look-alikes equal, so a name that folds to a known one without *being* it is a disguise. Honest people
-- use the known name with words that say what they are (`fan club`, `parody`), and namesakes write it as it is: both stay out.
-- Whom to protect stands in rules/lib/names.lua; two rules in one file share what they both need.

local names = use "lib/names"

return {
  rule {
    name = "LookalikeName",
    about = "A display name that reads like a known one and is written differently.",
    owner = "names",
    actions = { "operation#create", "operation#update" },
    collections = { "app.bsky.actor.profile" },
    when = function(event)
      local name = event.display_name
      if not name or names.owners[event.did] then return end
      local at = names.by_name[names.bare(name)]
      if not at then return false end
      local known = names.known[at][1]
      -- A namesake writes the name as it is.
      if name:lower() == known:lower() then return false end
      return true, { ImitatedName = known }
    end,
    effects = {
      verdict "review",
      label { "impersonation", on = "did", comment = "The name reads like {ImitatedName}" },
    },
  },
  rule {
    name = "LookalikeHandle",
    about = "A handle that reads like a known one.",
    owner = "names",
    actions = { "identity" },
    when = function(event)
      local handle = event.handle
      if not handle or names.owners[event.did] then return end
      local dot = handle:find(".")
      local at = names.by_handle[names.bare(dot and handle:sub(1, dot - 1) or handle)]
      if not at then return false end
      return true, { ImitatedHandle = names.known[at][2] }
    end,
    effects = {
      verdict "review",
      label { "impersonation", on = "did", comment = "The handle reads like {ImitatedHandle}" },
    },
  },
}
