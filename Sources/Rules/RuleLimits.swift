/// The bounds of what rules can do. Everything a rule, a record or an account can make grow ends at one of these.
package enum RuleLimits {
  /// One rule on one event: VM instructions plus what library calls charge for their work.
  package static let ruleInstructionsMax: Int64 = 200_000
  /// One rule on one event: nanoseconds, of the thread's own time past the first half.
  package static let ruleNanosecondsMax: Int64 = 5_000_000
  /// All rules on one event, and how many of them may be ended by the clock; the rules that are left are skipped and counted.
  package static let eventInstructionsMax: Int64 = 1_000_000
  package static let eventTimeKillsMax = 3
  /// Loading one rule file.
  package static let loadInstructionsMax: Int64 = 5_000_000
  package static let loadNanosecondsMax: Int64 = 1_000_000_000
  package static let fileBytesMax = 1 << 20
  package static let filesMax = 2_000
  package static let rulesMax = 2_000
  /// Bytes of the Lua state while loading, and beyond that while judging.
  package static let loadBytesMax = 64 << 20
  package static let eventBytesMax = 4 << 20
  /// Longest text, longest list a library call builds or walks, largest single block.
  package static let stringBytesMax = 256 << 10
  package static let tableEntriesMax = 10_000
  package static let blockBytesMax = 1 << 20
  /// Bytes of a text that are looked at when it is folded, cut into words and the like (CT_TEXT_BYTES_MAX of CText).
  package static let textBytesMax = 16 << 10
  /// Entries of a list such as `event.links`, features of one facet, different domains.
  package static let listItemsMax = 1_000
  package static let facetFeaturesMax = 16
  package static let domainsMax = 100
  /// Wrong lines of one list that are reported.
  package static let listErrorsMax = 20
  /// Names in a text that may be domains and are looked up.
  package static let bareHostsMax = 200
  /// Faults of one rule within a minute of stream time after which it is set aside.
  package static let ruleFaultsMax = 20
  package static let faultWindowMs: Int64 = 60_000
  /// Bytes of a counter's name (NAME_BYTES_MAX of lib_rules.c).
  package static let counterNameBytesMax = 64
  /// Counters and distinct sets that exist at once; the ones not touched for longest go first.
  package static let countersMax = 200_000
  package static let distinctSetsMax = 50_000
  /// Values of one distinct set, and of all of them together.
  package static let distinctValuesMax = 512
  package static let distinctValuesTotalMax = 1_000_000
  /// Parts a window is cut into: the granularity of its far edge.
  package static let windowSlices = 30
  /// Longest binary CID whose text a rule gets.
  package static let linkBytesMax = 128
  package static let effectsMax = 16
  package static let commentBytesMax = 500
  /// Longest id of an entity that a feature names; a longer one gets no effect.
  package static let entityBytesMax = 1_024
  /// Effects remembered so that they are not given twice, labels of entities remembered, and names of labels; what was not asked
  /// for longest goes first.
  package static let effectsRememberedMax = 200_000
  package static let labelsRememberedMax = 200_000
  package static let labelNamesMax = 256
  /// Entries of the cache, the one not used for longest goes first; bytes of one text in it.
  package static let cacheEntriesMax = 65_536
  package static let cacheTextBytesMax = 512
  /// For how long an effect is not given again where it does not say.
  package static let dedupeSecondsDefault: Int64 = 86_400
  package static let featureTextBytesMax = 4_096
  package static let postTextBytesMax = 16 << 10
  package static let featureItemsMax = 100
  package static let featureNamesMax = 5_000
  /// Accounts and servers of a directory, bytes of one line and of one profile, and lines named when they are wrong.
  package static let directoryAccountsMax = 50_000_000
  package static let directoryHostsMax = 1_000_000
  package static let directoryLineBytesMax = 256 << 10
  package static let directoryProfileBytesMax = 32 << 10
  package static let directoryErrorsMax = 20
}
