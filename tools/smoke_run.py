#!/usr/bin/env python3
"""Starts `make run`, reads its topics with kcat as a user would, and stops it with SIGTERM.

Says what it saw. Exits with 0 only if the pipeline ran, offsets had no gap, actions and verdicts were well formed, every
verdict belonged to an action, and SIGTERM ended it in good order.
"""

import collections
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request

START_SECONDS = 180
VERDICT_SECONDS = 90
STOP_SECONDS = 30
WATCH_SECONDS = 5

ACTIONS = "osprey.actions_input"
VERDICTS = "osprey.feeder.verdicts"


class Problem(Exception):
    pass


def start():
    # A port of our own choosing could be taken; 0 lets the system choose.
    environment = dict(os.environ, OSPREY_FEEDER_METRICS_LISTEN="127.0.0.1:0")
    log = open(".build/ci/make-run.log", "w+b")
    make = subprocess.Popen(
        ["make", "run"], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment,
        start_new_session=True)
    return make, log


def wait_for(make, log, pattern, seconds):
    """The first match of `pattern` in what the run printed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        log.seek(0)
        found = re.search(pattern, log.read().decode("utf-8", "replace"))
        if found:
            return found.group(1)
        if make.poll() is not None:
            raise Problem(f"make run ended with {make.returncode} before it printed /{pattern}/")
        time.sleep(0.2)
    raise Problem(f"make run did not print /{pattern}/ within {seconds} s")


def read_topic(broker, topic):
    """Key and value of every message kcat finds from the first to the present end of a topic."""
    # A tab separates: it stands neither in a DID nor, unescaped, in JSON.
    command = ["kcat", "-b", broker, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-f", "%p\\t%o\\t%k\\t%s\\n"]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
    if result.returncode != 0:
        raise Problem(f"{' '.join(command)}: {result.stderr.decode('utf-8', 'replace').strip()}")
    rows = []
    for line in result.stdout.split(b"\n"):
        if line:
            partition, offset, key, value = line.split(b"\t", 3)
            rows.append((int(partition), int(offset), key.decode(), json.loads(value)))
    return rows


def check_offsets(topic, rows):
    """The embedded broker drops the oldest messages silently; a reader from the start must see none missing."""
    following = collections.defaultdict(int)
    for partition, offset, _, _ in rows:
        if offset != following[partition]:
            raise Problem(f"{topic} [{partition}]: expected offset {following[partition]}, read {offset}")
        following[partition] = offset + 1


def check_action(key, action):
    envelope = action["data"]
    inner = envelope["data"]
    expected = inner["did"] if envelope["action_name"] != "info" else "<unknown>"
    if key != expected:
        raise Problem(f"an action of {expected} has the key {key}")
    if not (isinstance(envelope["action_id"], int) and 0 < envelope["action_id"] < 1 << 63):
        raise Problem(f"no action id: {envelope['action_id']!r}")
    if envelope["encoding"] != "UTF8" or not action["send_time"].endswith("Z"):
        raise Problem(f"not Osprey's envelope: {action}")
    if envelope["action_name"].startswith("operation#"):
        operation = inner["operation"]
        if envelope["action_name"] != f"operation#{operation['action']}":
            raise Problem(f"{envelope['action_name']} holds an operation {operation['action']}")


def check_verdict(key, verdict, actions):
    if verdict["UserId"] != key:
        raise Problem(f"a verdict on {verdict['UserId']} has the key {key}")
    if not verdict["__rules_hit"] and not verdict["__rules_shadow"]:
        raise Problem(f"a verdict without a rule: {verdict}")
    json.loads(verdict["__effects"])
    action = actions.get(verdict["__action_id"])
    if action is None:
        raise Problem(f"no action has the id of the verdict {verdict['__action_id']}")
    if action["data"]["action_name"] != verdict["ActionName"]:
        raise Problem(f"a verdict on {verdict['ActionName']} names an action {action['data']['action_name']}")


def watch(make, log):
    broker = wait_for(make, log, r"Kafka at (\S+)", START_SECONDS)
    metrics = wait_for(make, log, r"metrics at (http://\S+/metrics)", 10)
    time.sleep(WATCH_SECONDS)
    deadline = time.monotonic() + VERDICT_SECONDS
    verdicts = []
    while not verdicts and time.monotonic() < deadline:
        if make.poll() is not None:
            raise Problem(f"make run ended by itself with {make.returncode}")
        verdicts = read_topic(broker, VERDICTS)
        if not verdicts:
            time.sleep(1)
    if not verdicts:
        raise Problem(f"no verdict arrived within {VERDICT_SECONDS} s")
    # Another topic is another batch: give the last verdict's action the time to be acknowledged.
    time.sleep(1)
    rows = read_topic(broker, ACTIONS)
    check_offsets(ACTIONS, rows)
    check_offsets(VERDICTS, verdicts)
    actions = {}
    for _, _, key, action in rows:
        check_action(key, action)
        if actions.setdefault(action["data"]["action_id"], action) is not action:
            raise Problem(f"two actions have the id {action['data']['action_id']}")
    for _, _, key, verdict in verdicts:
        check_verdict(key, verdict, actions)
    names = collections.Counter(action["data"]["action_name"] for action in actions.values())
    hits = collections.Counter(
        rule for _, _, _, verdict in verdicts for rule in verdict["__rules_hit"] + verdict["__rules_shadow"])
    page = urllib.request.urlopen(metrics, timeout=10).read().decode()
    received = re.search(r"^osprey_feeder_frames_received_total (\d+)", page, re.M)
    if not received or int(received.group(1)) == 0:
        raise Problem(f"{metrics} counts no received frame")
    ready = urllib.request.urlopen(metrics.replace("/metrics", "/readyz"), timeout=10).status
    print(f"actions {len(rows)}: " + ", ".join(f"{name} {count}" for name, count in names.most_common()))
    print(f"verdicts {len(verdicts)}: " + ", ".join(f"{name} {count}" for name, count in hits.most_common()))
    print(f"metrics: {received.group(1)} frames received; /readyz {ready}")


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def stop(make):
    """SIGTERM to the feeder itself, as a service manager sends it; make then reports its exit code."""
    for pid in children(make.pid):
        os.kill(pid, signal.SIGTERM)
    started = time.monotonic()
    try:
        code = make.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise Problem(f"the feeder did not end within {STOP_SECONDS} s of SIGTERM") from error
    if code != 0:
        raise Problem(f"after SIGTERM make run ended with {code} instead of 0")
    print(f"SIGTERM: exit 0 after {time.monotonic() - started:.1f} s")


def main():
    os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    os.makedirs(".build/ci", exist_ok=True)
    make, log = start()
    try:
        watch(make, log)
        stop(make)
    except (Problem, KeyError, ValueError, OSError, subprocess.TimeoutExpired) as error:
        log.seek(0)
        print(log.read().decode("utf-8", "replace")[-4000:])
        print(f"error: {type(error).__name__}: {error}")
        return 1
    finally:
        if make.poll() is None:
            os.killpg(make.pid, signal.SIGKILL)
            make.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
