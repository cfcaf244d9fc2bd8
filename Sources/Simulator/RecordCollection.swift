/// The record types of the synthetic network. The last two belong to invented applications.
enum RecordCollection: String, CaseIterable, Sendable {
  case like = "app.bsky.feed.like"
  case post = "app.bsky.feed.post"
  case repost = "app.bsky.feed.repost"
  case follow = "app.bsky.graph.follow"
  case block = "app.bsky.graph.block"
  case list = "app.bsky.graph.list"
  case listItem = "app.bsky.graph.listitem"
  case threadGate = "app.bsky.feed.threadgate"
  case profile = "app.bsky.actor.profile"
  case status = "app.bsky.actor.status"
  case bookStatus = "test.shelf.book.status"
  case matchScore = "test.pitch.match.score"

  /// The one record whose key is `self`.
  var isSingleton: Bool { self == .profile || self == .status }
}
