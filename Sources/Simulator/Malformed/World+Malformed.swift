extension World {
  func malformed(into draft: inout FrameDraft) { everyday(into: &draft) }
}
