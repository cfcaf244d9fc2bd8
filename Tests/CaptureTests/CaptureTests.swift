import Foundation
import Testing

@testable import Capture

/// A folder of its own for each test, gone afterwards.
private func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("capture-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }  // A left-over folder harms nobody.
  return try body(folder.path)
}

/// Frames of many lengths, among them none and more than one chunk.
private let frames: [[UInt8]] = (0..<150).map { number in
  let length = number == 7 ? 400_000 : number == 8 ? 0 : number * 137 % 9_000
  var frame = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: length)
  for index in stride(from: 0, to: length, by: 17) { frame[index] = UInt8(truncatingIfNeeded: index &* 31) }
  return frame
}

private func readAll(_ path: String) throws -> [[UInt8]] {
  let reader = try CaptureReader(path: path)
  var result: [[UInt8]] = []
  var frame: [UInt8] = []
  while try reader.next(into: &frame) { result.append(frame) }
  return result
}

@Suite struct CaptureTests {
  @Test(arguments: ["x.frames", "x.frames.zst"])
  func `what was written is read again, with its receive times`(_ name: String) throws {
    try withFolder { folder in
      let path = "\(folder)/\(name)"
      let writer = try CaptureWriter(path: path, times: true)
      for (number, frame) in frames.enumerated() { try writer.write(frame, receivedAt: 1_000 + UInt64(number)) }
      try writer.close()
      try writer.close()
      let reader = try CaptureReader(path: path)
      var frame: [UInt8] = []
      for (number, expected) in frames.enumerated() {
        #expect(try reader.next(into: &frame))
        #expect(frame == expected)
        #expect(reader.receiveTime == 1_000 + UInt64(number))
      }
      #expect(try !reader.next(into: &frame))
      #expect(reader.frameCount == frames.count)
    }
  }

  @Test func `a file without frames and one without times are read`() throws {
    try withFolder { folder in
      for name in ["x.frames", "x.frames.zst"] {
        try CaptureWriter(path: "\(folder)/\(name)").close()
        #expect(try readAll("\(folder)/\(name)").isEmpty)
      }
      let writer = try CaptureWriter(path: "\(folder)/y.frames")
      try writer.write([1, 2, 3])
      try writer.close()
      let reader = try CaptureReader(path: "\(folder)/y.frames")
      var frame: [UInt8] = []
      #expect(try reader.next(into: &frame))
      #expect(reader.receiveTime == nil)
    }
  }

  @Test func `a plain file is length and bytes and nothing else`() throws {
    try withFolder { folder in
      let writer = try CaptureWriter(path: "\(folder)/x.frames")
      try writer.write([0xaa, 0xbb])
      try writer.write([])
      try writer.close()
      let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/x.frames"))
      #expect([UInt8](bytes) == [2, 0, 0, 0, 0xaa, 0xbb, 0, 0, 0, 0])
    }
  }

  @Test(arguments: [1, 3, 5, 400])
  func `a file that ends inside a frame gives the frames before and then says so`(_ missing: Int) throws {
    try withFolder { folder in
      let path = "\(folder)/x.frames"
      let writer = try CaptureWriter(path: path)
      for _ in 0..<3 { try writer.write([UInt8](repeating: 7, count: 200)) }
      try writer.close()
      let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      try bytes.dropLast(missing).write(to: URL(fileURLWithPath: path))
      let reader = try CaptureReader(path: path)
      var frame: [UInt8] = []
      let whole = (612 - missing) / 204
      for _ in 0..<whole { #expect(try reader.next(into: &frame)) }
      #expect(throws: CaptureError.tornFile(frame: whole, offset: UInt64(whole * 204))) {
        try reader.next(into: &frame)
      }
    }
  }

  @Test func `a compressed file that is cut off says so`() throws {
    try withFolder { folder in
      let path = "\(folder)/x.frames.zst"
      let writer = try CaptureWriter(path: path)
      for frame in frames { try writer.write(frame) }
      try writer.close()
      let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      try bytes.dropLast(9).write(to: URL(fileURLWithPath: path))
      #expect {
        try readAll(path)
      } throws: { error in
        guard case .tornFile? = error as? CaptureError else { return false }
        return true
      }
    }
  }

  @Test func `a length beyond the limit is reported, passed over, and costs no memory`() throws {
    try withFolder { folder in
      let path = "\(folder)/x.frames"
      var bytes: [UInt8] = [1, 0, 0, 0, 0xaa]
      let length = 6 << 20
      bytes += [0, 0, 0x60, 0] + [UInt8](repeating: 0, count: length) + [1, 0, 0, 0, 0xbb, 0xff, 0xff, 0xff, 0xff, 1]
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      let reader = try CaptureReader(path: path)
      var frame: [UInt8] = []
      #expect(try reader.next(into: &frame))
      #expect(throws: CaptureError.frameTooLarge(frame: 1, offset: 5, length: UInt32(length))) {
        try reader.next(into: &frame)
      }
      #expect(frame.capacity < 1 << 20)
      #expect(try reader.next(into: &frame))
      #expect(frame == [0xbb])
      let last = UInt64(bytes.count - 5)
      #expect(throws: CaptureError.frameTooLarge(frame: 3, offset: last, length: .max)) {
        try reader.next(into: &frame)
      }
      #expect(throws: CaptureError.tornFile(frame: 3, offset: last + 4)) { try reader.next(into: &frame) }
    }
  }

  @Test func `a missing file is an error that names it`() {
    #expect(throws: CaptureError.cannotOpen(path: "/nowhere/x.frames", code: 2)) {
      try CaptureReader(path: "/nowhere/x.frames")
    }
  }

  @Test func `no damage to a file makes the reader crash or run on for ever`() throws {
    try withFolder { folder in
      for name in ["x.frames", "x.frames.zst"] {
        let path = "\(folder)/\(name)"
        let writer = try CaptureWriter(path: path)
        for frame in frames.prefix(7) { try writer.write(frame) }
        try writer.close()
        let original = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        var state: UInt64 = 42
        func random(_ bound: Int) -> Int {
          state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
          return Int(state >> 33) % bound
        }
        for _ in 0..<60 {
          var damaged = original
          for _ in 0...random(6) { damaged[random(damaged.count)] = UInt8(random(256)) }
          if random(3) == 0 { damaged.removeLast(random(damaged.count)) }
          try Data(damaged).write(to: URL(fileURLWithPath: path))
          let reader = try CaptureReader(path: path)
          var frame: [UInt8] = []
          var count = 0
          reading: while count <= 2_000 {
            do {
              guard try reader.next(into: &frame) else { break reading }
            } catch CaptureError.frameTooLarge {
              // The next call goes on behind it.
            } catch {
              break reading
            }
            count += 1
          }
          // Each call consumed four bytes at least, and the file has fewer.
          #expect(count <= 2_000)
        }
      }
    }
  }
}
