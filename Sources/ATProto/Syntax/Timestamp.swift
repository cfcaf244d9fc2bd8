/// Dates as RFC 3339 text, without Foundation and without allocation.
package enum Timestamp {
  /// Milliseconds since 1970 of an RFC 3339 date-time, offset applied, fraction cut; nil where the text is none.
  package static func milliseconds(_ text: Bytes) -> Int64? {
    guard text.count >= 20, text.base[4] == 0x2d, text.base[7] == 0x2d, text.base[10] | 0x20 == 0x74,
      text.base[13] == 0x3a, text.base[16] == 0x3a,
      let year = number(text, 0, 4), let month = number(text, 5, 2), let day = number(text, 8, 2),
      let hour = number(text, 11, 2), let minute = number(text, 14, 2), let second = number(text, 17, 2),
      month >= 1, month <= 12, day >= 1, day <= daysInMonth(year, month), hour < 24, minute < 60, second <= 60
    else { return nil }
    var at = 19
    var milli = 0
    if text.base[at] == 0x2e {
      var scale = 100
      at += 1
      let start = at
      while at < text.count, text.base[at] &- 0x30 < 10 {
        milli += Int(text.base[at] - 0x30) * scale
        scale /= 10
        at += 1
      }
      if at == start { return nil }
    }
    guard at < text.count else { return nil }
    var offsetMinutes = 0
    if text.base[at] | 0x20 == 0x7a {
      guard at + 1 == text.count else { return nil }
    } else {
      guard text.base[at] == 0x2b || text.base[at] == 0x2d, at + 6 == text.count, text.base[at + 3] == 0x3a,
        let hours = number(text, at + 1, 2), let minutes = number(text, at + 4, 2), hours < 24, minutes < 60
      else { return nil }
      offsetMinutes = (hours * 60 + minutes) * (text.base[at] == 0x2d ? -1 : 1)
    }
    let days = daysSinceEpoch(year, month, day)
    return Int64(((days * 24 + hour) * 60 + minute - offsetMinutes) * 60 + second) * 1000 + Int64(milli)
  }

  @inline(__always)
  private static func number(_ text: Bytes, _ at: Int, _ count: Int) -> Int? {
    var value = 0
    for index in at..<at + count {
      let digit = text.base[index] &- 0x30
      if digit > 9 { return nil }
      value = value * 10 + Int(digit)
    }
    return value
  }

  private static func daysInMonth(_ year: Int, _ month: Int) -> Int {
    if month == 2 { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28 }
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31
  }

  /// Days since 1970-01-01 in the proleptic Gregorian calendar, counting years from March so that a leap day comes last.
  private static func daysSinceEpoch(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let shifted = month > 2 ? year : year - 1
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// `YYYY-MM-DDTHH:MM:SS.` with `digits` (3 or 6) of fraction and `suffix`, UTC. Years 0 to 9999; outside it is clamped.
  package static func append(micros: Int64, digits: Int, suffix: StaticString, to out: ByteWriter) {
    let clamped = min(max(micros, -62_167_219_200_000_000), 253_402_300_799_999_999)
    let day = Int(clamped >= 0 ? clamped : clamped - 86_399_999_999) / 86_400_000_000
    let inDay = Int(clamped) - day * 86_400_000_000
    let (year, month, date) = civil(day)
    out.append(decimal: year, width: 4)
    out.append(0x2d)
    out.append(decimal: month, width: 2)
    out.append(0x2d)
    out.append(decimal: date, width: 2)
    out.append(0x54)
    let second = inDay / 1_000_000
    out.append(decimal: second / 3600, width: 2)
    out.append(0x3a)
    out.append(decimal: second / 60 % 60, width: 2)
    out.append(0x3a)
    out.append(decimal: second % 60, width: 2)
    out.append(0x2e)
    let fraction = inDay % 1_000_000
    out.append(decimal: digits == 3 ? fraction / 1000 : fraction, width: digits)
    out.append(suffix)
  }

  private static func civil(_ days: Int) -> (Int, Int, Int) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }
}
