/// Where frames come from. It offers them to the ring one at a time and in order, and waits where the ring is full.
package protocol FrameSource: AnyObject, Sendable {
  /// Starts to offer frames, each with the `Connection` it came over; hosts get their numbers from `hosts`. `onEnd` is
  /// called once if the source ends by itself: nil at its proper end, else why it failed.
  func start(into ring: FrameRing, hosts: HostTable, onEnd: @escaping @Sendable (String?) -> Void)
  /// Offers nothing more, and returns when that is so.
  func stop()
}
