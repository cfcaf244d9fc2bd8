import FuzzKit

fuzz(fuzzEvents)
