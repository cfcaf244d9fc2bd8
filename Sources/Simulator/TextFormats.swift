import Signatures

/// The fixed-width texts of the protocol, written as bytes: TIDs, times, CIDs.
enum TextFormat {
  private static let sortable = Array("234567abcdefghijklmnopqrstuvwxyz".utf8)
  private static let base32 = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

  /// Appends the 13 characters of a TID. https://atproto.com/specs/tid
  static func appendTID(_ tid: UInt64, to bytes: inout [UInt8]) {
    var place: UInt64 = 13
    while place > 0 {
      place -= 1
      bytes.append(sortable[Int(tid >> (5 * place) & 31)])
    }
  }

  /// The number behind a TID made at `microseconds` by clock `clock`.
  static func tid(microseconds: UInt64, clock: Int) -> UInt64 {
    microseconds << 10 | UInt64(clock & 1_023)
  }

  /// Appends `YYYY-MM-DDTHH:MM:SS.mmmZ`, 24 characters.
  static func appendTime(microseconds: UInt64, to bytes: inout [UInt8]) {
    withUnsafeTemporaryAllocation(byteCount: 24, alignment: 8) { text in
      writeTime(microseconds: microseconds, to: text)
      bytes.append(contentsOf: UnsafeRawBufferPointer(text))
    }
  }

  /// Writes a time over the 24 bytes of `target`. Allocates nothing: replaying calls it for every frame.
  static func writeTime(microseconds: UInt64, to target: UnsafeMutableRawBufferPointer) {
    precondition(target.count == 24, "a time has 24 characters")
    let milliseconds = microseconds / 1_000
    let seconds = milliseconds / 1_000
    let (year, month, day) = civil(days: Int(seconds / 86_400))
    func put(_ value: Int, _ width: Int, at start: Int, _ after: UInt8) {
      var value = value
      for place in stride(from: start + width - 1, through: start, by: -1) {
        target[place] = UInt8(ascii: "0") + UInt8(value % 10)
        value /= 10
      }
      target[start + width] = after
    }
    put(year, 4, at: 0, UInt8(ascii: "-"))
    put(month, 2, at: 5, UInt8(ascii: "-"))
    put(day, 2, at: 8, UInt8(ascii: "T"))
    put(Int(seconds / 3_600 % 24), 2, at: 11, UInt8(ascii: ":"))
    put(Int(seconds / 60 % 60), 2, at: 14, UInt8(ascii: ":"))
    put(Int(seconds % 60), 2, at: 17, UInt8(ascii: "."))
    put(Int(milliseconds % 1_000), 3, at: 20, UInt8(ascii: "Z"))
  }

  /// Appends `b` and the base32 of a CIDv1 (SHA-256) with `codec`: 59 characters.
  static func appendCID(_ digest: Digest, codec: UInt8, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "b"))
    digest.withBytes { digest in
      // Four bytes of CID head, 32 of digest: 288 bits in 58 characters, the last one padded with two zeros.
      var accumulator = UInt64(0x0100_1220) | UInt64(codec) << 16
      var bits = 32
      var next = 0
      for _ in 0..<58 {
        if bits < 5 {
          accumulator = accumulator << 8 | (next < 32 ? UInt64(digest[next]) : 0)
          next += 1
          bits += 8
        }
        bits -= 5
        bytes.append(base32[Int(accumulator >> UInt64(bits) & 31)])
      }
    }
  }

  /// The first `count` characters of the base32 of a digest, as did:plc uses them.
  static func appendBase32(_ digest: Digest, characters count: Int, to bytes: inout [UInt8]) {
    digest.withBytes { source in
      for index in 0..<count {
        let bit = index * 5
        let pair = UInt16(source[bit / 8]) << 8 | UInt16(source[bit / 8 + 1])
        bytes.append(base32[Int(pair >> UInt16(11 - bit % 8) & 31)])
      }
    }
  }

  /// Year, month and day of a day counted from 1970 on, by the proleptic Gregorian calendar.
  private static func civil(days: Int) -> (Int, Int, Int) {
    // Counted from 1 March of year 0, a leap day ends its year, and 400 years have 146,097 days.
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
  }
}
