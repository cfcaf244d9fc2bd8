return tests "MassBlock" {
  case "a hundred" { every(seconds(2), 100, block "user{n}"), hits = true },
  case "a bad evening" { every(seconds(10), 30, block "user{n}"), silent = true },
}
