#!/usr/bin/env python3
"""Kills the feeder with SIGKILL while it runs at full speed, again and again, and then counts what is missing.

A relay (`simulate --ring`), a broker (`broker`) and the feeder (`run`) are three processes. A consumer of its own (kcat) reads
the actions topic from before the first message. At the end the relay is read once more from its first frame, and
every event of it has to be in the topic:
  - at least once, with the same bytes each time (but for send_time),
  - in the relay's order per DID among first deliveries,
  - without a gap in any partition's offsets;
and some messages were repeated, and some unacknowledged when the process was killed: else the kills proved nothing.
The last line is the verdict; exit code 0 for PASS.
"""
import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

TOPIC = "osprey.actions_input"
FIRST_SEQ = 31_527_015_322
ENVELOPE = re.compile(rb'"action_id":(\d+),.*?"did":"([^"]*)"')
SEND_TIME = re.compile(rb'"send_time":"[^"]*"')


def first_line(process):
    line = process.stdout.readline().decode().strip()
    if not line:
        sys.exit(f"chaos: {process.args[1]} did not start")
    return line


class Feeder:
    """One life of the process under test."""

    def __init__(self, options, relay, broker, folder, number):
        self.log = open(os.path.join(folder, f"feeder-{number}.log"), "wb")
        self.process = subprocess.Popen(
            [options.binary, "run", "--relay-host", f"ws://{relay}", "--bootstrap-servers", broker,
             "--cursor", options.cursor or f"file:{folder}/cursor", "--start", "oldest", "--rules", options.rules,
             "--metrics-listen", "127.0.0.1:0"],
            stderr=self.log, stdout=subprocess.DEVNULL)
        self.address = None

    def metrics(self):
        if self.process.poll() is not None:
            sys.exit(f"chaos: the feeder ended by itself with {self.process.returncode}; see {self.log.name}")
        if self.address is None:
            found = re.search(rb"metrics at (http://\S+)", open(self.log.name, "rb").read())
            if not found:
                return {}
            self.address = found.group(1).decode()
        try:
            text = urllib.request.urlopen(self.address, timeout=5).read().decode()
        except OSError:
            return {}
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
                for line in text.splitlines() if line and line[0] != "#"}

    def wait_for(self, name, at_least, timeout):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            metrics = self.metrics()
            if metrics.get(name, 0) >= at_least:
                return metrics
            time.sleep(0.005)
        sys.exit(f"chaos: {name} did not reach {at_least} within {timeout} s; see {self.log.name}")


def read_topic(path, problems):
    """The consumer's file: (did, id, payload) in order of partition and offset, and the next offsets."""
    deliveries, nexts = [], {}
    with open(path, "rb") as lines:
        for line in lines:
            partition, offset, _, value = line.rstrip(b"\n").split(b"\t", 3)
            partition, offset = int(partition), int(offset)
            if offset != nexts.get(partition, 0):
                problems.append(f"partition {partition}: offset {offset} follows {nexts.get(partition, 0) - 1}")
            nexts[partition] = offset + 1
            found = ENVELOPE.search(value)
            deliveries.append((found.group(2), int(found.group(1)), SEND_TIME.sub(b"", value)))
    return deliveries, nexts


def judge(expected, deliveries, problems):
    """Compares what the relay sent with what is in the topic; returns the number of repeats."""
    contents, order, repeats = {}, {}, 0
    for did, action, value in deliveries:
        if action in contents:
            repeats += 1
            if contents[action] != value:
                problems.append(f"action {action} was delivered with different content")
        else:
            contents[action] = value
            order.setdefault(did, []).append(action)
    wanted = {}
    for did, action, value in expected:
        wanted.setdefault(did, []).append(action)
        if action not in contents:
            problems.append(f"action {action} of {did.decode()} is missing")
        elif contents.pop(action) != value:
            problems.append(f"action {action} of {did.decode()} differs from what the relay sent")
    for action in contents:
        problems.append(f"action {action} was never sent by the relay")
    for did, actions in wanted.items():
        if order.get(did) != actions:
            problems.append(f"{did.decode()}: first deliveries are out of order")
    return repeats


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cycles", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--events", type=int, default=120_000, help="frames the relay sends in all")
    parser.add_argument("--ring-frames", type=int, default=20_000)
    parser.add_argument("--binary", default=".build/release/osprey-feeder")
    parser.add_argument("--rules", default="rules")
    parser.add_argument("--cursor", help="a cursor store in place of a file, such as kafka")
    parser.add_argument("--keep", action="store_true", help="keep the working folder")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    folder = tempfile.mkdtemp(prefix="chaos-")
    processes = []

    def start(*command, **more):
        processes.append(subprocess.Popen(list(command), **more))
        return processes[-1]

    try:
        broker = first_line(start(options.binary, "broker", stdout=subprocess.PIPE))
        relay = first_line(start(
            options.binary, "simulate", "--listen", "127.0.0.1:0", "--rate", "max", "--seed", str(options.seed),
            "--ring", f"{folder}/ring", "--ring-frames", str(options.ring_frames), "--events", str(options.events),
            "--wait-for-consumer", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
        topic = f"{folder}/topic"
        consumer = start("kcat", "-b", broker, "-C", "-t", TOPIC, "-o", "beginning", "-q", "-u",
                         "-f", "%p\\t%o\\t%k\\t%s\\n", stdout=open(topic, "wb"))
        killed_with, lives = [], 0
        share = options.events // (options.cycles + 1)
        for cycle in range(options.cycles):
            feeder = Feeder(options, relay, broker, folder, cycle)
            processes.append(feeder.process)
            metrics = feeder.wait_for("osprey_feeder_frames_received_total", chance.randint(share // 4, share), 120)
            feeder.process.send_signal(signal.SIGKILL)
            feeder.process.wait()
            lives += 1
            killed_with.append(int(metrics.get("osprey_feeder_kafka_unacknowledged_messages", 0)))
            print(f"kill {cycle + 1}: after {int(metrics['osprey_feeder_frames_received_total'])} frames, "
                  f"{killed_with[-1]} messages unacknowledged")
        feeder = Feeder(options, relay, broker, folder, options.cycles)
        processes.append(feeder.process)
        feeder.wait_for("osprey_feeder_relay_sequence", FIRST_SEQ + options.events - 1, 600)
        feeder.process.send_signal(signal.SIGTERM)
        code = feeder.process.wait(timeout=60)
        problems = [] if code == 0 else [f"the last run ended with {code}"]

        frames = f"{folder}/all.frames"
        subprocess.run(
            [options.binary, "capture", "--relay-host", f"ws://{relay}", "--cursor", str(FIRST_SEQ), "--frames",
             str(options.events), "--output", frames], check=True, stderr=subprocess.DEVNULL)
        expected = []
        decoded = subprocess.Popen([options.binary, "decode", frames], stdout=subprocess.PIPE)
        for line in decoded.stdout:
            found = ENVELOPE.search(line)
            expected.append((found.group(2), int(found.group(1)), SEND_TIME.sub(b"", line.rstrip(b"\n"))))
        if decoded.wait() != 0:
            problems.append("decode failed")

        # The consumer has everything when its file has not grown for two seconds.
        size = -1
        while size != os.path.getsize(topic):
            size = os.path.getsize(topic)
            time.sleep(2)
        consumer.kill()  # kcat writes unbuffered; its orderly end can wait for the broker for ever
        consumer.wait()
        deliveries, _ = read_topic(topic, problems)
        repeats = judge(expected, deliveries, problems)
        if repeats == 0:
            problems.append("no message was repeated: the kills proved nothing")
        if not any(killed_with):
            problems.append("no message was unacknowledged at a kill: the kills proved nothing")
        for problem in problems[:20]:
            print(f"  {problem}")
        print(f"chaos: {'FAIL' if problems else 'PASS'}: {lives} kills, {len(expected)} events of {options.events} frames, "
              f"{len(deliveries)} messages, {repeats} repeats, {sum(killed_with)} unacknowledged at the kills, "
              f"{len(problems)} problems (seed {options.seed})")
        return 1 if problems else 0
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
