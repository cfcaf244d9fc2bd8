#!/usr/bin/env python3
"""What the Python SDK (`atproto` from PyPI) needs for the same frames: frame, message and CAR decoded; nothing hashed,
no JSON written. One thread, medians of five runs, CPU time. Last line: one JSON object.

usage: bench_python.py FILE...     (files of [u32 little-endian length][frame])
Makes a virtual environment in .build/bench-python on the first run and installs the SDK there."""

import json
import os
import statistics
import struct
import subprocess
import sys
import time
from pathlib import Path

ENVIRONMENT = Path(__file__).resolve().parent.parent / ".build" / "bench-python"


def inside_environment() -> None:
    """Runs this script again with an interpreter that has the SDK."""
    try:
        import atproto  # noqa: F401
        return
    except ImportError:
        pass
    python = ENVIRONMENT / "bin" / "python"
    if os.environ.get("BENCH_PYTHON_INSIDE"):
        sys.exit("bench_python: the atproto package cannot be imported from " + str(ENVIRONMENT))
    if not python.exists():
        print("bench_python: installing the atproto package into", ENVIRONMENT, file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", "atproto"], check=True)
    os.environ["BENCH_PYTHON_INSIDE"] = "1"
    os.execv(str(python), [str(python), *sys.argv])


def frames(path: str) -> list[bytes]:
    data = Path(path).read_bytes()
    found, at = [], 0
    while at + 4 <= len(data):
        (count,) = struct.unpack_from("<I", data, at)
        found.append(data[at + 4 : at + 4 + count])
        at += 4 + count
    return found


def one_pass(all_frames: list[bytes]) -> int:
    from atproto import CAR, firehose_models, models, parse_subscribe_repos_message

    blocks = 0
    for data in all_frames:
        message = parse_subscribe_repos_message(firehose_models.Frame.from_bytes(data))
        if isinstance(message, models.ComAtprotoSyncSubscribeRepos.Commit):
            blocks += len(CAR.from_bytes(message.blocks).blocks)
    return blocks


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    inside_environment()
    result = {"bench": "python"}
    for path in sys.argv[1:]:
        all_frames = frames(path)[:20_000]
        passes = max(1, 2_000 // len(all_frames))
        one_pass(all_frames[:2_000])
        seconds = []
        for _ in range(5):
            start = time.thread_time()
            for _ in range(passes):
                one_pass(all_frames)
            seconds.append((time.thread_time() - start) / passes)
        rate = len(all_frames) / statistics.median(seconds)
        name = Path(path).name
        print(f"{name}: Python SDK, {rate:,.0f} frames/s, {1e6 / rate:.1f} µs a frame")
        result[name] = {"frames_per_s": round(rate)}
    print(json.dumps(result, separators=(",", ":")))


main()
