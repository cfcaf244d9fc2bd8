// Feeder: frames come from a source, messages go to Kafka, and the cursor follows what Kafka has acknowledged.
// Owns everything that has a thread: the ring, the workers (`Worker.decode`), the one judge (`Judge.step`), deliveries, cursor.
// A frame's way: FrameRing.offer → Worker.decode → FrameRing in stream order → Judge.step → Producer → Tracker → cursor.
// Start at Pipeline/Pipeline.swift; the laws it keeps are in docs/invariants.md.
