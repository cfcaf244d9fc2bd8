// ATProto: frames come in as bytes, events go out as slices of those bytes, records as JSON text.
// Pure: no clock, no randomness, no I/O; SHA-256 is the only thing it borrows from outside.
// Nothing here recurses on input depth, and nothing a relay sends can trap, stall or grow it.
// Start at Sync/FrameDecoder.swift, `FrameDecoder.decode`; a bad byte's name is in Sync/Reason.swift.
