"""What bench_pipeline.py and chaos.py share: relay, broker, feeder and an independent consumer (kcat) as processes, and the
comparison of what the relay sent with what the consumer read."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

TOPIC = "osprey.actions_input"
VERDICT_TOPIC = "osprey.feeder.verdicts"
FIRST_SEQ = 31_527_015_322
ENVELOPE = re.compile(rb'"action_id":(\d+),.*?"did":"([^"]*)"')
RUN_DEPENDENT = re.compile(rb'"(__timestamp|__mode)":"[^"]*",|"__eval_us":\d+,')
VERDICT_ID = re.compile(rb'"__action_id":(\d+)')
SEND_TIME = re.compile(rb'"send_time":"[^"]*"')


class Stage:
    """A broker, a relay that waits for its reader, if wanted a consumer of the actions topic, and a folder for their files."""

    def __init__(self, options, events, rate="max", consume=True, ring=None, seed=None):
        self.options = options
        self.events = events
        self.folder = tempfile.mkdtemp(prefix="stage-")
        self.processes = []
        self.broker = self.first_line(self.start(options.binary, "broker", stdout=subprocess.PIPE))
        command = [
            options.binary, "simulate", "--listen", "127.0.0.1:0", "--rate", str(rate), "--ring", ring or f"{self.folder}/ring",
            "--ring-frames", str(options.ring_frames), "--events", str(events), "--wait-for-consumer"]
        command += ["--seed", str(seed)] if seed is not None else []
        self.relay = self.first_line(self.start(*command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
        self.topic = f"{self.folder}/topic"
        self.consumer = None
        if consume:
            self.consumer = self.start(
                "kcat", "-b", self.broker, "-C", "-t", TOPIC, "-o", "beginning", "-q", "-u", "-f", "%p\\t%o\\t%k\\t%s\\n",
                stdout=open(self.topic, "wb"))

    def start(self, *command, **more):
        self.processes.append(subprocess.Popen(list(command), **more))
        return self.processes[-1]

    @staticmethod
    def first_line(process):
        line = process.stdout.readline().decode().strip()
        if not line:
            sys.exit(f"{process.args[1]} did not start")
        return line

    def feeder(self, cursor=None):
        return Feeder(self, cursor or f"file:{self.folder}/cursor")

    def wait_until_consumed(self):
        """The consumer has everything when its file has not grown for two seconds."""
        size = -1
        while size != os.path.getsize(self.topic):
            size = os.path.getsize(self.topic)
            time.sleep(2)
        self.consumer.kill()  # kcat writes unbuffered; its orderly end can wait for the broker for ever
        self.consumer.wait()

    def sent(self, problems):
        """Reads the relay once more from its first frame: what it sent, as `read_topic` tells what arrived."""
        frames = f"{self.folder}/all.frames"
        subprocess.run(
            [self.options.binary, "capture", "--relay-host", f"ws://{self.relay}", "--cursor", str(FIRST_SEQ), "--frames",
             str(self.events), "--output", frames], check=True, stderr=subprocess.DEVNULL)
        decode = subprocess.Popen([self.options.binary, "decode", frames], stdout=subprocess.PIPE)
        sent = [message(line.rstrip(b"\n")) for line in decode.stdout]
        if decode.wait() != 0:
            problems.append("decode failed")
        return sent

    def consume_verdicts(self):
        self.verdicts = f"{self.folder}/verdicts"
        self.start("kcat", "-b", self.broker, "-C", "-t", VERDICT_TOPIC, "-o", "beginning", "-q", "-u", "-f", "%s\\n",
                   stdout=open(self.verdicts, "wb"))

    def compare_verdicts(self, problems):
        """Holds the verdicts of the run against a backtest of the frames `sent` captured; returns how many there are."""
        path = f"{self.folder}/backtest"
        subprocess.run(
            [self.options.binary, "backtest", "--source", f"capture:{self.folder}/all.frames", "--rules", self.options.rules,
             "--verdicts", path], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wanted, found = verdicts(path, problems), verdicts(self.verdicts, problems)
        for action, value in wanted.items():
            if action not in found:
                problems.append(f"the verdict on action {action} is missing")
            elif found[action] != value:
                problems.append(f"the verdict on action {action} differs:\n    {found[action]}\n    {value}")
        problems += [f"the verdict on action {action} is none of the backtest's" for action in found.keys() - wanted.keys()]
        return len(wanted)

    def end(self, keep=False):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)


class Feeder:
    """One life of the process under test."""

    lives = 0

    def __init__(self, stage, cursor):
        Feeder.lives += 1
        self.log = f"{stage.folder}/feeder-{Feeder.lives}.log"
        options = stage.options
        self.process = stage.start(
            options.binary, "run", "--relay-host", f"ws://{stage.relay}", "--bootstrap-servers", stage.broker, "--cursor",
            cursor, "--start", "oldest", "--rules", options.rules, "--metrics-listen", "127.0.0.1:0", *options.X,
            stderr=open(self.log, "wb"), stdout=subprocess.DEVNULL)
        self.address = None

    def metrics(self):
        """The page's values by name and labels; empty as long as there is no page."""
        if self.process.poll() is not None:
            sys.exit(f"the feeder ended by itself with {self.process.returncode}:\n{open(self.log).read()}")
        if self.address is None:
            found = re.search(r"metrics at (http://\S+)", open(self.log).read())
            if not found:
                return {}
            self.address = found.group(1)
        try:
            text = urllib.request.urlopen(self.address, timeout=30).read().decode()
        except OSError:
            return {}
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
                for line in text.splitlines() if line and line[0] != "#"}

    def wait_for(self, name, at_least, timeout, and_some=None):
        """The page once `name` has reached `at_least` and, where `and_some` is given, that is not 0."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            metrics = self.metrics()
            if metrics.get(name, 0) >= at_least and (and_some is None or metrics.get(and_some, 0) > 0):
                return metrics
            time.sleep(0.005)
        also = f" with some {and_some}" if and_some else ""
        sys.exit(f"{name} did not reach {at_least}{also} within {timeout} s:\n{open(self.log).read()}")


def message(value):
    """(did, action id, hash of all but send_time)"""
    found = ENVELOPE.search(value)
    return found.group(2), int(found.group(1)), hash(SEND_TIME.sub(b"", value))


def verdicts(path, problems):
    """Verdicts by action id, without what may differ from run to run. Repeats say the same."""
    found = {}
    for line in open(path, "rb"):
        value = RUN_DEPENDENT.sub(b"", line.rstrip(b"\n"))
        action = int(VERDICT_ID.search(value).group(1))
        if found.setdefault(action, value) != value:
            problems.append(f"the verdict on action {action} was delivered with different content")
    return found


def read_topic(path, problems):
    """The consumer's file: one `message` each, in order of arrival, which is each partition's order."""
    deliveries, nexts = [], {}
    with open(path, "rb") as lines:
        for line in lines:
            partition, offset, _, value = line.rstrip(b"\n").split(b"\t", 3)
            partition, offset = int(partition), int(offset)
            if offset != nexts.get(partition, 0):
                problems.append(f"partition {partition}: offset {offset} follows {nexts.get(partition, 0) - 1}")
            nexts[partition] = offset + 1
            deliveries.append(message(value))
    return deliveries


def compare(sent, deliveries, problems):
    """Everything sent has arrived, unchanged, in its DID's order, and nothing else has; returns the number of repeats."""
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
    for did, action, value in sent:
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
