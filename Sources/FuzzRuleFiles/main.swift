import FuzzKit

fuzz(fuzzRuleFiles)
