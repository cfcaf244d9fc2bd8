-- Accounts that dress up as somebody else: the name in look-alike letters, with invisible characters, or with words such as
-- `Official` or `Support` behind it; a handle with 0 for o, 1 for i, rn for m.
--
-- `text.fold` makes all look-alikes equal, so a name that folds to a known one without *being* it is a disguise. Honest people
-- use the known name with words that say what they are (`fan club`, `parody`), and namesakes write it as it is: both stay out.

local known = {
  { "Amara Osei", "amaraosei", "did:plc:aaoa2jc3picq6wxle3qr4cmn" },
  { "Nordlicht Zeitung", "nordlicht-zeitung", "did:plc:ityz3h324qtqtlkw6zvqcp52" },
  { "Harbour City Council", "harbourcity", "did:plc:xfgyexrm6n2lzkvj6kqgxv7g" },
  { "Mina Kurosawa", "minakurosawa", "did:plc:gpa3sljtwlqcnndojpxxej4a" },
  { "The Daily Lantern", "dailylantern", "did:plc:4w3afhuu3mgmhg6pzklfcylw" },
  { "Rafael Quintana", "rafaelquintana", "did:plc:lnxmat3dnvu6r4lawdsk7not" },
  { "Polar Weather Service", "polarweather", "did:plc:4mufvcujcmms6sznjy7vkrcy" },
  { "Ingrid Solheim", "ingridsolheim", "did:plc:fhgs6wz7bdc6cksylk74rff4" },
  { "Kepler Science Museum", "keplermuseum", "did:plc:pabglw7lyh4kwjprorhpv4tp" },
  { "Bram de Wit", "bramdewit", "did:plc:vuasnvfycgciamn7kjrjzwxb" },
  { "Open Trains", "opentrains", "did:plc:g5qg3pdvqk4awmonjautyxu3" },
  { "Yuki Tanabe", "yukitanabe", "did:plc:iramovqlmh6w7fbadcozi7ey" },
  { "Granite Bank", "granitebank", "did:plc:yfl4npmmncyuj5vkd3ysq6qo" },
  { "Lena Vogelsang", "lenavogelsang", "did:plc:iqpv6jbz34ujnnbhpgrhu5ij" },
  { "Riverside FC", "riversidefc", "did:plc:6sjhnmkrmhkbba2zvl6gip45" },
  { "Omar Haddad", "omarhaddad", "did:plc:ispgcsu4piatialfmh4yvweh" },
}

-- Letters and digits of a folded text, without blanks and hyphens.
local function bare(folded)
  local kept = {}
  for at = 1, math.min(#folded, 200) do
    local byte = folded:byte(at)
    if byte >= 0x80 or (byte >= 0x30 and byte <= 0x39) or (byte >= 0x61 and byte <= 0x7a) then
      kept[#kept + 1] = string.char(byte)
    end
  end
  return table.concat(kept)
end

-- What impostors put behind a name, folded and bare; check marks and the empty rest as well.
local claims = { [""] = true }
for _, words in ipairs { "official", "support", "help desk", "helpdesk", "help", "team", "service", "✓", "✔", "✔️", "☑", "✅" } do
  claims[bare(text.fold(words))] = true
end

local owners, names, handles = {}, {}, {}
for at, entry in ipairs(known) do
  names[at] = bare(text.fold(entry[1]))
  handles[at] = bare(text.fold(entry[2]))
  owners[entry[3]] = true
end

-- Number of the known account that `folded` claims to be, nil for none.
local function claimed(folded, candidates)
  for at, candidate in ipairs(candidates) do
    if folded:sub(1, #candidate) == candidate and claims[folded:sub(#candidate + 1)] then return at end
  end
end

return {
  rule {
    name = "LookalikeName",
    about = "A display name that reads like a known one and is written differently.",
    owner = "names",
    actions = { "operation#create", "operation#update" },
    collections = { "app.bsky.actor.profile" },
    when = function(event)
      local name = event.display_name
      if not name or owners[event.did] then return end
      -- Known names are short; what comes after 300 bytes cannot make this one of them.
      local at = claimed(bare(text.fold(name:sub(1, 300))), names)
      if not at then return false end
      -- A namesake writes the name as it is.
      return name:lower() ~= known[at][1]:lower(), { ImitatedName = known[at][1] }
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
      if not handle or owners[event.did] then return end
      local dot = handle:find(".")
      local first = dot and handle:sub(1, dot - 1) or handle
      local at = claimed(bare(text.fold(first)), handles)
      return at ~= nil, { ImitatedHandle = at and known[at][2] }
    end,
    effects = {
      verdict "review",
      label { "impersonation", on = "did", comment = "The handle reads like {ImitatedHandle}" },
    },
  },
}
