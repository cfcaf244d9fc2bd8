/// One value inside a record, as a reader of the record sees it.
package enum RecordValue {
  /// There is no such member or element.
  case absent
  case null
  case bool(Bool)
  case integer(Int64)
  case double(Double)
  /// Text as it stands in the record; bytes that are not UTF-8 are possible (CONTRACT.md, grade 4).
  case text(Bytes)
  case bytes(Bytes)
  /// The binary CID of a link.
  case link(Bytes)
  /// A container: its position in the record, which `get`, `element` and the like take.
  case map(UInt32)
  case array(UInt32)
}

/// Looks things up in one record's DAG-CBOR without turning it into anything else first.
///
/// The record has been checked from first to last byte before; reads are bounds-checked all the same. What a lookup walked
/// over is remembered, so that each byte of a container is walked over once, however many fields are asked for. Nothing is
/// allocated after `init`. One thread.
package final class RecordView {
  /// Containers remembered per record (the least recently used goes, never the record itself), and map entries in all; past
  /// these, lookups walk again.
  package static let containersMax = 16
  package static let entriesMax = 512

  private struct Entry {
    var key: Slice
    var value: UInt32
    var next: Int32
  }

  /// What is known of one container: where the walk stands, and for a map the chain of entries before that.
  private struct Container {
    var node: UInt32
    var isMap: Bool
    var count: Int
    var body: Int
    var position: Int
    var index: Int
    var first: Int32 = -1
    var last: Int32 = -1
    var lastUse: UInt32 = 0
  }

  private var base: UnsafePointer<UInt8>
  private var end = 0
  private let containers: UnsafeMutablePointer<Container>
  private var containerCount = 0
  private let entries: UnsafeMutablePointer<Entry>
  private var entryCount = 0
  private var uses: UInt32 = 0
  /// Bytes walked over since `reset`: what lookups cost.
  package private(set) var walkedBytes = 0
  /// Where `key` stands, so that listing a map is one walk.
  private var listed: Container?

  package init() {
    base = Bytes.empty.base
    containers = .allocate(capacity: Self.containersMax)
    entries = .allocate(capacity: Self.entriesMax)
  }

  deinit {
    containers.deallocate()
    entries.deallocate()
  }

  /// Looks at another record from now on; `record` must outlive its use. Empty where there is none.
  package func reset(_ record: Bytes) {
    base = record.base
    end = record.count
    containerCount = 0
    entryCount = 0
    uses = 0
    walkedBytes = 0
    listed = nil
  }

  /// The record itself: a map, or absent.
  package var root: RecordValue { end > 0 ? value(at: 0) : .absent }

  /// The member `key` of the map at `node`.
  package func get(_ node: UInt32, _ key: Bytes) -> RecordValue {
    guard let container = keep(node), container.pointee.isMap else { return .absent }
    var chain = container.pointee.first
    while chain >= 0 {
      let entry = entries[Int(chain)]
      if isEqual(entry.key, key) { return value(at: Int(entry.value)) }
      chain = entry.next
    }
    while container.pointee.index < container.pointee.count {
      guard entryCount < Self.entriesMax else { return search(container.pointee, key) }
      guard let entry = nextEntry(&container.pointee) else { return .absent }
      remember(entry, in: container)
      if isEqual(entry.key, key) { return value(at: Int(entry.value)) }
    }
    return .absent
  }

  /// Looks for `key` in the entries there is no room to remember.
  private func search(_ container: Container, _ key: Bytes) -> RecordValue {
    var walk = container
    while walk.index < walk.count, let entry = nextEntry(&walk) {
      if isEqual(entry.key, key) { return value(at: Int(entry.value)) }
    }
    return .absent
  }

  /// The member `key` of a map; absent where `value` is something else.
  package func get(_ value: RecordValue, _ key: StaticString) -> RecordValue {
    guard case .map(let node) = value else { return .absent }
    return get(node, Bytes(key))
  }

  /// Element `index` (from 0) of the array at `node`.
  package func element(_ node: UInt32, _ index: Int) -> RecordValue {
    guard let container = keep(node), !container.pointee.isMap, index >= 0, index < container.pointee.count else {
      return .absent
    }
    if index < container.pointee.index {
      container.pointee.index = 0
      container.pointee.position = container.pointee.body
    }
    while container.pointee.index < index {
      guard let next = skip(container.pointee.position) else { return .absent }
      container.pointee.position = next
      container.pointee.index += 1
    }
    return value(at: container.pointee.position)
  }

  /// Entries of a map or elements of an array, and which of the two it is.
  package func count(_ node: UInt32) -> (count: Int, isMap: Bool) {
    guard let container = kept(node)?.pointee ?? read(node) else { return (0, false) }
    return (container.count, container.isMap)
  }

  /// Key number `index` (from 0) of the map at `node`, in the order of the record.
  package func key(_ node: UInt32, _ index: Int) -> Bytes? {
    if listed?.node != node || listed!.index > index {
      guard var container = kept(node)?.pointee ?? read(node), container.isMap else { return nil }
      container.position = container.body
      container.index = 0
      listed = container
    }
    guard index >= 0, index < listed!.count else { return nil }
    while let entry = nextEntry(&listed!) {
      if listed!.index == index + 1 { return Bytes(base: base + entry.key.offset, count: entry.key.count) }
    }
    return nil
  }

  // MARK: Walking

  @inline(__always)
  private func isEqual(_ slice: Slice, _ key: Bytes) -> Bool {
    slice.count == key.count && memcmp(base + slice.offset, key.base, key.count) == 0
  }

  /// The container at `node` where it is remembered.
  @inline(__always)
  private func kept(_ node: UInt32) -> UnsafeMutablePointer<Container>? {
    for index in 0..<containerCount where containers[index].node == node { return containers + index }
    return nil
  }

  /// A fresh look at what stands at `node`; nil where that is no container.
  private func read(_ node: UInt32) -> Container? {
    var position = Int(node)
    guard let (major, _, argument) = head(&position), major == 4 || major == 5, argument <= UInt64(end - position)
    else {
      return nil
    }
    return Container(
      node: node, isMap: major == 5, count: Int(argument), body: position, position: position, index: 0)
  }

  /// The container at `node`, which is remembered from now on.
  private func keep(_ node: UInt32) -> UnsafeMutablePointer<Container>? {
    uses &+= 1
    if let container = kept(node) {
      container.pointee.lastUse = uses
      return container
    }
    guard var fresh = read(node) else { return nil }
    fresh.lastUse = uses
    var slot = containerCount
    if slot < Self.containersMax {
      containerCount += 1
    } else {
      // Slot 0 is the first container looked into, the record itself.
      slot = 1
      for index in 2..<containerCount where containers[index].lastUse < containers[slot].lastUse { slot = index }
    }
    containers[slot] = fresh
    return containers + slot
  }

  private func remember(_ entry: Entry, in container: UnsafeMutablePointer<Container>) {
    let index = Int32(entryCount)
    entries[entryCount] = entry
    entryCount += 1
    if container.pointee.last >= 0 {
      entries[Int(container.pointee.last)].next = index
    } else {
      container.pointee.first = index
    }
    container.pointee.last = index
  }

  private func nextEntry(_ container: inout Container) -> Entry? {
    var position = container.position
    guard let (major, _, argument) = head(&position), major == 3, argument <= UInt64(end - position) else { return nil }
    let key = Slice(offset: position, count: Int(argument))
    let start = key.end
    guard let next = skip(start) else { return nil }
    container.position = next
    container.index += 1
    walkedBytes += start - key.offset
    return Entry(key: key, value: UInt32(start), next: -1)
  }

  /// Major type, additional information and argument of the item at `position`, which moves behind them.
  @inline(__always)
  private func head(_ position: inout Int) -> (UInt8, UInt8, UInt64)? {
    guard position < end else { return nil }
    let first = base[position]
    let info = first & 0x1f
    position += 1
    if info < 24 { return (first >> 5, info, UInt64(info)) }
    guard info < 28 else { return nil }
    let size = 1 << Int(info - 24)
    guard end - position >= size else { return nil }
    var argument: UInt64 = 0
    for index in 0..<size { argument = argument << 8 | UInt64(base[position + index]) }
    position += size
    return (first >> 5, info, argument)
  }

  /// The position behind the item at `start`. Counts what is still to come instead of keeping a stack.
  private func skip(_ start: Int) -> Int? {
    var position = start
    var remaining = 1
    while remaining > 0 {
      guard let (major, _, argument) = head(&position) else { return nil }
      remaining -= 1
      switch major {
      case 2, 3:
        guard argument <= UInt64(end - position) else { return nil }
        position += Int(argument)
      case 4, 5:
        guard argument <= UInt64(end - position) else { return nil }
        remaining += Int(argument) * (major == 5 ? 2 : 1)
      case 6: remaining += 1
      default: break
      }
    }
    walkedBytes += position - start
    return position
  }

  private func value(at start: Int) -> RecordValue {
    var position = start
    guard let (major, info, argument) = head(&position) else { return .absent }
    switch major {
    case 0: return argument <= UInt64(Int64.max) ? .integer(Int64(argument)) : .double(Double(argument))
    case 1: return argument <= UInt64(Int64.max) ? .integer(-1 - Int64(argument)) : .double(-1 - Double(argument))
    case 2, 3:
      guard argument <= UInt64(end - position) else { return .absent }
      let bytes = Bytes(base: base + position, count: Int(argument))
      return major == 3 ? .text(bytes) : .bytes(bytes)
    case 4: return .array(UInt32(start))
    case 5: return .map(UInt32(start))
    case 6:
      guard let (inner, _, count) = head(&position), inner == 2, count > 1, count <= UInt64(end - position) else {
        return .absent
      }
      return .link(Bytes(base: base + position + 1, count: Int(count) - 1))
    default:
      switch info {
      case 20: return .bool(false)
      case 21: return .bool(true)
      case 25: return .double(Double(Float16(bitPattern: UInt16(argument))))
      case 26: return .double(Double(Float(bitPattern: UInt32(argument))))
      case 27: return .double(Double(bitPattern: argument))
      default: return .null
      }
    }
  }
}

#if canImport(Glibc)
  import Glibc
#endif
