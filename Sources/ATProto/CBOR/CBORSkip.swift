/// An open container while an item is stepped over: how many items are left in it, and its last key where it is a map.
private struct OpenContainer {
  var remaining: Int
  var map: CBORReader.MapCursor?
}

extension CBORReader {
  /// Steps over one item of any kind and checks it to its last byte, without recursion.
  ///
  /// `depth` is the depth of the container the item stands in (0 for a top-level item).
  package mutating func skip(depth: Int = 0, checkingText: Bool = true) throws(DecodeError) {
    let start = position
    let head = try head()
    if head.major < 4 || head.major > 5 {
      return try skipScalar(head, at: start, checkingText: checkingText)
    }
    try skipContainer(head, at: start, depth: depth, checkingText: checkingText)
  }

  @inline(__always)
  private mutating func skipScalar(_ head: CBORHead, at start: Int, checkingText: Bool) throws(DecodeError) {
    switch head.major {
    case 0, 1: return
    case 2: _ = try body(head)
    case 3:
      let slice = try body(head)
      if checkingText && !bytes(slice).isUTF8 { throw DecodeError(.badUTF8, at: start) }
    case 6: _ = try linkBody(head, at: start)
    default: try checkSimple(head, at: start)
    }
  }

  private mutating func skipContainer(
    _ first: CBORHead, at start: Int, depth: Int, checkingText: Bool
  ) throws(DecodeError) {
    var open: [OpenContainer] = []
    var start = start
    var head = first
    while true {
      if head.major == 4 || head.major == 5 {
        guard depth + open.count < Limits.depthMax else { throw DecodeError(.tooDeep, at: start) }
        guard head.value <= UInt64((end - position) / (head.major == 5 ? 2 : 1)) else {
          throw DecodeError(.truncated, at: start)
        }
        let count = Int(head.value)
        open.append(
          head.major == 4
            ? OpenContainer(remaining: count)
            : OpenContainer(remaining: count, map: MapCursor(remaining: count, start: position)))
      } else {
        try skipScalar(head, at: start, checkingText: checkingText)
      }
      // Step to the next item, leaving the containers that are complete.
      while true {
        guard let last = open.indices.last else { return }
        if open[last].map != nil {
          guard try nextKey(&open[last].map!) == nil else { break }
        } else if open[last].remaining > 0 {
          open[last].remaining -= 1
          break
        }
        open.removeLast()
      }
      start = position
      head = try self.head()
    }
  }
}
