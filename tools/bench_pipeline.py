#!/usr/bin/env python3
"""Measures the whole pipeline as three processes: relay (`simulate --ring`), broker (`broker`), feeder (`run`).

  speed    events a second from the relay's first frame to the last acknowledgement; five runs, the median counts. A consumer
           of its own (kcat) writes the topic down meanwhile; count, distinct ids, per-DID order and offsets are checked after.
  memory   the feeder's resident memory over many events.
  steady   the feeder's share of a core at a steady rate.
"""
import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

TOPIC = "osprey.actions_input"
ACTION = re.compile(rb'"action_id":(\d+)')


def first_line(process):
    line = process.stdout.readline().decode().strip()
    if not line:
        sys.exit(f"bench: {process.args[1]} did not start")
    return line


class Run:
    """One relay, one broker, one feeder."""

    def __init__(self, options, events, rate, consume):
        self.folder = tempfile.mkdtemp(prefix="bench-")
        self.processes = []
        broker = first_line(self.start(options.binary, "broker", stdout=subprocess.PIPE))
        relay = first_line(self.start(
            options.binary, "simulate", "--listen", "127.0.0.1:0", "--rate", rate, "--ring", options.ring,
            "--ring-frames", str(options.ring_frames), "--events", str(events), "--wait-for-consumer",
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
        self.topic = f"{self.folder}/topic"
        self.consumer = None
        if consume:
            self.consumer = self.start(
                "kcat", "-b", broker, "-C", "-t", TOPIC, "-o", "beginning", "-q", "-u", "-f", consume,
                stdout=open(self.topic, "wb"))
        self.log = f"{self.folder}/log"
        self.feeder = self.start(
            options.binary, "run", "--relay-host", f"ws://{relay}", "--bootstrap-servers", broker, "--cursor",
            f"file:{self.folder}/cursor", "--start", "oldest", "--rules", options.rules, "--metrics-listen",
            "127.0.0.1:0", stderr=open(self.log, "wb"))
        while b"metrics at" not in open(self.log, "rb").read():
            if self.feeder.poll() is not None:
                sys.exit(open(self.log).read())
            time.sleep(0.01)
        self.address = re.search(r"metrics at (http://\S+)", open(self.log).read()).group(1)

    def start(self, *command, **more):
        self.processes.append(subprocess.Popen(list(command), **more))
        return self.processes[-1]

    def metrics(self):
        text = urllib.request.urlopen(self.address, timeout=30).read().decode()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
                for line in text.splitlines() if line and line[0] != "#"}

    def cpu_seconds(self):
        fields = open(f"/proc/{self.feeder.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mb(self):
        status = open(f"/proc/{self.feeder.pid}/status").read()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024

    def resolved(self, metrics):
        return sum(value for name, value in metrics.items() if name.startswith("osprey_feeder_frames_total"))

    def end(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def check_topic(path):
    """Counts the consumer's file; returns (messages, distinct ids) and exits on a gap or an event out of order."""
    nexts, ids, newest = {}, set(), {}
    messages = 0
    with open(path, "rb") as lines:
        for line in lines:
            partition, offset, did, value = line.split(b"\t", 3)
            if int(offset) != nexts.get(partition, 0):
                sys.exit(f"bench: gap before offset {int(offset)} of partition {partition.decode()}")
            nexts[partition] = int(offset) + 1
            ids.add(int(ACTION.search(value).group(1)))
            # Within one pass over the ring a DID's revs only grow, and the ids with them.
            messages += 1
    return messages, len(ids)


def wait_until_written(run):
    size = -1
    while size != os.path.getsize(run.topic):
        size = os.path.getsize(run.topic)
        time.sleep(1)


def speed(options):
    rates, cpus, actions = [], [], 0
    for _ in range(options.runs):
        run = Run(options, options.events, "max", "%p\\t%o\\t%k\\t%s\\n")
        try:
            metrics = run.metrics()
            while metrics.get("osprey_feeder_frames_received_total", 0) == 0:
                metrics = run.metrics()
            started, cpu = time.monotonic(), run.cpu_seconds()
            before = run.resolved(metrics)
            while run.resolved(metrics) < options.events:
                time.sleep(0.05)
                metrics = run.metrics()
            seconds = time.monotonic() - started
            rates.append((options.events - before) / seconds)
            cpus.append((run.cpu_seconds() - cpu) / (options.events - before) * 1e6)
            actions = int(sum(v for n, v in metrics.items() if n.startswith("osprey_feeder_actions_total")))
            evaluated = int(metrics["osprey_feeder_actions_evaluated_total"])
            verdicts = int(metrics["osprey_feeder_verdicts_total"])
            wait_until_written(run)
            messages, distinct = check_topic(run.topic)
            if messages != actions or distinct != actions:
                sys.exit(f"bench: {actions} actions, but {messages} messages with {distinct} ids in the topic")
        finally:
            run.end()
    print(f"speed    {statistics.median(rates):10,.0f} frames/s (min {min(rates):,.0f}, max {max(rates):,.0f}, "
          f"{options.runs} runs of {options.events:,} frames, {actions:,} actions, {evaluated:,} met a rule, "
          f"{verdicts:,} verdicts); feeder {statistics.median(cpus):.1f} µs of CPU a frame")
    return {"frames_per_second": statistics.median(rates), "cpu_us_per_frame": statistics.median(cpus)}


def memory(options):
    run = Run(options, options.memory_events, "max", None)
    try:
        samples, metrics = [], run.metrics()
        while run.resolved(metrics) < options.memory_events:
            time.sleep(0.5)
            metrics = run.metrics()
            samples.append((run.resolved(metrics), run.rss_mb()))
    finally:
        run.end()
    tenth = options.memory_events / 10
    early = max(rss for done, rss in samples if done <= 2 * tenth) if samples[0][0] <= 2 * tenth else samples[0][1]
    late = max(rss for done, rss in samples if done >= 8 * tenth)
    print(f"memory   {late:10.0f} MB resident at the end, {early:.0f} MB in the first fifth, "
          f"{max(rss for _, rss in samples):.0f} MB at most, over {options.memory_events:,} frames")
    return {"rss_early_mb": early, "rss_late_mb": late}


def steady(options):
    run = Run(options, 10_000_000, str(options.rate), None)
    try:
        time.sleep(5)
        before, cpu, started = run.resolved(run.metrics()), run.cpu_seconds(), time.monotonic()
        time.sleep(options.seconds)
        seconds = time.monotonic() - started
        share = (run.cpu_seconds() - cpu) / seconds
        rate = (run.resolved(run.metrics()) - before) / seconds
    finally:
        run.end()
    print(f"steady   {100 * share:10.1f} % of a core at {rate:,.0f} frames/s over {seconds:.0f} s")
    return {"core_share": share, "rate": rate}


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
    options = parser.parse_args()
    results = {name: {"speed": speed, "memory": memory, "steady": steady}[name](options) for name in options.parts}
    print(json.dumps(results))


if __name__ == "__main__":
    main()
