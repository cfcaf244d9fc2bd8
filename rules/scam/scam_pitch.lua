-- A promise and a call to get in touch: `Double your bitcoin in one day. DM me on Telegram`. Each half alone is everyday talk:
-- people warn of seed phrases, laugh about inheritance funds and ask for a DM about a tent. Both in one post is a pitch.
--
-- The phrases stand in rules/lists/, where they can be changed without touching a rule. `censored` finds them also with digits
-- for letters, dots between letters and letters of other scripts; it returns the entry of the list, so the feature says *what*
-- was found and not how it was written. What other rules may want to know as well, the call, is a feature of
-- rules/features.lua; it stands in the verdict without this rule returning it.

local promises = list "scam_promises"

return rule {
  name = "ScamPitch",
  about = "A post promises money or prizes and asks to get in touch elsewhere.",
  owner = "scam",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  when = function(event)
    if not features.ScamCall then return false end
    local promise = promises:censored(event.text)
    if not promise then return false end
    return true, { ScamPromise = promise }
  end,
  effects = {
    verdict "review",
    label { "scam", on = "uri", comment = "`{ScamPromise}` and `{ScamCall}`" },
    label { "scam", on = "did", expires = days(7), comment = "`{ScamPromise}` and `{ScamCall}`" },
  },
}
