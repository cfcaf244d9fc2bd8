/// Sentence parts of one language: a sentence is one of each, joined by `joint`.
struct Phrases: Sendable {
  let language: String
  let joint: String
  let openings: [String]
  let middles: [String]
  let objects: [String]
  let endings: [String]

  /// How often a language is used, out of 100, in the order of `all`.
  static let shares = [44, 12, 10, 8, 6, 6, 4, 4, 3, 3]
  static let all = [english, japanese, german, portuguese, spanish, korean, french, ukrainian, arabic, turkish]

  static let english = Phrases(
    language: "en", joint: " ",
    openings: [
      "Finally", "Today I", "Yesterday we", "After two weeks I", "My neighbour just", "Somehow I", "This morning we",
      "On the way home I", "Between meetings I", "Against all advice I", "For the first time I", "Half asleep, I",
      "With a bit of luck we", "At the market I", "Before breakfast I", "In the rain we", "Honestly, I",
      "Without thinking I", "Over the weekend we", "Late as always, I",
    ],
    middles: [
      "repaired", "painted", "sold", "found", "forgot", "reread", "recorded", "finished", "unpacked", "borrowed",
      "photographed", "cooked", "planted", "rescued", "measured", "translated", "returned", "cleaned", "rebuilt",
      "wrapped",
    ],
    objects: [
      "the old bicycle", "a whole bookshelf", "three jars of plum jam", "the kitchen radio", "my sister's violin",
      "a map of the harbour", "the slowest espresso machine alive", "a chapter about lighthouses", "the garden gate",
      "an unreasonable amount of soup", "the second half of that film", "a letter from 1987", "our tent",
      "the cat's favourite box", "a very small telescope", "the sourdough", "an umbrella that is not mine",
      "the bassline", "twelve tomato seedlings", "a coat with nine pockets", "the broken tape recorder",
      "the spreadsheet of birds", "my first program", "a bag of marbles", "the long way round",
    ],
    endings: [
      "and it was worth it.", "and nobody noticed.", "which explains the noise.", "so that's that.",
      "and now I need a nap 😴", "and I regret nothing.", "with mixed results.", "and the dog approves 🐕",
      "just in time.", "for no reason at all.", "and it smells wonderful.", "but don't tell anyone.",
      "and I'd do it again tomorrow.", "while the kettle was on ☕", "and then the lights went out.",
      "to everybody's surprise.",
    ])

  static let japanese = Phrases(
    language: "ja", joint: "",
    openings: [
      "今日は", "昨日は", "朝から", "久しぶりに", "雨の中で", "駅前で", "友だちと", "ひとりで", "夜中に", "休みの日に",
      "仕事のあとで", "なんとなく", "思いきって", "たまたま",
    ],
    middles: [
      "古い自転車を", "新しい本を", "梅ジャムを", "猫の箱を", "小さな望遠鏡を", "ギターを", "港の地図を", "カメラを",
      "豆のスープを", "手紙を", "ラジオを", "トマトの苗を", "コートを", "パンを",
    ],
    objects: [
      "直しました", "買いました", "見つけました", "忘れました", "磨きました", "借りました", "贈りました", "数えました",
      "撮りました", "運びました", "包みました", "試しました",
    ],
    endings: [
      "。楽しかった！", "。眠いです😴", "。また明日。", "、うれしい✨", "。寒かった。", "、でも満足。", "。秘密です🤫",
      "。いい匂い。", "、疲れた…", "。写真はあとで📷",
    ])

  static let german = Phrases(
    language: "de", joint: " ",
    openings: [
      "Heute habe ich", "Gestern haben wir", "Endlich habe ich", "Zum ersten Mal habe ich", "Im Regen haben wir",
      "Nach zwei Wochen habe ich", "Aus Versehen habe ich", "Am Bahnhof habe ich", "Mit viel Geduld haben wir",
      "Vor dem Frühstück habe ich", "Ganz leise habe ich", "Am Wochenende haben wir",
    ],
    middles: [
      "das alte Fahrrad", "drei Gläser Pflaumenmus", "den Küchenwecker", "ein Buch über Leuchttürme", "das Gartentor",
      "den Sauerteig", "eine Karte vom Hafen", "zwölf Tomatenpflänzchen", "das Tonband", "den viel zu großen Schirm",
      "die Geige meiner Schwester", "eine Tüte Murmeln", "das kleine Fernrohr", "den Brief von 1987",
    ],
    objects: [
      "repariert", "verschenkt", "wiedergefunden", "gestrichen", "vergessen", "fotografiert", "ausgepackt", "verliehen",
      "gezählt", "gerettet", "sortiert", "geputzt",
    ],
    endings: [
      "und es hat sich gelohnt.", "und keiner hat's gemerkt.", "– und jetzt Tee ☕", "und bin müde.", "ohne Plan.",
      "und der Hund ist zufrieden 🐕", "gerade noch rechtzeitig.", "und würde es wieder tun.", "mit gemischtem Erfolg.",
      "zur Überraschung aller.",
    ])

  static let portuguese = Phrases(
    language: "pt", joint: " ",
    openings: [
      "Hoje eu", "Ontem a gente", "Finalmente eu", "Sem querer eu", "Na chuva a gente", "Antes do café eu",
      "Depois do trabalho eu", "No mercado eu", "De madrugada eu", "Pela primeira vez eu", "Com calma eu",
    ],
    middles: [
      "consertei", "vendi", "achei", "esqueci", "pintei", "fotografei", "emprestei", "contei", "plantei", "reli",
      "embrulhei",
    ],
    objects: [
      "a bicicleta velha", "o rádio da cozinha", "três potes de geleia", "um mapa do porto", "o violão da minha irmã",
      "uma carta de 1987", "o portão do jardim", "doze mudas de tomate", "um telescópio pequeno", "o pão",
      "a caixa preferida do gato", "um guarda-chuva que não é meu",
    ],
    endings: [
      "e valeu a pena.", "e ninguém percebeu.", "e agora preciso dormir 😴", "sem motivo nenhum.", "bem na hora.",
      "e o cachorro aprovou 🐕", "com resultados variados.", "e faria de novo.", "mas não conta pra ninguém.",
    ])

  static let spanish = Phrases(
    language: "es", joint: " ",
    openings: [
      "Hoy por fin", "Ayer", "Esta mañana", "Sin querer", "Bajo la lluvia", "Antes del desayuno", "En el mercado",
      "Por primera vez", "De camino a casa", "Con mucha paciencia", "Medio dormida",
    ],
    middles: [
      "arreglé", "vendí", "encontré", "olvidé", "pinté", "fotografié", "presté", "conté", "planté", "releí", "envolví",
    ],
    objects: [
      "la bicicleta vieja", "la radio de la cocina", "tres tarros de mermelada", "un mapa del puerto",
      "el violín de mi hermana", "una carta de 1987", "la puerta del jardín", "doce tomateras", "un telescopio pequeño",
      "la masa madre", "la caja favorita del gato", "un paraguas que no es mío",
    ],
    endings: [
      "y valió la pena.", "y nadie se dio cuenta.", "y ahora necesito una siesta 😴", "sin ningún motivo.",
      "justo a tiempo.", "y el perro está contento 🐕", "con resultados desiguales.", "y lo haría otra vez.",
      "¡qué día!",
    ])
}
