-- Copies of a text differ most at the end: an emoji, a number, `pls share`. Here is what is left without that.

-- For folded texts, in which 1 is l and 0 is o: up to three short endings, each behind a blank.
local ending = re[[( (pls share|please share|share this|pass it on|rt|[0-9lo]{1,2}|[^\p{L}\p{N} ]+)){1,3}$]]

local endings = {}

function endings.without(folded)
  if not folded then return nil end
  -- Only the end can match, so only the end is looked at.
  local tail = folded:sub(-40)
  local at = ending:find(tail)
  return at and folded:sub(1, #folded - #tail + at - 1) or folded
end

return endings
