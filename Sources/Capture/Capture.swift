// Capture: frames on disk, and back.
// In comes a file of repeated [u32 little-endian length][frame], plain or zstd; out comes one frame after the other
// in a reused buffer, with its receive time where FILE.times has one. Owns file descriptors and zstd streams.
// Memory is bounded at any file size. Start at CaptureReader.next.
