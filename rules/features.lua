-- Values that several rules need, worked out once per event, and only when the first of them asks. They stand in the verdict
-- as columns, so name them for the person who reads it. What only rules need begins with `_` and stays out of it.

local endings = use "lib/endings"
local scam_calls = list "scam_calls"

return features {
  -- The sites a post links to: what somebody registered, not the host. `a.shop.example` and `b.shop.example` are one site, and
  -- so is `shop.co.uk`, because the public suffix list knows where names are sold.
  LinkSites = function(event)
    local sites, seen = {}, {}
    for _, host in ipairs(event.domains) do
      local site = domain.registrable(host) or host
      if not seen[site] then
        seen[site] = true
        sites[#sites + 1] = site
      end
    end
    return sites
  end,

  -- How a post asks to get in touch elsewhere, by the list; nil for nearly all posts. Reading a text for censored words is the
  -- dearest thing the rules do, so it is done once.
  ScamCall = function(event)
    return (scam_calls:censored(event.text))
  end,

  -- The text for comparing: folded, without what people hang at the end of a copy. Cut, because keys of counters are at most
  -- 4,096 bytes long; posts are shorter, but nothing keeps somebody from writing a record with more.
  -- Nobody reads a verdict for it, and the post's text stands there anyway.
  _TextCore = function(event)
    local core = endings.without(text.fold(event.text))
    return core and core:sub(1, 2000)
  end,
}
