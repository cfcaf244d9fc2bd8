import ATProto
import FrameKit
import Testing

@Test(arguments: framingCases)
func `framing and DAG-CBOR`(_ item: Case) {
  #expect(report(item.frame) == item.expected)
}

@Test(arguments: fieldCases)
func `fields of the small messages`(_ item: Case) {
  #expect(report(item.frame) == item.expected)
}

@Test(arguments: commitCases)
func `fields of a commit and of its signed object`(_ item: Case) {
  #expect(report(item.frame) == item.expected)
}

@Test(arguments: carCases)
func `the blocks of a commit`(_ item: Case) {
  #expect(report(item.frame) == item.expected)
}

@Test(arguments: operationCases)
func `the operations of a commit`(_ item: Case) {
  #expect(report(item.frame) == item.expected)
}

@Test(arguments: treeCases)
func `the tree of a commit`(_ item: Case) {
  #expect(report(item.frame) == item.expected)
}
