import FuzzKit

fuzz(fuzzCanary)
