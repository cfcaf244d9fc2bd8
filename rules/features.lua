-- Values that several rules need, worked out once per event, and only when the first of them asks. They stand in the verdict
-- as columns, so name them for the person who reads it. What only rules need begins with `_` and stays out of it.

local endings = use "lib/endings"
local mixed = re[[\p{Latin}[\p{Cyrillic}\p{Greek}]|[\p{Cyrillic}\p{Greek}]\p{Latin}]]
local scam_calls = list "scam_calls"
-- What every post and follow asks for stands here, worked out once.
local five_minutes, ten_minutes, one_hour = minutes(5), minutes(10), hours(1)

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
    return core and #core > 2000 and core:sub(1, 2000) or core
  end,

  -- Counters that several rules look at are fed here: once per event, whichever rule asks first. And a rule that begins with a
  -- small number, a yes or a no costs next to nothing: what it found for a number is known the next time that number comes.

  -- Posts of the account within ten minutes, this one included.
  _RecentPosts = function(event)
    return count("posts of an account", event.did, ten_minutes):add()
  end,

  -- Posts the account deleted within ten minutes.
  _RecentDeletions = function(event)
    local deleted = count("posts deleted", event.did, ten_minutes)
    return event.operation == "delete" and deleted:add() or deleted:get()
  end,

  -- Follows of the account within ten minutes.
  _RecentFollows = function(event)
    return count("follows", event.did, ten_minutes):add()
  end,

  -- Follows the account took back within an hour. What it made is counted beside them, so that no follow is missed.
  _RecentUnfollows = function(event)
    local gone = count("follows deleted", event.did, one_hour)
    if event.operation ~= "create" then return gone:add() end
    count("follows made", event.did, one_hour):add()
    return gone:get()
  end,

  -- Accounts that posted the same longer text within five minutes; nil for a short one. A folded text can be shorter than the
  -- one that was posted: emoji joiners and marks are gone.
  _CopyAccounts = function(event)
    if text.len(event.text) < 60 then return nil end
    local core = features._TextCore
    if #core < 50 then return nil end
    return distinct("copies of a text", core, five_minutes):add(event.did)
  end,

  -- Places where letters of two scripts meet inside a word. As many bytes as characters: plain ASCII, and nothing to look for.
  _MixedScriptPlaces = function(event)
    local shown = event.text
    if not shown or #shown == text.len(shown) then return 0 end
    return mixed:count(shown)
  end,
}
