-- Who is imitated, and what a name is reduced to before it is compared.

local names = {}

-- Name, first part of the handle, DID. Replace these with the accounts your users know.
names.known = {
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

-- What impostors put behind a name.
local claims = {
  "", "official", "support", "help desk", "helpdesk", "help", "team", "service", "✓", "✔", "✔️", "☑", "✅",
}

-- Letters and digits of a name, folded, without blanks, hyphens and brackets. Known names are short; what comes after 200 bytes
-- cannot make a name one of them.
function names.bare(name)
  local folded = text.fold(name:sub(1, 200)):sub(1, 200)
  local kept = {}
  for _, byte in ipairs { folded:byte(1, -1) } do
    if byte >= 0x80 or (byte >= 0x30 and byte <= 0x39) or (byte >= 0x61 and byte <= 0x7a) then kept[#kept + 1] = byte end
  end
  return string.char(table.unpack(kept))
end

-- Every way to claim a known name, bare, with the number of the account in `known`. A look-up by a whole key costs the same for
-- ten names and for ten thousand; a loop over them does not.
names.by_name, names.by_handle, names.owners = {}, {}, {}
for at, entry in ipairs(names.known) do
  names.owners[entry[3]] = true
  for _, claim in ipairs(claims) do
    local tail = names.bare(claim)
    names.by_name[names.bare(entry[1]) .. tail] = at
    names.by_handle[names.bare(entry[2]) .. tail] = at
  end
end

return names
