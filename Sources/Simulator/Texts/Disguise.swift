/// Makes a text look the same to people and different to machines.
enum Disguise {
  /// One of five ways, and now and then something at the end.
  static func apply(to text: String, _ random: inout Random) -> String {
    var result: String
    switch random.below(5) {
    case 0: result = homoglyphs(text, share: 15 + random.below(40), &random)
    case 1: result = invisible(text, share: 8 + random.below(20), &random)
    case 2: result = random.chance(50) ? text.uppercased() : text.lowercased()
    case 3: result = fullWidth(text, &random)
    default: result = doubledBlanks(homoglyphs(text, share: 10, &random), &random)
    }
    if random.chance(25) { result += random.pick(PlayTexts.waveTails) }
    return result
  }

  /// `share` in a hundred of the letters that have a double in another script are replaced.
  static func homoglyphs(_ text: String, share: Int, _ random: inout Random) -> String {
    var result = ""
    for character in text {
      if let ascii = character.asciiValue, let double = PlayTexts.homoglyphs[ascii], random.chance(share) {
        result += double
      } else {
        result.append(character)
      }
    }
    return result
  }

  /// Characters of no width inside words.
  static func invisible(_ text: String, share: Int, _ random: inout Random) -> String {
    var result = ""
    var previous: Character = " "
    for character in text {
      if previous.isLetter, character.isLetter, random.chance(share) { result += random.pick(PlayTexts.invisible) }
      result.append(character)
      previous = character
    }
    return result
  }

  /// Some words in the wide letters of East Asian character sets.
  private static func fullWidth(_ text: String, _ random: inout Random) -> String {
    text.split(separator: " ", omittingEmptySubsequences: false).map { word in
      guard random.chance(35) else { return String(word) }
      return word.unicodeScalars.map { scalar in
        (0x21...0x7e).contains(scalar.value) ? String(UnicodeScalar(scalar.value + 0xfee0) ?? scalar) : String(scalar)
      }.joined()
    }.joined(separator: " ")
  }

  private static func doubledBlanks(_ text: String, _ random: inout Random) -> String {
    text.split(separator: " ").reduce(into: "") { result, word in
      if !result.isEmpty { result += random.chance(30) ? "  " : " " }
      result += word
    }
  }
}
