-- Copies of a text differ most at the end: an emoji, a number, `pls share`. Here is what is left without that.

local fillers = {}
for _, words in ipairs { "pls share", "please share", "share this", "pass it on", "rt" } do
  fillers[#fillers + 1] = " " .. text.fold(words)
end

-- The blank before the last word, if the word is short; nil for a long one.
local function last_blank(s)
  for at = #s, math.max(1, #s - 12), -1 do
    if s:byte(at) == 32 then return at end
  end
end

local function is_filler(word)
  if #word <= 2 then return true end
  -- Emoji have no ASCII in them. Japanese words neither, but they do not stand alone behind a blank.
  for at = 1, #word do
    if word:byte(at) < 0x80 then return false end
  end
  return true
end

local endings = {}

-- `folded` without up to three such endings.
function endings.without(folded)
  if not folded then return nil end
  for _ = 1, 3 do
    local before = #folded
    for _, filler in ipairs(fillers) do
      if folded:sub(-#filler) == filler then folded = folded:sub(1, -#filler - 1) end
    end
    local blank = last_blank(folded)
    if blank and is_filler(folded:sub(blank + 1)) then folded = folded:sub(1, blank - 1) end
    if #folded == before then break end
  end
  return folded
end

return endings
