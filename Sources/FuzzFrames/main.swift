import FuzzKit

fuzz(fuzzFrames)
