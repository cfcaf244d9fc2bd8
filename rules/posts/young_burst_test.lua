return tests "YoungAccountBurst" {
  case "thirty posts on the first day" { every(seconds(10), 30, post { text = "post {n}" }), account = { age = hours(3), followers = 0 }, hits = true, features = { AccountFollowers = 0 } },
  case "an import of an old blog" { every(seconds(10), 30, post { text = "post {n}", created_at = "2019-03-01T10:00:00Z" }), account = { age = hours(3) }, silent = true },
  case "somebody who talks" { every(seconds(10), 30, reply { text = "yes {n}" }), account = { age = hours(3) }, silent = true },
  case "an old account" { every(seconds(10), 30, post { text = "post {n}" }), account = { age = days(300) }, silent = true },
}
