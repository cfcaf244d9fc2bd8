/// What campaigns and their honest doubles write.
enum PlayTexts {
  /// Link flood: `#` becomes a number, `*` one of `floodWords`.
  static let flood = [
    "Only # places left, * deal ends tonight", "I made # this week with this * method, look",
    "* discount for the next # people, do not miss it", "My cousin showed me this * trick, # already joined",
    "Last chance: # of the * boxes are still free", "They do not want you to see this * page # times a day",
    "# percent off * watches, factory closing", "New * list is out, number # will shock you",
    "Claim your * bonus now, code #", "This * app paid me # yesterday, no joke",
  ]
  static let floodWords = [
    "secret", "crazy", "exclusive", "golden", "instant", "hidden", "premium", "magic", "turbo", "royal", "private",
    "super",
  ]
  static let floodEmoji = ["🔥", "💰", "🚀", "✅", "👇", "🎁", "⚡️", "💎"]
  static let anchors = ["read here", "this page", "see more", "open now", "details"]
  static let domainWords = [
    "deal", "bonus", "prize", "crypto", "pills", "watch", "credit", "slots", "cash", "promo", "flash", "lucky",
  ]

  /// Copy-paste wave: one of each makes the text of an instance.
  static let waveStarts = [
    "Ordinary people are waking up to what the papers will not print:",
    "I did not believe it either until I saw the numbers myself:",
    "Everybody in our street is talking about this and nobody on television is:",
    "Share this before it gets taken down again, they removed it twice already:",
    "My doctor told me in private what she is not allowed to say in public:",
    "For years they laughed at us, and now it turns out we were right:",
  ]
  static let waveMiddles = [
    "the water levels were changed in the records", "the election machines were made by the same family",
    "your bank will freeze small accounts next month", "the harvest was burned to keep prices high",
    "the old medicine worked all along", "the towers are switched on only at night",
    "the census asks for your spare rooms for a reason", "the bridge was never going to be repaired",
  ]
  static let waveEnds = ["wake up", "tell your family", "do not stay silent", "remember who said it first", "act now"]
  static let waveTails = [" 🔥", " ‼️", " 1", " 22", " pls share", " 👀"]

  /// Mention spam.
  static let pitches = [
    "you were chosen for our creator programme", "your account has been selected for a gift",
    "we would love to send you free samples", "check your messages, you have won", "join our winners group today",
    "special invitation, answer before midnight",
  ]

  /// Memes: at most 24 characters, letter for letter.
  static let memes = [
    "good morning everyone", "it's friday 🎉", "the cube is back", "no thoughts, only soup", "big if true",
    "gm", "happy new moon 🌑", "one more episode", "look at the sky", "monday again", "what a match!", "おはよう",
    "guten Morgen", "bom dia 🌞", "tell me your weather", "eclipse!!!",
  ]

  /// Shared quotes: made for this network, 45 to 110 characters.
  static let quotes = [
    "A lighthouse does not run about the island looking for ships to save.",
    "If the soup is hot, blow; if it is cold, be glad that somebody cooked for you.",
    "The map was drawn by people who had been lost there before you were born.",
    "Whoever counts the rain has never had a garden that was thirsty.",
    "Nobody owns the quiet after snow, so please take as much of it as you like.",
    "An old door complains twice, once for the guest and once for the wind.",
    "You can borrow my courage, but bring it back before the winter comes.",
    "We planted the tree late and it still gave shade to someone.",
  ]

  /// Replies in conversations.
  static let replies = [
    "that's what I meant", "are we still on for Thursday?", "bring the big pot", "I can drive two of you",
    "the train at nine is cancelled", "who has the keys?", "count me in", "can somebody take the drums?",
    "rehearsal moved to the small hall", "I'll be ten minutes late", "sounds good to me", "let's ask the others first",
    "the cake is on me", "does anybody have a spare chair?", "photos are in the album", "see you at the bridge",
  ]

  /// Letters of other scripts that read like Latin ones.
  static let homoglyphs: [UInt8: String] = [
    UInt8(ascii: "a"): "а", UInt8(ascii: "c"): "с", UInt8(ascii: "e"): "е", UInt8(ascii: "i"): "і",
    UInt8(ascii: "j"): "ј", UInt8(ascii: "o"): "о", UInt8(ascii: "p"): "р", UInt8(ascii: "s"): "ѕ",
    UInt8(ascii: "x"): "х", UInt8(ascii: "y"): "у", UInt8(ascii: "A"): "А", UInt8(ascii: "B"): "В",
    UInt8(ascii: "E"): "Е", UInt8(ascii: "H"): "Н", UInt8(ascii: "K"): "К", UInt8(ascii: "M"): "М",
    UInt8(ascii: "O"): "О", UInt8(ascii: "P"): "Р", UInt8(ascii: "T"): "Т", UInt8(ascii: "X"): "Х",
  ]
  static let invisible = ["\u{200B}", "\u{200C}", "\u{200D}", "\u{2060}", "\u{FEFF}", "\u{AD}"]

  /// Look-alike and fan names.
  static let officialTails = [" Official", " Support", " Help Desk", " ✓", " ✅", " (Official)"]
  static let fanForms = [
    "% fan club", "Fans of %", "Unofficial % news", "% (parody)", "% quotes", "% archive", "not %, just a fan",
  ]
  static let fanHandleTails = ["-fans", "-fanclub", "-unofficial", "-parody", "-quotes", "-archive"]
}
