// Rules: one action goes in, what the rules say about it comes out as a Verdict.
// Owns the Lua state (through CLuaHost), the rule index, counters and distinct sets, and every limit a rule has (RuleLimits).
// Knows no topic, no thread and no clock but the event's; the same actions in the same order give the same verdicts.
// Start at RuleHost.judge; how a rule file becomes rules is in RuleHost+Loading, what `event.…` answers in RuleHost+Callbacks.
