/// A post's text with the byte ranges of its links, mentions and tags.
struct TextBuilder {
  /// What a range of the text points to.
  enum Feature {
    case link(String)
    case mention(account: Int)
    case tag(String)
  }

  struct Facet {
    var start: Int
    var end: Int
    var feature: Feature
  }

  private(set) var text: [UInt8] = []
  private(set) var facets: [Facet] = []

  mutating func add(_ string: String) { text.append(contentsOf: string.utf8) }

  /// Appends `shown` as something that points somewhere, after a blank.
  mutating func add(_ shown: String, as feature: Feature) {
    if let last = text.last, last != UInt8(ascii: " ") { text.append(UInt8(ascii: " ")) }
    let start = text.count
    add(shown)
    facets.append(Facet(start: start, end: text.count, feature: feature))
  }

  /// Appends a sentence of a language.
  mutating func add(_ phrases: Phrases, _ random: inout Random) {
    add(random.pick(phrases.openings))
    add(phrases.joint)
    add(random.pick(phrases.middles))
    add(phrases.joint)
    add(random.pick(phrases.objects))
    // Japanese endings bring their own punctuation.
    add(phrases.joint)
    add(random.pick(phrases.endings))
  }
}

extension Phrases {
  /// A language by its share in the stream.
  static func random(_ random: inout Random) -> Phrases {
    var left = random.below(100)
    for (index, share) in shares.enumerated() {
      if left < share { return all[index] }
      left -= share
    }
    return english
  }
}
