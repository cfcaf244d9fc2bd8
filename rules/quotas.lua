-- What all rules together may do. A quota is for the night on which a rule goes wrong: the rule that hits it is shadow until the
-- hour or the day is over (after the 200th takedown of a day, until the rules are loaded again), and the verdict
-- (`__rules_over_quota`), the log and a metric say so.

return quotas {
  label = { hour = 5000, day = 50000 },
  report = { hour = 500, day = 2000 },
  escalate = { hour = 100, day = 500 },
}
