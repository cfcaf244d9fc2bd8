-- Copies of a text differ most at the end: an emoji, a number, `pls share`. Here is what is left without that.

-- For folded texts, in which 1 is l and 0 is o: up to three short endings, each behind a blank.
local ending = re[[( (pls share|please share|share this|pass it on|rt|[0-9lo]{1,2}|[^\p{L}\p{N} ]+)){1,3}$]]

local endings = {}

function endings.without(folded)
  if not folded then return nil end
  local at = ending:find(folded)
  return at and folded:sub(1, at - 1) or folded
end

return endings
