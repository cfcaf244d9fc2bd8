// Osprey: decoded events go in, what Osprey and verdict consumers read comes out, byte for byte (CONTRACT.md).
// Owns action names, action ids, the two action shapes and the verdict message.
// Pure: receive time and counters are handed in; the same event gives the same bytes.
// Start at ActionWriter.swift for the actions topic, Verdict.swift for the verdicts topic.
