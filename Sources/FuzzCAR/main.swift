import FuzzKit

fuzz(fuzzCAR)
