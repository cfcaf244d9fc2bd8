// Simulator: a small network that is the same on every machine.
// In go a seed and a plan of abuse campaigns (campaigns.json); out come signed firehose frames, the ground truth of
// what is abuse in them, DID documents and a directory of the accounts. Owns its clock and its randomness.
// World.next makes one frame after the other; Ring replays pre-signed ones for speed runs; Relay serves either.
// Start at World.draft, then Repository.commit.
