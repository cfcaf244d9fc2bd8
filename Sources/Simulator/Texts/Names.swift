/// Name parts for handles and display names. Lower-case ASCII, so that they are valid in a handle.
enum Names {
  static let first = [
    "ada", "bilal", "carla", "dmitri", "elin", "farah", "gustav", "hana", "ines", "jonas", "kaito", "leila", "mateo",
    "nadia", "oskar", "priya", "quinn", "rosa", "samir", "tove", "ursula", "viktor", "wanda", "ximena", "yusuf",
    "zofia", "aiko", "bruno", "chidi", "dalia", "emil", "fiona", "goran", "heidi", "ivan", "jana", "kofi", "lotte",
    "milan", "noor",
  ]

  static let second = [
    "berg", "castro", "dunne", "eklund", "fabre", "garcia", "hoang", "ito", "jansen", "kaya", "lindqvist", "moreau",
    "nakano", "okafor", "petrov", "quist", "rahman", "santos", "tanner", "ueda", "vargas", "weber", "xavier", "yilmaz",
    "zimmer", "abara", "brandt", "costa", "demir", "engel", "fischer", "grun", "holm", "iversen", "jovanovic",
    "kowalski", "larsen", "meyer", "novak", "olsen",
  ]
}

/// The newsrooms: old accounts that post headlines with links to their own domain.
enum Newsrooms {
  private static let places = [
    "northport", "elmtal", "rivabella", "kirkeby", "sandhaven", "monteluz", "westmark", "akebono", "drenova", "calder",
    "huesca-norte", "ostfeld",
  ]
  private static let kinds = ["courier", "herald", "post", "wire"]
  static var count: Int { places.count * kinds.count }

  static func domain(_ number: Int) -> String {
    "\(places[number % places.count])-\(kinds[number / places.count % kinds.count]).test"
  }

  static func name(_ number: Int) -> String {
    let words = domain(number).dropLast(5).split(separator: "-")
    return words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined(separator: " ")
  }

  static let who = [
    "City council", "Harbour authority", "Regional court", "Teachers' union", "Rail operator", "Weather service",
    "University hospital", "Housing agency", "Fire brigade", "Port workers", "Water board", "Parliament committee",
    "Film festival", "National team", "Energy regulator", "Farmers' league",
  ]
  static let verbs = [
    "approves", "delays", "rejects", "reviews", "presents", "cancels", "extends", "debates", "funds", "halves",
    "reopens", "investigates", "welcomes", "questions", "doubles", "confirms",
  ]
  static let what = [
    "new tram line", "flood wall plan", "school lunch budget", "night train timetable", "bridge repairs",
    "rent register", "solar roof programme", "ferry subsidy", "library opening hours", "stadium extension",
    "cycle path network", "ambulance rota", "winter road fund", "harbour dredging", "heat pump grants",
    "archive digitisation", "bus lane trial", "clinic merger", "wind farm permit", "drinking water tests",
  ]
  static let ends = [
    "after long debate", "ahead of vote", "despite protests", "for second time", "in close decision",
    "amid rising costs", "before summer break", "following audit", "until spring", "with narrow majority",
    "on expert advice", "in surprise move",
  ]
}
