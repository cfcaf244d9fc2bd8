return tests "FollowChurn" {
  case "twenty-five follows, taken back" {
    every(seconds(1), 25, follow { subject = "user{n}", rkey = "3lchurn{n}" }),
    every(seconds(1), 20, delete(follow { subject = "user{n}", rkey = "3lchurn{n}" })),
    hits = true, features = { FollowsMade = 25, FollowsDeleted = 20 },
  },
  case "a clean-up" { every(seconds(1), 90, delete(follow { subject = "user{n}", rkey = "3lold{n}" })), silent = true },
  case "a newcomer who thinks twice" {
    every(seconds(1), 60, follow { subject = "user{n}", rkey = "3lpack{n}" }),
    every(seconds(1), 20, delete(follow { subject = "user{n}", rkey = "3lpack{n}" })),
    silent = true,
  },
}
