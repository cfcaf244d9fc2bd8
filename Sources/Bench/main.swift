// Bench: measures, and prints one table and one JSON line per subcommand. Release builds only mean anything.
// Start at DecodeBench.swift for `decode`.

import Glibc

switch CommandLine.arguments.dropFirst().first {
case "decode" where CommandLine.arguments.count > 2:
  exit(decodeBench(files: Array(CommandLine.arguments.dropFirst(2))))
case "profile" where CommandLine.arguments.count == 3:
  exit(decodeProfile(CommandLine.arguments[2]))
default:
  print("usage: Bench decode FILE…    decoding, one thread, over files of [u32 little-endian length][frame]")
  print("       Bench profile FILE     decodes for five seconds, for a profiler to watch")
  exit(2)
}
