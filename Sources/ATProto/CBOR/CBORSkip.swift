/// An open container while an item is stepped over.
private struct OpenContainer {
  /// Items that follow.
  var remaining: Int
  /// Set for a map.
  var map: CBORReader.MapCursor?
  /// Where its keys begin in the list of all open maps' keys.
  var firstKey: Int
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
    if head.value == 0, depth < Limits.depthMax { return }
    try skipContainer(head, at: start, depth: depth, checkingText: checkingText)
  }

  @inline(__always)
  mutating func skipScalar(_ head: CBORHead, at start: Int, checkingText: Bool) throws(DecodeError) {
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
    // The keys of all open maps, kept so that a map out of order can be checked for duplicates without walking it again:
    // such walks, nested, would multiply.
    var keys: [Slice] = []
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
            ? OpenContainer(remaining: count, firstKey: keys.count)
            : OpenContainer(
              remaining: count, map: MapCursor(remaining: count, start: position), firstKey: keys.count))
      } else {
        try skipScalar(head, at: start, checkingText: checkingText)
      }
      // Step to the next item, leaving the containers that are complete.
      while true {
        guard let last = open.indices.last else { return }
        if let map = open[last].map {
          if map.remaining > 0 {
            keys.append(try key(&open[last].map!, checkingText: checkingText))
            break
          }
          if map.isUnsorted { try checkDuplicates(&keys, from: open[last].firstKey) }
          keys.removeLast(keys.count - open[last].firstKey)
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
