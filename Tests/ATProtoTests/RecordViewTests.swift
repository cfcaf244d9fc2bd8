import Testing

@testable import ATProto

/// Looking things up in a record without unpacking it.
struct RecordViewTests {
  /// A map of maps of numbers and of arrays: more containers and entries than a view remembers.
  private static let outer = 40
  private static let inner = 30

  private func record() -> [UInt8] {
    var writer = CBORWriter()
    writer.map(Self.outer)
    for map in 0..<Self.outer {
      writer.text("map\(map)")
      writer.map(Self.inner)
      for entry in 0..<Self.inner {
        writer.text("k\(entry)")
        if entry % 5 == 4 {
          writer.array(entry)
          for element in 0..<entry { writer.int(Int64(map * 10_000 + entry * 100 + element)) }
        } else {
          writer.int(Int64(map * 100 + entry))
        }
      }
    }
    return writer.bytes
  }

  private func integer(_ value: RecordValue) -> Int64? { if case .integer(let number) = value { number } else { nil } }

  private func get(_ view: RecordView, _ value: RecordValue, _ key: String) -> RecordValue {
    guard case .map(let node) = value else { return .absent }
    return withBytes(Array(key.utf8)) { view.get(node, $0) }
  }

  @Test func `whatever is asked in whatever order, the answer is what the record says`() {
    let bytes = record()
    withBytes(bytes) { record in
      let view = RecordView()
      var random = Seeded(state: 5)
      for _ in 0..<20 {
        view.reset(record)
        for _ in 0..<400 {
          let map = Int.random(in: 0..<Self.outer, using: &random)
          let entry = Int.random(in: 0..<Self.inner, using: &random)
          let value = get(view, get(view, view.root, "map\(map)"), "k\(entry)")
          if entry % 5 == 4 {
            guard case .array(let node) = value else {
              Issue.record("map\(map).k\(entry) is no array")
              return
            }
            let element = Int.random(in: 0..<entry, using: &random)
            #expect(integer(view.element(node, element)) == Int64(map * 10_000 + entry * 100 + element))
            if case .absent = view.element(node, entry) {} else { Issue.record("an element behind the last") }
            #expect(view.count(node).count == entry)
          } else {
            #expect(integer(value) == Int64(map * 100 + entry))
          }
          if case .absent = get(view, get(view, view.root, "map\(map)"), "no\(entry)") {
          } else {
            Issue.record("an entry nobody wrote")
          }
        }
      }
    }
  }
}
