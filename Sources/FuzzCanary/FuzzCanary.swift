import ATProto
import FuzzKit

/// A planted bug: a DID with five digits or signs in a row ends the process. One byte after the other: by chance alone that
/// takes tens of millions of inputs, by coverage some ten thousand. If it is not found in seconds, nothing is instrumented,
/// and the silence of the other targets means nothing.
func fuzzCanary(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = Bytes(UnsafeRawBufferPointer(start: data, count: count))
  guard Syntax.isDID(input), input.count >= 13 else { return 0 }
  guard isNoLetter(input, 8) else { return 0 }
  guard isNoLetter(input, 9) else { return 0 }
  guard isNoLetter(input, 10) else { return 0 }
  guard isNoLetter(input, 11) else { return 0 }
  guard isNoLetter(input, 12) else { return 0 }
  finding("the planted bug")
}

/// A call of its own, lest the five comparisons become one that coverage sees nothing of.
@inline(never)
private func isNoLetter(_ text: Bytes, _ index: Int) -> Bool { text[index] < 0x40 }
