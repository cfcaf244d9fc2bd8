// FrameKit: hand-built CBOR, CAR files, trees, commits and frames, right ones and every kind of wrong one.
// Written for tests and fuzz seeds: slow, obvious, and free of anything the decoder is made of but SHA-256.
// Start at Frame.swift, `CommitFrame`.
