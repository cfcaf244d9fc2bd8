return tests "MentionSpam" {
  case "three posts to six strangers each" {
    post { text = "a great offer", mentions = { "a1", "b1", "c1", "d1", "e1", "f1" } },
    post { text = "a great offer", mentions = { "a2", "b2", "c2", "d2", "e2", "f2" } },
    post { text = "a great offer", mentions = { "a3", "b3", "c3", "d3", "e3", "f3" } },
    hits = true, features = { MentionedPeople = 18 },
  },
  case "friends who talk" {
    every(seconds(4), 40, post { text = "reply {n}", mentions = { "ann", "ben", "cem", "dia", "eva", "fay" } }),
    silent = true,
  },
  case "one person at a time" { every(seconds(4), 30, post { text = "hello", mentions = { "user{n}" } }), silent = true },
}
