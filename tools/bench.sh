#!/bin/sh
# Measures decoding: ours against a loop that only hashes the same blocks, and against the Python SDK, on the same files.
# Takes the test vectors' real frames and a corpus of 20,000 made from them, where ../shared has both; else name FILES.
# usage: tools/bench.sh [FILE…]
set -eu
cd "$(dirname "$0")/.."
if [ $# -eq 0 ]; then
  real=../shared/data/frames/frames_000_099.bin
  corpus=.build/corpus20k.bin
  if [ ! -f "$real" ]; then
    echo "bench: no ../shared/data here; name a file of frames: tools/bench.sh FILE"
    exit 2
  fi
  if [ ! -f "$corpus" ]; then
    echo "bench: making a corpus of 20,000 frames (once, half a minute)"
    mkdir -p .build
    python3 ../shared/tools/make_corpus.py --templates "$real" --out "$corpus" --frames 20000 --seed 1 --check 0 >/dev/null
  fi
  set -- "$real" "$corpus"
fi
swift build -c release --product Bench
.build/release/Bench decode "$@" | tee .build/bench-decode.txt
python3 tools/bench_python.py "$@" | tee .build/bench-python.txt
python3 - .build/bench-decode.txt .build/bench-python.txt <<'PYTHON'
import json, sys
ours, python = (json.loads(open(path).read().splitlines()[-1]) for path in sys.argv[1:])
for name in python:
    if name != "bench":
        rate = ours[name]["osprey, mst, all blocks"]
        print(f"{name}: {rate['of_hash_only']:.0%} of the speed of hashing alone (60 % wanted), "
              f"{rate['frames_per_s'] / python[name]['frames_per_s']:.1f} times the Python SDK (6 wanted)")
PYTHON
