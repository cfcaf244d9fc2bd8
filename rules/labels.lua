-- The labels that exist. A label a rule misspells is an error when the rules are loaded, and so is one on something it is not
-- meant for. What stands here goes into Osprey's `labels.yaml` as well.

return labels {
  spam = { on = { "did", "uri" }, about = "Unwanted advertising, alone or in waves." },
  scam = { on = { "did", "uri" }, about = "Tries to get at somebody's money or keys." },
  impersonation = { on = { "did" }, about = "Dresses up as somebody else." },
  ["mass-follow"] = { on = { "did" }, about = "Followed far more people in minutes than anybody reads." },
  ["follow-churn"] = { on = { "did" }, about = "Follows and unfollows in rounds to be followed back." },
  ["tag-stuffing"] = { on = { "uri" }, about = "Mostly hashtags that have nothing to do with each other." },
  ["handle-flapping"] = { on = { "did" }, about = "Changes its handle so often that nobody can keep track." },
  ["hostile-list"] = { on = { "did" }, about = "Fills lists with strangers to be noticed by them." },
  ["link-in-question"] = { on = { "uri" }, about = "A link that hides where it leads." },
  harassment = { on = { "did", "uri" }, about = "Goes after one person." },
  rude = { on = { "uri" }, about = "Insults, plain or censored." },
}
