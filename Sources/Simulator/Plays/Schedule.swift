/// One instance of a play: who takes part, what is left to do, and what they have in common.
final class PlayInstance {
  let kind: PlayKind
  let numbers: CampaignPlan.Play
  var random: Random
  let actors: [Int]
  /// Events left per actor.
  var remaining: [Int]
  /// The text of a wave, meme or quote; the pitch of mention spam.
  var text = ""
  /// Registrable domains of a link flood.
  var domains: [String] = []
  /// Sentence templates of a link flood.
  var templates: [String] = []
  /// The known account that is imitated, admired or itself at work, by its place in the plan.
  var known = 0
  /// Strangers are taken one after the other: the next is `strangers`, then always `stride` further.
  var strangers = 0
  var stride = 1
  /// Follow churn, by account: the follows that are to be taken back, and how many more come before that.
  var churn: [Int: (follows: [TreeKey], ahead: Int)] = [:]
  /// The record keys of lists, by account.
  var lists: [Int: UInt64] = [:]
  /// The thread of a conversation.
  var thread: (root: PostReference, parent: PostReference)?

  init(_ kind: PlayKind, _ numbers: CampaignPlan.Play, _ random: Random, actors: [Int]) {
    self.kind = kind
    self.numbers = numbers
    self.random = random
    self.actors = actors
    remaining = []
    for _ in actors { remaining.append(self.random.within(numbers.eventsPerAccount)) }
  }
}

/// What is due when: a heap by time, equal times in the order of arrival.
struct Schedule {
  /// A moment of one actor, or the end of an account's pause.
  enum Turn {
    case play(PlayInstance, actor: Int)
    case reactivate(account: Int)
  }

  private struct Item {
    var due: UInt64
    var serial: Int
    var turn: Turn
  }

  private var heap: [Item] = []
  private var serial = 0

  mutating func add(_ turn: Turn, at due: UInt64) {
    heap.append(Item(due: due, serial: serial, turn: turn))
    serial += 1
    var child = heap.count - 1
    while child > 0, precedes(child, (child - 1) / 2) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  /// Takes the earliest turn that is due.
  mutating func next(at now: UInt64) -> Turn? {
    guard let first = heap.first, first.due <= now else { return nil }
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && precedes(child, least) { least = child }
      if least == parent { return first.turn }
      heap.swapAt(parent, least)
      parent = least
    }
  }

  private func precedes(_ one: Int, _ other: Int) -> Bool {
    (heap[one].due, heap[one].serial) < (heap[other].due, heap[other].serial)
  }
}
