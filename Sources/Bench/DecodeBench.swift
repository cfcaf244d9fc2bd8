import ATProto
import COpenSSL
import Glibc
import Osprey

private let receivedAtMicros: Int64 = 1_783_175_954_000_000

/// One way to go over all frames; what is measured.
private struct Contender {
  let name: String
  let pass: () -> Int
  var seconds: [Double] = []

  var median: Double { seconds.sorted()[seconds.count / 2] }
}

/// Hashes what `--verify-all-blocks` hashes and does nothing else: the floor under any verifying decoder.
private func hashing(_ file: FrameFile) -> Contender {
  let blocks = file.blocks()
  return Contender(name: "hash only") {
    var sum = 0
    file.withAll { all in
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { digest in
        for block in blocks {
          var context = SHA256_CTX()
          SHA256_Init(&context)
          SHA256_Update(&context, all[block].base, block.count)
          SHA256_Final(digest.baseAddress, &context)
          sum &+= Int(digest[0])
        }
      }
    }
    return sum
  }
}

/// Frame to message on the actions topic, as a worker does it.
private func decoding(_ file: FrameFile, _ name: String, _ verification: Verification, all: Bool, _ shape: ActionShape)
  -> Contender
{
  var options = DecodeOptions()
  options.verification = verification
  options.verifyAllBlocks = all
  let decoder = FrameDecoder(options: options)
  let writer = ActionWriter(shape: shape)
  let out = ByteWriter(capacity: 1 << 16)
  return Contender(name: name) {
    var sum = 0
    file.withAll { all in
      var decoded = DecodedFrame()
      for slice in file.frames {
        let frame = all[slice]
        decoder.decode(frame, into: &decoded)
        guard decoded.eventCount > 0 else { continue }
        out.removeAll()
        for index in 0..<(decoded.type == .commit ? decoded.operations.count : 1) {
          if decoded.type == .commit, decoded.operations[index].dropped != nil { continue }
          let id = ActionID.make(
            ms: ActionID.milliseconds(decoded), sequence: decoded.sequence, operation: index)
          _ = writer.write(
            frame, decoded, operation: index, json: decoder.json, id: id, receivedAtMicros: receivedAtMicros, to: out)
        }
        sum &+= out.count
      }
    }
    return sum
  }
}

/// CPU time of this thread: what other processes take does not count.
private func now() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// Passes over the file until a run takes long enough to measure; all contenders do the same number.
private func measure(_ contenders: inout [Contender], file: FrameFile) -> Int {
  let passes = max(1, 60_000 / max(1, file.count))
  for contender in contenders { _ = contender.pass() }
  for _ in 0..<5 {
    for index in contenders.indices {
      let start = now()
      var sum = 0
      for _ in 0..<passes { sum &+= contenders[index].pass() }
      precondition(sum != 0, "nothing was done")
      contenders[index].seconds.append((now() - start) / Double(passes))
    }
  }
  return passes
}

/// Frame → Osprey JSON against a loop that only hashes the same blocks; medians of five alternating runs.
func decodeBench(files: [String]) -> Int32 {
  var lines: [String] = []
  for path in files {
    let file: FrameFile
    do {
      file = try FrameFile(path)
    } catch {
      print("cannot read \(path): \(error)")
      return 2
    }
    var contenders = [
      hashing(file),
      decoding(file, "osprey, mst, all blocks", .mst, all: true, .osprey),
      decoding(file, "osprey, none", .none, all: false, .osprey),
      decoding(file, "standard, mst", .mst, all: false, .standard),
    ]
    let passes = measure(&contenders, file: file)
    print(
      "\(file.name): \(file.count) frames, \(file.bytes) bytes, \(passes) passes a run, medians of 5 alternating runs, CPU time"
    )
    print("  one thread                    frames/s   µs/frame   MB/s   of hash only")
    var members: [String] = []
    for contender in contenders {
      let rate = Double(file.count) / contender.median
      let share = contenders[0].median / contender.median
      print(
        "  " + pad(contender.name, 28) + right(fixed(rate, 0), 10) + right(fixed(1e6 / rate, 2), 11)
          + right(fixed(Double(file.bytes) / contender.median / 1e6, 0), 7) + right(fixed(share * 100, 1), 13) + " %")
      members.append("\"\(contender.name)\":{\"frames_per_s\":\(fixed(rate, 0)),\"of_hash_only\":\(fixed(share, 3))}")
    }
    lines.append(
      "\"\(file.name)\":{\"frames\":\(file.count),\"bytes\":\(file.bytes)," + members.joined(separator: ",") + "}")
  }
  print("{\"bench\":\"decode\"," + lines.joined(separator: ",") + "}")
  return 0
}

/// Decodes the file over and over, for `perf record`.
func decodeProfile(_ path: String) -> Int32 {
  guard let file = try? FrameFile(path) else {  // The reason does not matter to who profiles.
    print("cannot read \(path)")
    return 2
  }
  let contender = decoding(file, "profile", .mst, all: true, .osprey)
  let start = now()
  var frames = 0
  while now() - start < 5 {
    _ = contender.pass()
    frames += file.count
  }
  print("\(fixed(1e6 * (now() - start) / Double(frames), 2)) µs/frame")
  return 0
}

private func pad(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}
private func right(_ text: String, _ width: Int) -> String {
  String(repeating: " ", count: max(0, width - text.count)) + text
}

/// A number with `digits` behind the point.
private func fixed(_ value: Double, _ digits: Int) -> String {
  let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
  let scaled = (value * scale).rounded()
  guard digits > 0 else { return String(Int(scaled)) }
  let whole = String(Int(scaled))
  let padded = String(repeating: "0", count: max(0, digits + 1 - whole.count)) + whole
  return padded.dropLast(digits) + "." + padded.suffix(digits)
}
