import ATProto
import CSHA256
import Foundation
import FrameKit
import Testing

/// Every way this processor knows.
private let ways = [CSHA_LIBCRYPTO, CSHA_AVX2, CSHA_AVX512].filter { csha_can($0) != 0 }

/// Whether these messages, hashed together in each way, have the digests libcrypto gives them one by one.
private func agree(_ messages: [[UInt8]]) -> Bool {
  // Each message ends where its memory does, so that a sanitizer sees a byte read too far.
  let copies = messages.map { message in
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: message.count, alignment: 1)
    copy.copyBytes(from: message)
    return copy
  }
  defer { for copy in copies { copy.deallocate() } }
  return ways.allSatisfy { way in
    let batch = DigestBatch(way: way)
    for (index, copy) in copies.enumerated() { batch.append(Bytes(UnsafeRawBufferPointer(copy)), tag: 7 * index) }
    batch.compute()
    return copies.indices.allSatisfy { index in
      batch.tag(index) == 7 * index
        && [UInt8](UnsafeRawBufferPointer(start: batch.digest(index), count: 32))
          == SHA256Digest.of(Bytes(UnsafeRawBufferPointer(copies[index])))
    }
  }
}

private func randomBytes(_ count: Int, _ random: inout Seeded) -> [UInt8] {
  (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
}

@Test func `hashing together knows the digests of the standard`() {
  // FIPS 180-4 examples: the empty message is from NIST's CAVP vectors.
  let known = [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ]
  for way in ways {
    let texts = known.map { Array($0.0.utf8) }
    let batch = DigestBatch(way: way)
    let all = texts.flatMap { $0 }
    all.withUnsafeBytes { memory in
      var at = 0
      for (index, text) in texts.enumerated() {
        batch.append(Bytes(UnsafeRawBufferPointer(rebasing: memory[at..<at + text.count])), tag: index)
        at += text.count
      }
      batch.compute()
      for (index, entry) in known.enumerated() {
        let digest = UnsafeRawBufferPointer(start: batch.digest(index), count: 32)
        #expect(digest.map { String(format: "%02x", $0) }.joined() == entry.1, "way \(way.rawValue)")
      }
    }
  }
}

@Test func `messages of every length to 300 hash together as one by one`() {
  var random = Seeded(state: 1)
  for count in 0...300 {
    let message = randomBytes(count, &random)
    // Alone among the lanes' neighbours, and as eight that end at the same time.
    #expect(agree([message]) && agree([[UInt8](repeating: 1, count: 700), message, [], message]), "\(count)")
    #expect(agree([[UInt8]](repeating: message, count: 8)), "\(count)")
  }
}

@Test func `any batch hashes together as one by one`() {
  property(150) { random in
    let count = Int.random(in: 0...DigestBatch.capacity, using: &random)
    let most = [70, 300, 3000].randomElement(using: &random) ?? 70
    return agree((0..<count).map { _ in randomBytes(Int.random(in: 0...most, using: &random), &random) })
  }
}

/// All that decoding says of a frame.
private func account(_ frame: [UInt8], _ options: DecodeOptions, together: Bool) -> String {
  let decoder = FrameDecoder(options: options)
  decoder.hashesTogether = together
  var decoded = DecodedFrame()
  return frame.withUnsafeBytes { memory in
    decoder.decode(Bytes(memory), into: &decoded)
    return "\(decoded)" + decoder.json.bytes.string
  }
}

@Test func `hashing a frame's blocks together changes nothing of what is said of it`() throws {
  var options: [DecodeOptions] = []
  for verification in Verification.allCases {
    for all in [false, true] {
      var option = DecodeOptions()
      option.verification = verification
      option.verifyAllBlocks = all
      options.append(option)
    }
  }
  var frames = (framingCases + fieldCases + commitCases + carCases + operationCases + treeCases).map(\.frame)
  if Vectors.arePresent { frames += try Vectors.frames("frames/frames_000_099.bin").prefix(40) }
  frames = frames.filter { $0.count < 20_000 }
  for frame in frames {
    for option in options {
      #expect(account(frame, option, together: true) == account(frame, option, together: false))
    }
  }
  property(600) { random in
    var frame = frames.randomElement(using: &random) ?? []
    for _ in 0..<Int.random(in: 1...3, using: &random) where !frame.isEmpty {
      frame[Int.random(in: 0..<frame.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    }
    return options.allSatisfy { account(frame, $0, together: true) == account(frame, $0, together: false) }
  }
}
