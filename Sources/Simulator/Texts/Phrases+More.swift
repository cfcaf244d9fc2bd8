extension Phrases {
  static let korean = Phrases(
    language: "ko", joint: " ",
    openings: ["오늘은", "어제", "아침부터", "오랜만에", "비 오는데", "역 앞에서", "친구랑", "혼자서", "한밤중에", "쉬는 날에"],
    middles: ["낡은 자전거를", "새 책을", "매실잼을", "작은 망원경을", "항구 지도를", "편지를", "라디오를", "토마토 모종을", "외투를", "빵을"],
    objects: ["고쳤어요", "샀어요", "찾았어요", "깜빡했어요", "닦았어요", "빌렸어요", "세어 봤어요", "찍었어요", "나눠 줬어요"],
    endings: ["정말 즐거웠다!", "졸려요 😴", "내일 또.", "기분 좋아요 ✨", "추웠어요.", "비밀이에요 🤫", "냄새가 좋네요.", "힘들다…"])

  static let french = Phrases(
    language: "fr", joint: " ",
    openings: [
      "Aujourd'hui j'ai", "Hier on a", "Enfin, j'ai", "Sous la pluie on a", "Avant le petit-déjeuner j'ai",
      "Par erreur j'ai", "Au marché j'ai", "Pour la première fois j'ai", "Sans bruit j'ai",
    ],
    middles: [
      "réparé", "vendu", "retrouvé", "oublié", "repeint", "photographié", "prêté", "compté", "planté", "relu",
    ],
    objects: [
      "le vieux vélo", "la radio de la cuisine", "trois pots de confiture", "une carte du port",
      "le violon de ma sœur", "une lettre de 1987", "le portail du jardin", "douze plants de tomates",
      "un tout petit télescope", "le levain",
    ],
    endings: [
      "et ça valait la peine.", "et personne n'a rien vu.", "et maintenant, sieste 😴", "sans raison.",
      "juste à temps.", "et le chien est ravi 🐕", "à la surprise générale.", "et je le referais.",
    ])

  static let ukrainian = Phrases(
    language: "uk", joint: " ",
    openings: [
      "Сьогодні я", "Учора ми", "Нарешті я", "Під дощем ми", "Перед сніданком я", "Випадково я", "На базарі я",
      "Уперше я", "Дорогою додому я",
    ],
    middles: [
      "полагодили", "продали", "знайшли", "забули", "пофарбували", "сфотографували", "позичили", "порахували",
      "посадили", "перечитали",
    ],
    objects: [
      "старий велосипед", "кухонне радіо", "три банки варення", "мапу порту", "скрипку сестри", "лист із 1987 року",
      "садову хвіртку", "дванадцять помідорів", "маленький телескоп", "закваску",
    ],
    endings: [
      "і воно того варте.", "і ніхто не помітив.", "а тепер спати 😴", "просто так.", "якраз вчасно.",
      "і пес задоволений 🐕", "на подив усім.", "і завтра знову.",
    ])

  static let arabic = Phrases(
    language: "ar", joint: " ",
    openings: ["اليوم", "أمس", "أخيرا", "تحت المطر", "قبل الفطور", "بالصدفة", "في السوق", "لأول مرة"],
    middles: ["أصلحت", "بعت", "وجدت", "نسيت", "دهنت", "صورت", "أعرت", "زرعت"],
    objects: [
      "الدراجة القديمة", "راديو المطبخ", "ثلاث برطمانات مربى", "خريطة الميناء", "كمان أختي", "رسالة من عام 1987",
      "باب الحديقة", "شتلات الطماطم", "تلسكوبا صغيرا",
    ],
    endings: [
      "وكان يستحق.", "ولم يلاحظ أحد.", "والآن أحتاج إلى النوم 😴", "بلا سبب.", "في الوقت المناسب.", "والكلب سعيد 🐕",
    ])

  static let turkish = Phrases(
    language: "tr", joint: " ",
    openings: ["Bugün", "Dün", "Sonunda", "Yağmurda", "Kahvaltıdan önce", "Yanlışlıkla", "Pazarda", "İlk kez"],
    middles: [
      "eski bisikleti", "mutfak radyosunu", "üç kavanoz reçeli", "liman haritasını", "kardeşimin kemanını",
      "1987'den bir mektubu", "bahçe kapısını", "domates fidelerini", "küçük teleskobu",
    ],
    objects: ["onardım", "sattım", "buldum", "unuttum", "boyadım", "fotoğrafladım", "ödünç verdim", "saydım"],
    endings: [
      "ve değdi.", "kimse fark etmedi.", "şimdi uyku zamanı 😴", "sebepsiz yere.", "tam zamanında.", "köpek de memnun 🐕",
    ])
}
