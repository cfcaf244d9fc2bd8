#!/usr/bin/env python3
"""Kills the feeder with SIGKILL while it runs at full speed, again and again, and then counts what is missing.

A relay (`simulate --ring`), a broker (`broker`) and the feeder (`run`) are three processes. A consumer of its own (kcat) reads
the actions topic from before the first message. At the end the relay is read once more from its first frame, and
every event of it has to be in the topic:
  - at least once, with the same bytes each time (but for send_time),
  - in the relay's order per DID among first deliveries,
  - without a gap in any partition's offsets;
and some messages were repeated, and some unacknowledged when the process was killed: else the kills proved nothing.
With --state the feeder keeps what its rules remember, and every verdict of the broken run has to be, byte for byte, that of a
backtest over the same frames (but for `__timestamp`, `__eval_us` and `__mode`), and the other way round.
The last line is the verdict; exit code 0 for PASS.
"""
import argparse
import os
import random
import shutil
import signal
import sys

import stage


COUNTING = """
return rule {
  name = "ChaosCount", about = "Every twentieth event: an event judged twice, left out or out of order shows from then on.",
  when = function(event)
    local all = count("chaos all", "all", minutes(1)):add()
    local mine = count("chaos mine", event.did, hours(1)):add()
    return all % 20 == 0, { ChaosAll = all, ChaosMine = mine }
  end,
  effects = { verdict "counted" },
}
"""


def counting_rules(rules, folder):
    """A copy of the rules with one that notices every mistake of the state."""
    copy = shutil.copytree(rules, os.path.join(folder, "rules"))
    with open(os.path.join(copy, "chaos_count.lua"), "w") as file:
        file.write(COUNTING)
    return copy


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cycles", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--events", type=int, default=120_000, help="frames the relay sends in all")
    parser.add_argument("--ring-frames", type=int, default=20_000)
    parser.add_argument("--binary", default=".build/release/osprey-feeder")
    parser.add_argument("--rules", default="rules")
    parser.add_argument("--cursor", help="a cursor store in place of a file, such as kafka")
    parser.add_argument("--state", action="store_true", help="keep the rules' state and compare the verdicts with a backtest")
    parser.add_argument("--keep", action="store_true", help="keep the working folder")
    options = parser.parse_args()
    options.X = []
    chance = random.Random(options.seed)
    run = stage.Stage(options, options.events, seed=options.seed)
    if options.state:
        options.X = ["--state", f"{run.folder}/state", "--state-interval", "0"]
        run.consume_verdicts()
        options.rules = counting_rules(options.rules, run.folder)
    try:
        killed_with = []
        share = options.events // (options.cycles + 1)
        for cycle in range(options.cycles):
            feeder = run.feeder(options.cursor)
            if options.state:  # a restart from the first frame would prove nothing about the state
                feeder.wait_for("osprey_feeder_cursor_saves_total", 1, 120)
            # A kill proves something where messages are under way.
            metrics = feeder.wait_for("osprey_feeder_frames_received_total", chance.randint(share // 4, share), 120,
                                      and_some="osprey_feeder_kafka_unacknowledged_messages")
            feeder.process.send_signal(signal.SIGKILL)
            feeder.process.wait()
            killed_with.append(int(metrics["osprey_feeder_kafka_unacknowledged_messages"]))
            print(f"kill {cycle + 1}: after {int(metrics['osprey_feeder_frames_received_total'])} frames, "
                  f"{killed_with[-1]} messages unacknowledged")
        feeder = run.feeder(options.cursor)
        feeder.wait_for("osprey_feeder_relay_sequence", stage.FIRST_SEQ + options.events - 1, 600)
        feeder.process.send_signal(signal.SIGTERM)
        code = feeder.process.wait(timeout=60)
        problems = [] if code == 0 else [f"the last run ended with {code}"]
        sent = run.sent(problems)
        run.wait_until_consumed()
        deliveries = stage.read_topic(run.topic, problems)
        repeats = stage.compare(sent, deliveries, problems)
        verdicts = run.compare_verdicts(problems) if options.state else 0
        if options.state and verdicts == 0:
            problems.append("there was no verdict: the comparison proved nothing")
        if repeats == 0:
            problems.append("no message was repeated: the kills proved nothing")
        if not any(killed_with):
            problems.append("no message was unacknowledged at a kill: the kills proved nothing")
        for problem in problems[:20]:
            print(f"  {problem}")
        print(f"chaos: {'FAIL' if problems else 'PASS'}: {len(killed_with)} kills, {len(sent)} events of {options.events} frames, "
              f"{len(deliveries)} messages, {repeats} repeats, "
              + (f"{verdicts} verdicts as in a backtest, " if options.state else "") +
              f"{sum(killed_with)} unacknowledged at the kills, "
              f"{len(problems)} problems (seed {options.seed})")
        return 1 if problems else 0
    finally:
        run.end(keep=options.keep)


if __name__ == "__main__":
    sys.exit(main())
