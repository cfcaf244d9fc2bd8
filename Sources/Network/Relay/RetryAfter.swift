import Glibc

/// `Retry-After` (RFC 9110 section 10.2.3): seconds, or an HTTP date.
enum RetryAfter {
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  /// How long to wait; `now` in seconds since 1970. nil if it says neither.
  static func parse(_ text: String, now: Int64) -> Duration? {
    if let seconds = Int64(text) { return seconds >= 0 ? .seconds(min(seconds, 1 << 31)) : nil }
    return date(text).map { .seconds(max(0, $0 - now)) }
  }

  /// `Sun, 06 Nov 1994 08:49:37 GMT`, the one form still allowed to be sent, in seconds since 1970.
  private static func date(_ text: String) -> Int64? {
    let parts = text.split(separator: " ")
    guard parts.count == 6, parts[5] == "GMT", let month = months.firstIndex(of: String(parts[2])) else { return nil }
    let clock = parts[4].split(separator: ":").compactMap { Int32($0) }
    guard clock.count == 3, let day = Int32(parts[1]), let year = Int32(parts[3]), (1970...9999).contains(year)
    else { return nil }
    var fields = tm()
    fields.tm_year = year - 1900
    fields.tm_mon = Int32(month)
    fields.tm_mday = day
    fields.tm_hour = clock[0]
    fields.tm_min = clock[1]
    fields.tm_sec = clock[2]
    return Int64(timegm(&fields))
  }
}
