#!/usr/bin/env python3
"""Measures the rules on 200,000 simulated frames: what the starter set, repeated to 100 rules, costs an event (`rules bench`), and how
many events a second `backtest` judges with 100 rules, and with a list of 500 patterns besides. Medians of five runs each."""
import argparse
import json
import os
import random
import re
import shutil
import statistics
import subprocess

SETTINGS = {"features.lua", "labels.lua", "quotas.lua"}
SYLLABLES = [a + b for a in "bdfgklmnprst" for b in "aeiou"]
PATTERN_RULE = """local patterns = list "bench_patterns"

return rule {
  name = "BenchPatterns",
  about = "Asks a list of 500 patterns about each post.",
  owner = "bench",
  collections = { "app.bsky.feed.post" },
  mode = "shadow",
  when = function(event) return patterns:match(event.text) ~= nil end,
  effects = { verdict "review" },
}
"""


def make_traffic(options):
    frames, accounts = f"{options.folder}/day.frames", f"{options.folder}/accounts.jsonl"
    if not os.path.exists(accounts):
        print(f"bench: making {options.frames:,} frames (once)")
        subprocess.run([options.binary, "simulate", "--seed", "99", "--events", str(options.frames), "--output", frames,
                        "--directory", accounts], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return ["--source", f"capture:{frames}", "--directory", accounts]


def repeat(source, target, wanted):
    """Copies the rule folder and repeats its rules, under other names and with counters of their own, up to `wanted`."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*_test.lua"))
    files = [f"{folder}/{name}" for folder, _, names in sorted(os.walk(source)) for name in sorted(names)
             if name.endswith(".lua") and not name.endswith("_test.lua") and name not in SETTINGS and "/lib" not in folder]
    texts = {path: open(path).read() for path in files}
    rules = {path: len(re.findall(r'^\s*name = "', text, re.M)) for path, text in texts.items()}
    copy, count = 1, sum(rules.values())
    while count < wanted:
        copy += 1
        for path in files:
            if count + rules[path] > wanted:
                continue
            text = re.sub(r'(name = "\w+)"', rf'\g<1>Copy{copy}"', texts[path])
            text = re.sub(r'\b(count|distinct)\("', rf'\g<1>("{copy} ', text)
            out = f"{target}/copy{copy}/{os.path.basename(path)}"
            os.makedirs(os.path.dirname(out), exist_ok=True)
            open(out, "w").write(text)
            count += rules[path]


def add_patterns(folder):
    chance = random.Random(7)
    words = [[chance.choice(SYLLABLES) for _ in range(5)] for _ in range(500)]
    lines = [f"{a}{b}{c}[ ._-]?{d}{e}s?" for a, b, c, d, e in words]
    open(f"{folder}/lists/bench_patterns.txt", "w").write("# kind: patterns\n" + "\n".join(lines) + "\n")
    open(f"{folder}/bench_patterns.lua", "w").write(PATTERN_RULE)


def last_object(*command):
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(told[told.index("{"):])


def backtest(options, traffic, rules):
    runs = [last_object(options.binary, "backtest", *traffic, "--rules", rules, "--json") for _ in range(options.runs)]
    return statistics.median(run["events_per_second"] for run in runs)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default=".build/release/osprey-feeder")
    parser.add_argument("--folder", default=".build/bench-rules")
    parser.add_argument("--rules", default="rules")
    parser.add_argument("--frames", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    traffic = make_traffic(options)

    for more in ([], ["--repeat", "100"]):
        told = [last_object(options.binary, "rules", "bench", *traffic, "--rules", options.rules, *more, "--json")
                for _ in range(options.runs)]
        mean, entered, p99 = (statistics.median(run[part][key] for run in told) / 1000
                              for part, key in (("all", "mean_ns"), ("entered", "mean_ns"), ("all", "p99_ns")))
        asked = "; asked 5, 20, 100" if more else ""
        print(f"rules    {told[0]['rule_count']:3} rules: {mean:.1f} µs an event, {entered:.1f} µs one that enters Lua, p99 {p99:.0f} µs{asked}")

    hundred, patterns = f"{options.folder}/hundred", f"{options.folder}/patterns"
    repeat(options.rules, hundred, 100)
    shutil.rmtree(patterns, ignore_errors=True)
    shutil.copytree(hundred, patterns)
    add_patterns(patterns)
    plain, listed = backtest(options, traffic, hundred), backtest(options, traffic, patterns)
    print(f"backtest 100 rules: {plain:,.0f} events/s (asked 60,000); with a list of 500 patterns {listed:,.0f} "
          f"({plain / listed:.2f} times slower, asked 1.5)")


main()
