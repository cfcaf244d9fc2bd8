-- Letters of two scripts inside one word: `Bіtcoin` with a Ukrainian і. Nobody types that by accident, but there are honest
-- cases: a Greek formula, a brand, a learner's note. So one place is nothing, and it takes four.
--
-- The pattern that counts the places is in rules/features.lua. Patterns are compiled when the rules are loaded, find in linear
-- time, and know Unicode. No text can make one slow.

return rule {
  name = "DisguisedText",
  about = "Words of a post mix scripts, as only disguises do.",
  owner = "copies",
  actions = { "operation#create" },
  collections = { "app.bsky.feed.post" },
  mode = "shadow",
  when = function(event)
    local places = features._MixedScriptPlaces
    if places < 4 then return false end
    return true, { MixedScriptPlaces = places }
  end,
  effects = { label { "spam", on = "uri", comment = "{MixedScriptPlaces} places where letters of two scripts meet" } },
}
