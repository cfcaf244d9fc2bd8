#!/usr/bin/env python3
"""Measures the whole pipeline as three processes: relay (`simulate --ring`), broker (`broker`), feeder (`run`).

  speed    events a second from the relay's first frame to the last acknowledgement; five runs, the median counts. A consumer
           of its own (kcat) writes the topic down meanwhile; afterwards the relay is read once more and compared with it:
           count, contents, distinct ids, order per DID, gapless offsets.
  memory   the feeder's resident memory over many events.
  steady   the feeder's share of a core at a steady rate, by thread, and the latency to the acknowledgement.
"""
import argparse
import json
import os
import statistics
import sys
import time

import stage

TICKS = os.sysconf("SC_CLK_TCK")


def resolved(metrics):
    return sum(value for name, value in metrics.items() if name.startswith("osprey_feeder_frames_total"))


def stat_seconds(path):
    fields = open(path).read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def cpu_seconds(process):
    return stat_seconds(f"/proc/{process.pid}/stat")


def thread_seconds(process):
    """CPU seconds and voluntary waits by thread name, summed over threads of one name."""
    threads = {}
    for task in os.listdir(f"/proc/{process.pid}/task"):
        folder = f"/proc/{process.pid}/task/{task}"
        name = open(f"{folder}/comm").read().strip()
        status = open(f"{folder}/status").read()
        waits = int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])
        seconds, before = threads.get(name, (0, 0))
        # The scheduler's nanoseconds: ticks are too coarse for threads that run for microseconds.
        seconds += int(open(f"{folder}/schedstat").read().split()[0]) / 1e9
        threads[name] = (seconds, before + waits)
    return threads


def begin(options, events, rate, consume):
    """A stage with a feeder whose metrics page is up."""
    run = stage.Stage(options, events, rate, consume, ring=options.ring)
    feeder = run.feeder()
    while not feeder.metrics():
        time.sleep(0.01)
    return run, feeder


def speed(options):
    rates, cpus = [], []
    for _ in range(options.runs):
        run, feeder = begin(options, options.events, "max", True)
        try:
            metrics = feeder.wait_for("osprey_feeder_frames_received_total", 1, 60)
            started, cpu = time.monotonic(), cpu_seconds(feeder.process)
            before = resolved(metrics)
            while resolved(metrics) < options.events:
                time.sleep(0.05)
                metrics = feeder.metrics()
            seconds = time.monotonic() - started
            rates.append((options.events - before) / seconds)
            cpus.append((cpu_seconds(feeder.process) - cpu) / (options.events - before) * 1e6)
            actions = int(sum(v for n, v in metrics.items() if n.startswith("osprey_feeder_actions_total")))
            evaluated = int(metrics["osprey_feeder_actions_evaluated_total"])
            verdicts = int(metrics["osprey_feeder_verdicts_total"])
            problems = []
            run.wait_until_consumed()
            deliveries = stage.read_topic(run.topic, problems)
            repeats = stage.compare(run.sent(problems), deliveries, problems)
            if len(deliveries) != actions or repeats > 0:
                problems.append(f"{actions} actions, but {len(deliveries)} messages in the topic, {repeats} of them repeats")
            if problems:
                sys.exit("\n".join(["bench: what arrived is not what was sent:"] + problems[:20]))
        finally:
            run.end()
    print(f"speed    {statistics.median(rates):10,.0f} frames/s (min {min(rates):,.0f}, max {max(rates):,.0f}, "
          f"{options.runs} runs of {options.events:,} frames, {actions:,} actions, {evaluated:,} met a rule, "
          f"{verdicts:,} verdicts); feeder {statistics.median(cpus):.1f} µs of CPU a frame")
    return {"frames_per_second": statistics.median(rates), "cpu_us_per_frame": statistics.median(cpus)}


def memory(options):
    run, feeder = begin(options, options.memory_events, "max", False)
    try:
        samples, metrics = [], feeder.metrics()
        shown = 0
        while resolved(metrics) < options.memory_events:
            time.sleep(0.5)
            metrics = feeder.metrics()
            samples.append((resolved(metrics), metrics["process_resident_memory_bytes"] / (1 << 20)))
            if samples[-1][0] >= shown:
                print(f"         {samples[-1][0]:12,.0f} frames {samples[-1][1]:8.1f} MB", flush=True)
                shown = samples[-1][0] + options.memory_events / 20
    finally:
        run.end()
    tenth = options.memory_events / 10
    early = max(rss for done, rss in samples if done <= 2 * tenth) if samples[0][0] <= 2 * tenth else samples[0][1]
    late = max(rss for done, rss in samples if done >= 8 * tenth)
    print(f"memory   {late:10.0f} MB resident at the end, {early:.0f} MB in the first fifth, "
          f"{max(rss for _, rss in samples):.0f} MB at most, over {options.memory_events:,} frames")
    return {"rss_early_mb": early, "rss_late_mb": late}


def percentile(before, after, share):
    """Upper bound of the histogram's bucket in which this share of the new values lies, in seconds."""
    name = 'osprey_feeder_latency_seconds_bucket{le="'
    buckets = sorted((float(key[len(name):-2].replace("+Inf", "inf")), after[key] - before.get(key, 0))
                     for key in after if key.startswith(name))
    return next(bound for bound, count in buckets if count >= share * buckets[-1][1])


def steady(options):
    run, feeder = begin(options, 10_000_000, options.rate, False)
    try:
        time.sleep(5)
        before, cpu, started = feeder.metrics(), cpu_seconds(feeder.process), time.monotonic()
        threads = thread_seconds(feeder.process)
        time.sleep(options.seconds)
        seconds = time.monotonic() - started
        share = (cpu_seconds(feeder.process) - cpu) / seconds
        later = thread_seconds(feeder.process)
        after = feeder.metrics()
    finally:
        run.end()
    rate = (resolved(after) - resolved(before)) / seconds
    half, most = percentile(before, after, 0.5), percentile(before, after, 0.99)
    print(f"steady   {100 * share:10.1f} % of a core at {rate:,.0f} frames/s over {seconds:.0f} s; "
          f"latency: half within {1000 * half:.0f} ms, 99 % within {1000 * most:.0f} ms")
    for name, (spent, waits) in sorted(later.items(), key=lambda item: -item[1][0]):
        spent, waits = spent - threads.get(name, (0, 0))[0], waits - threads.get(name, (0, 0))[1]
        if spent / seconds > 0.0005:
            print(f"         {100 * spent / seconds:10.2f} %  {name:16} {waits / seconds:8.0f} waits/s")
    return {"core_share": share, "rate": rate, "latency_50": half, "latency_99": most}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", default=["speed", "memory", "steady"])
    parser.add_argument("--binary", default=".build/release/osprey-feeder")
    parser.add_argument("--rules", default="rules")
    parser.add_argument("--ring", default=".build/bench.ring")
    parser.add_argument("--ring-frames", type=int, default=200_000)
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--memory-events", type=int, default=5_000_000)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("-X", action="append", default=[], metavar="KEY=VALUE", help="a librdkafka property of the feeder")
    options = parser.parse_args()
    options.X = [word for value in options.X for word in ("-X", value)]
    results = {name: {"speed": speed, "memory": memory, "steady": steady}[name](options) for name in options.parts}
    print(json.dumps(results))


if __name__ == "__main__":
    main()
